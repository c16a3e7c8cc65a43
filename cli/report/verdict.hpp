// A verdict for people and for programs.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "recon/verify/verdict.hpp"

namespace feldspar::cli {

[[nodiscard]] std::string describe(const recon::Verdict& verdict);
[[nodiscard]] std::string describe(const std::vector<recon::Check>& checks);
[[nodiscard]] nlohmann::json json_of(const recon::Verdict& verdict);
[[nodiscard]] nlohmann::json json_of(const std::vector<recon::Check>& checks);

/// Warns of the checks that failed before there is a volume.
void warn_of(const std::vector<recon::Check>& checks);

/// What the volume at `path` says of itself: logs it, and throws Error(untrusted) where it says so.
void repeat_stored_verdict(const std::filesystem::path& path);

}  // namespace feldspar::cli
