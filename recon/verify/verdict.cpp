#include "recon/verify/verdict.hpp"

#include <algorithm>

namespace feldspar::recon {
namespace {

/// What has to be judged before a volume is trusted: by any one of some checks.
struct Need {
  const char* name;
  std::vector<CheckId> checks;
  bool Stated::*or_stated = nullptr;
};

const std::vector<Need>& needs() {
  static const std::vector<Need> all{{"axis", {"rotation-axis"}, &Stated::axis},
                                     {"sense", {"rotation-sense"}, &Stated::sense},
                                     {"level", {"air-level"}},
                                     {"completeness", {"neighbouring-views", "every-view"}},
                                     {"completeness", {"turn", "view-order"}},
                                     {"re-projection", {"re-projection"}}};
  return all;
}

}  // namespace

const char* name_of(Check::Outcome outcome) noexcept {
  switch (outcome) {
    case Check::Outcome::passed: return "passed";
    case Check::Outcome::failed: return "FAILED";
    case Check::Outcome::not_applicable: return "not applicable";
  }
  return "not applicable";
}

const char* Verdict::word() const {
  return failed() ? "untrusted" : trusted() ? "trusted" : "not verifiable";
}

bool Verdict::failed() const {
  return std::any_of(checks.begin(), checks.end(),
                     [](const Check& check) { return check.outcome == Check::Outcome::failed; });
}

std::vector<std::string> Verdict::unjudged() const {
  if (!unverifiable.empty()) return {unverifiable};
  std::vector<std::string> all;
  for (const Need& need : needs()) {
    if (need.or_stated && stated.*need.or_stated) continue;
    std::string why;
    bool judged = false;
    for (const CheckId id : need.checks) {
      const Check* const check = find(id);
      if (check && check->outcome != Check::Outcome::not_applicable) judged = true;
      if (why.empty()) why = check ? check->text : "it was not asked";
    }
    if (!judged) all.push_back(std::string(need.name) + ": " + why);
  }
  return all;
}

std::string Verdict::reasons() const {
  std::string all;
  const auto add = [&](const std::string& text) { all += (all.empty() ? "" : "; ") + text; };
  for (const Check& check : checks)
    if (check.outcome == Check::Outcome::failed) add(check.title() + ": " + check.text);
  if (all.empty())
    for (const std::string& what : unjudged()) add(what);
  return all;
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
