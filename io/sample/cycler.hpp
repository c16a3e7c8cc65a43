// What the text that a battery cycler's program exports says of a cell.
#pragma once

#include <filesystem>

#include "io/hdf5/volume_file.hpp"

namespace feldspar::io {

/// The last cycle, the capacity of the last that was finished and of the first, and the resistance. Reads the
/// tables that Maccor, Arbin, BioLogic, Neware, Landt, BaSyTec and Digatron export: columns separated by
/// tabs, semicolons or commas, decimals with a point or a comma where all rows agree, in UTF-8, Latin-1 or
/// UTF-16. Throws Error(bad_file) naming file, line and column where there is no such table, or where a
/// number is none or may be meant in two ways, and Error(io).
[[nodiscard]] Record read_cycler(const std::filesystem::path& file);

}  // namespace feldspar::io
