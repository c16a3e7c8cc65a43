#include "cli/report/findings.hpp"

#include <nlohmann/json.hpp>

#include "cli/console.hpp"

namespace feldspar::cli {

std::string shown(const Finding& finding) { return with_flags(finding.text, finding.remedies); }

nlohmann::json json_of(const Remedies& remedies) {
  nlohmann::json all = nlohmann::json::array();
  for (const Remedy& remedy : remedies)
    all.push_back({{"option", remedy.option.name()}, {"value", remedy.value}, {"words", remedy.words}});
  return all;
}

nlohmann::json json_of(const Findings& findings) {
  nlohmann::json all = nlohmann::json::array();
  for (const Finding& finding : findings)
    all.push_back({{"code", finding.code.name()},
                   {"severity", name_of(finding.severity)},
                   {"text", finding.text},
                   {"field", finding.field},
                   {"remedies", json_of(finding.remedies)}});
  return all;
}

}  // namespace feldspar::cli
