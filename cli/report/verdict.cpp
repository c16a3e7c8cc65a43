#include "cli/report/verdict.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "cli/console.hpp"
#include "cli/report/findings.hpp"
#include "run/verify.hpp"

namespace feldspar::cli {

std::string describe(const std::vector<recon::Check>& checks) {
  std::string text;
  for (const recon::Check& check : checks)
    text += fmt::format("  {:<14} {}: {}\n", name_of(check.outcome), check.title(),
                        with_flags(check.text, check.remedies));
  return text;
}

std::string describe(const recon::Verdict& verdict) {
  std::string text = describe(verdict.checks);
  text += fmt::format("verdict   {} ({:.1f} s)\n", verdict.failed() ? "UNTRUSTED" : verdict.word(),
                      verdict.seconds);
  if (verdict.failed()) return text;
  for (const std::string& what : verdict.unjudged()) text += fmt::format("          {}\n", what);
  return text;
}

void warn_of(const std::vector<recon::Check>& checks) {
  for (const recon::Check& check : checks)
    if (check.outcome == recon::Check::Outcome::failed)
      log_warning(fmt::format("the volume will not be trusted: {}: {}", check.title(),
                              with_flags(check.text, check.remedies)));
}

nlohmann::json json_of(const std::vector<recon::Check>& all) {
  nlohmann::json checks = nlohmann::json::array();
  for (const recon::Check& check : all)
    checks.push_back({{"id", check.id.name()},
                      {"name", check.title()},
                      {"outcome", name_of(check.outcome)},
                      {"text", check.text},
                      {"remedies", json_of(check.remedies)}});
  return checks;
}

nlohmann::json json_of(const recon::Verdict& verdict) {
  return {{"trusted", verdict.trusted()}, {"verdict", verdict.word()},
          {"reasons", verdict.reasons()}, {"not_judged", verdict.unjudged()},
          {"seconds", verdict.seconds},   {"checks", json_of(verdict.checks)}};
}

void repeat_stored_verdict(const std::filesystem::path& path) {
  const run::StoredVerdict verdict = run::stored_verdict(path);
  log_info(fmt::format("verdict   {}{}{} (stored in the volume; `feldspar verify` asks again)",
                       verdict.word.empty() ? "none" : verdict.word, verdict.reasons.empty() ? "" : ": ",
                       with_flags(verdict.reasons, verdict.remedies)));
  run::insist(verdict, path);
}

}  // namespace feldspar::cli
