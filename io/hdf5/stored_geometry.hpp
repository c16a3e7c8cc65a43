// The whole geometry and the exact references of a scan, as a group that this project adds to the formats
// which have no words for them.
#pragma once

#include <string>

#include "geometry/scan.hpp"
#include "io/hdf5/input_file.hpp"
#include "io/hdf5/stored_units.hpp"
#include "io/open_scan.hpp"
#include "io/scan_sink.hpp"

namespace feldspar::io::hdf5 {

/// Name of the group, below the entry of NXtomo and below / of Data Exchange.
inline constexpr const char* geometry_group = "feldspar_geometry";

/// Lengths in mm and angles in radians, each with its units; and the description, where it says something.
void put_geometry(hid_t parent, const ScanContent& content);

/// Replaces what the format says less exactly by `group`, whose detector's size and angles `scan` must hold
/// as the format states them; then what `options` demand. False when the group is absent. A group whose
/// angles are not the format's is a finding. Throws Error(bad_file) naming the field that is absent or of the
/// wrong size.
[[nodiscard]] bool apply_stored_geometry(const InputFile& file, const std::string& group,
                                         const OpenOptions& options, geometry::CircularScan& scan,
                                         References& references, UnitReader& units);

/// Takes what `group` says of the instrument and the exposure; what it does not say stays. Nothing happens
/// when the group is absent. Throws Error(bad_file).
void apply_stored_facts(const InputFile& file, const std::string& group, ScanDescription& description);

}  // namespace feldspar::io::hdf5
