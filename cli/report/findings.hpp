// What was found, in words of this program and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/findings.hpp"

namespace feldspar::cli {

/// The text, with the flags that mend it.
[[nodiscard]] std::string shown(const Finding& finding);

/// An object each, with code, severity, text, field and remedies.
[[nodiscard]] nlohmann::json json_of(const Findings& findings);
/// An object each, with option, value and words.
[[nodiscard]] nlohmann::json json_of(const Remedies& remedies);

}  // namespace feldspar::cli
