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
      all += (all.empty() ? "" : "; ") + check.name + ": " + check.text;
  return all.empty() ? unverifiable : all;
}

const Check* Verdict::find(const std::string& name) const {
  const auto at = std::find_if(checks.begin(), checks.end(), [&](const Check& c) { return c.name == name; });
  return at == checks.end() ? nullptr : &*at;
}

}  // namespace feldspar::recon
