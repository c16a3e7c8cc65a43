#include "cli/report/verdict.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "cli/console.hpp"
#include "cli/report/findings.hpp"
#include "run/verify.hpp"

namespace feldspar::cli {

std::string describe(const recon::Verdict& verdict) {
  std::string text =
      fmt::format("verdict   {}{}{} ({:.1f} s)\n", verdict.trusted() ? verdict.word() : "UNTRUSTED",
                  verdict.unverifiable.empty() ? "" : ": ", verdict.unverifiable, verdict.seconds);
  for (const recon::Check& check : verdict.checks)
    text += fmt::format("  {:<14} {}: {}\n", name_of(check.outcome), check.title(),
                        with_flags(check.text, check.remedies));
  return text;
}

nlohmann::json json_of(const recon::Verdict& verdict) {
  nlohmann::json checks = nlohmann::json::array();
  for (const recon::Check& check : verdict.checks)
    checks.push_back({{"id", check.id.name()},
                      {"name", check.title()},
                      {"outcome", name_of(check.outcome)},
                      {"text", check.text},
                      {"remedies", json_of(check.remedies)}});
  return {{"trusted", verdict.trusted() && verdict.unverifiable.empty()},
          {"verdict", verdict.word()},
          {"reasons", verdict.reasons()},
          {"seconds", verdict.seconds},
          {"checks", checks}};
}

void repeat_stored_verdict(const std::filesystem::path& path) {
  const run::StoredVerdict verdict = run::stored_verdict(path);
  log_info(fmt::format("verdict   {}{}{} (stored in the volume; `feldspar verify` asks again)",
                       verdict.word.empty() ? "none" : verdict.word, verdict.reasons.empty() ? "" : ": ",
                       with_flags(verdict.reasons, verdict.remedies)));
  run::insist(verdict, path);
}

}  // namespace feldspar::cli
