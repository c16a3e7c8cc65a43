// The HDF5 file of a volume: how it is made and opened for writing.
#pragma once

#include <filesystem>

#include "io/hdf5/handle.hpp"

namespace feldspar::io::hdf5 {

/// The oldest format that holds what is written, and no lock of the library's: PartialFile has one.
[[nodiscard]] Properties output_access();

/// An empty file with the attributes of a NeXus root. Throws Failure.
[[nodiscard]] File create_output(const std::filesystem::path& path);

}  // namespace feldspar::io::hdf5
