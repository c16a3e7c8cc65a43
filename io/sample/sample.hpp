// What is known of a sample beside its scan, from a small file.
#pragma once

#include <filesystem>

#include "io/hdf5/volume_file.hpp"

namespace feldspar::io {

/// Of a .toml file its keys and values: text, numbers, dates and booleans, not nested. Of any other what
/// read_cycler() finds. Throws Error(io) for a file that cannot be read, Error(bad_file) for one that is
/// neither, naming file, line or key.
[[nodiscard]] Record read_sample(const std::filesystem::path& file);

}  // namespace feldspar::io
