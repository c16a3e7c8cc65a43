// Where an NXtomo file keeps what: the entry and detector of one scan, as different laboratories place them.
#pragma once

#include <string>
#include <vector>

#include "base/findings.hpp"
#include "io/hdf5/input_file.hpp"

namespace feldspar::io::hdf5 {

struct NxtomoPlaces {
  std::string entry;      ///< "/entry1/tomo_entry"
  std::string detector;   ///< "/entry1/tomo_entry/instrument/detector"
  std::string image_key;  ///< empty when there is none
  std::string angle;      ///< empty when there is none
  Findings findings;      ///< other scans in the file, detectors that were passed over, unusual places
};

/// Groups of the file that hold a scan: those defined as NXtomo, and those with frames and their keys.
[[nodiscard]] std::vector<std::string> nxtomo_entries(const InputFile& file);

/// Throws Error(unsupported) when the file holds no scan, Error(bad_file) when its frames cannot be reached,
/// naming the linked file that is missing.
[[nodiscard]] NxtomoPlaces find_places(const InputFile& file);

}  // namespace feldspar::io::hdf5
