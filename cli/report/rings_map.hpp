// A picture of what the gain map changes.
#pragma once

#include <filesystem>

#include "run/plan.hpp"

namespace feldspar::cli {

/// Throws Error(usage) where the request makes no gain map.
void check_rings_map(const run::Request& request);

/// Draws what is added to every pixel's line integrals, if the plan has such a map: grey is no change, black
/// and white are four standard deviations down and up. Throws Error(io).
void write_rings_map(const std::filesystem::path& file, const run::Plan& plan, bool overwrite);

}  // namespace feldspar::cli
