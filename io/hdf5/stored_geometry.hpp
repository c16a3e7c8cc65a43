// The whole geometry and the exact references of a scan, as a group that this project adds to the formats
// which have no words for them.
#pragma once

#include <string>

#include "geometry/scan.hpp"
#include "io/hdf5/input_file.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io::hdf5 {

/// Name of the group, below the entry of NXtomo and below / of Data Exchange.
inline constexpr const char* geometry_group = "feldspar_geometry";

/// Lengths in mm and angles in radians, each with its units.
void put_geometry(hid_t parent, const geometry::CircularScan& scan, const References& references);

/// False when `group` is absent. Throws Error(bad_file) naming the field that is absent or of the wrong size
/// for `scan`'s detector, which must be known.
[[nodiscard]] bool get_geometry(const InputFile& file, const std::string& group, geometry::CircularScan& scan,
                                References& references);

}  // namespace feldspar::io::hdf5
