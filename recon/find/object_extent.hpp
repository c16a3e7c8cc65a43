// Where the object is, from a few projections: the box that a volume of it needs.
#pragma once

#include <optional>
#include <span>

#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"
#include "io/scan_source.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {

/// A box along the world's axes, in mm.
struct Box {
  geometry::Vec3 lowest, highest;  ///< opposite corners
};

constexpr int extent_views = 24;  ///< that the object is looked for in, where there are so many

/// The box around all that casts a shadow in up to `count` of the given views, spread evenly, cut to what the
/// views see: a coarse visual hull, widened by 8 voxels of the default grid. `scan` is the source's, with the
/// axis that the reconstruction uses. Nothing when no view sees anything. Throws what the source throws.
[[nodiscard]] std::optional<Box> find_object(const io::ScanSource& source, const geometry::CircularScan& scan,
                                             std::span<const int> view_indices, const Resources& resources,
                                             int count = extent_views);

/// Bytes that it takes at most.
[[nodiscard]] std::size_t find_object_bytes(const io::ScanSource& source);

/// The voxels of `grid` within `box`, at the same places, and at least one of them.
[[nodiscard]] geometry::VolumeGrid cut_to(const geometry::VolumeGrid& grid, const Box& box);

}  // namespace feldspar::recon
