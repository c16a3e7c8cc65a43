// From an .xtekct file to what the rest of the program works with: Nikon's names, units and signs end here.
#pragma once

#include <span>
#include <vector>

#include "geometry/scan.hpp"
#include "io/nikon/xtekct.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io::nikon {

/// How the object turns while the stage angle grows, seen from above.
enum class Turn { clockwise, counter_clockwise };

/// Projections. Throws Error(bad_file).
[[nodiscard]] int projection_count(const XtekctFile& file);

/// Stage angles of the projections relative to the first, in degrees: i * AngularStep. Throws Error(bad_file)
/// when there is no step.
[[nodiscard]] std::vector<double> nominal_stage_angles(const XtekctFile& file);

/// The geometry with one view for each of `stage_angles` (degrees, relative to InitialAngle); a positive
/// `pixel_pitch` in mm replaces that of the file, and leaves what the file states in mm as it is. Throws
/// Error(bad_file) naming file and key, Error(unsupported) for a virtual detector.
[[nodiscard]] geometry::CircularScan to_scan(const XtekctFile& file, std::span<const double> stage_angles,
                                             Turn turn = Turn::clockwise, double pixel_pitch = 0);

/// `replacement` when positive, else WhiteLevel. Throws Error(bad_file) naming the way out when it is
/// unusable.
[[nodiscard]] double white_level(const XtekctFile& file, double replacement);

/// The axis as the old keys (CentreOfRotationTop and Bottom, or CentreOfRotation) put it; zero where absent.
[[nodiscard]] geometry::RotationAxis axis_from_old_keys(const XtekctFile& file,
                                                        const geometry::CircularScan& scan);
/// The axis as the new keys (ObjectOffsetX, ObjectRoll, ObjectTilt) put it; zero where absent.
[[nodiscard]] geometry::RotationAxis axis_from_new_keys(const XtekctFile& file);
[[nodiscard]] bool has_old_axis(const XtekctFile& file);
[[nodiscard]] bool has_new_axis(const XtekctFile& file);

/// VoxelsX/Y/Z, VoxelSizeX and OffsetX/Y/Z as they stand; zero where absent.
[[nodiscard]] ProposedGrid proposed_grid(const XtekctFile& file);

/// What the file says about the scan apart from its geometry.
[[nodiscard]] ScanDescription describe(const XtekctFile& file);

/// CT Pro's polynomial as ScanDescription::hardening; empty when it changes nothing, or is 0 everywhere.
[[nodiscard]] std::vector<double> hardening_of(const XtekctFile& file);

}  // namespace feldspar::io::nikon
