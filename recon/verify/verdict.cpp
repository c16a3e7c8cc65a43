#include "recon/verify/verdict.hpp"

#include <algorithm>

namespace feldspar::recon {

const char* name_of(Check::Outcome outcome) noexcept {
  switch (outcome) {
    case Check::Outcome::passed: return "passed";
    case Check::Outcome::failed: return "FAILED";
    case Check::Outcome::not_applicable: return "not applicable";
  }
  return "not applicable";
}

const char* Verdict::word() const {
  return !trusted() ? "untrusted" : unverifiable.empty() ? "trusted" : "not verifiable";
}

bool Verdict::trusted() const {
  return std::none_of(checks.begin(), checks.end(),
                      [](const Check& check) { return check.outcome == Check::Outcome::failed; });
}

std::string Verdict::reasons() const {
  std::string all;
  for (const Check& check : checks)
    if (check.outcome == Check::Outcome::failed)
      all += (all.empty() ? "" : "; ") + check.title() + ": " + check.text;
  return all.empty() ? unverifiable : all;
}

Remedies Verdict::remedies() const {
  Remedies all;
  for (const Check& check : checks) all.insert(all.end(), check.remedies.begin(), check.remedies.end());
  return all;
}

const Check* Verdict::find(CheckId id) const {
  const auto at = std::find_if(checks.begin(), checks.end(), [&](const Check& c) { return c.id == id; });
  return at == checks.end() ? nullptr : &*at;
}

}  // namespace feldspar::recon
