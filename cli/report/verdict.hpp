// A verdict for people and for programs.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "recon/verify/verdict.hpp"

namespace feldspar::cli {

[[nodiscard]] std::string describe(const recon::Verdict& verdict);
[[nodiscard]] nlohmann::json json_of(const recon::Verdict& verdict);

/// What the volume at `path` says of itself: logs it, and throws Error(untrusted) where it says so.
void repeat_stored_verdict(const std::filesystem::path& path);

}  // namespace feldspar::cli
