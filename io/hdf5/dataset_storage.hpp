// Where the values of a dataset lie, and whether all of them are there: of a virtual dataset whose source is
// missing, of a chunk that was never written and of an external file that is too short, the HDF5 library
// makes zeros without a word.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/hdf5/handle.hpp"

namespace feldspar::io::hdf5 {

/// Values of a dataset that are nowhere, by their indices along one of its dimensions.
struct Gap {
  std::vector<int> indices;  ///< growing
  std::string why;           ///< "raw/q20.h5 is missing"
};

struct DatasetStorage {
  std::vector<std::filesystem::path> files;  ///< beside the one that holds the dataset: virtual and external
  std::vector<Gap> gaps;                     ///< by their first index
};

/// `path` is of the file that holds `data`, `name` what messages call it. Indices are counted along
/// `dimension`; with a missing part of an index the whole counts as missing, but not the space that no
/// source was ever meant to fill, as between the modules of a detector, where another source fills the rest.
/// Throws Error(unsupported) for a filter that cannot be had, Error(bad_file) for external storage outside
/// the file's folder and for virtual datasets nested too deeply, and Failure.
[[nodiscard]] DatasetStorage storage_of(const std::filesystem::path& path, const std::string& name,
                                        hid_t data, int dimension = 0);

/// The indices as people write them: "3, 7 to 9".
[[nodiscard]] std::string listed(const std::vector<int>& indices);

}  // namespace feldspar::io::hdf5
