// Every fault of the campaign in every kind of object: one table, printed as docs/trust.md has it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/recon/verify/campaign.hpp"

namespace feldspar::testing {
namespace {

recon::Verdict verdict_on(const Object& object, const Fault& fault) {
  geometry::CircularScan truth = good_scan(360);
  if (fault.truth) fault.truth(truth);
  StoredScan scan(VirtualScan(truth, object.bodies), 20000);
  if (fault.scan) fault.scan(scan);
  Trial trial(scan);
  if (fault.volume) fault.volume(trial.volume.values, trial.grid());
  return trial.verdict();
}

std::string failed_checks(const recon::Verdict& verdict) {
  std::string names;
  for (const recon::Check& check : verdict.checks)
    if (check.outcome == recon::Check::Outcome::failed)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", check.title());
  return names.empty() ? verdict.word() : names;
}

TEST(Campaign, TrustsTheObjectsThemselves) {
  for (const Object& object : objects()) {
    const recon::Verdict verdict = verdict_on(object, {});

    EXPECT_TRUE(verdict.trusted()) << object.name << ": " << verdict.reasons() << "\n" << in_words(verdict);
    if (std::getenv("TRUST_SHOW")) std::cout << object.name << "\n" << in_words(verdict);
  }
}

TEST(Campaign, SeesEveryFaultThatCanBeSeen) {
  const char* const only = std::getenv("TRUST_ONLY");
  std::string table = "| fault | cell | beads | block |\n|---|---|---|---|\n";
  for (const Fault& fault : faults()) {
    if (only && fault.name.find(only) == std::string::npos) continue;
    std::string row;
    for (const Object& object : objects()) {
      const recon::Verdict verdict = verdict_on(object, fault);
      const bool unseeable =
          fault.not_seen_of == "all" || fault.not_seen_of.find(object.name) != std::string::npos;
      row += fmt::format(" {} |", failed_checks(verdict));

      if (!unseeable) {
        EXPECT_TRUE(verdict.failed()) << fault.name << " of " << object.name << "\n" << in_words(verdict);
      }
      if (only) std::cout << object.name << "\n" << in_words(verdict);
    }
    table += fmt::format("| {} |{} {}\n", fault.name, row, fault.why);
  }
  std::cout << table;
}

}  // namespace
}  // namespace feldspar::testing
