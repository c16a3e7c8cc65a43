// How sharp small slices are about a supposed rotation axis: the axis, and the conventions, that reconstruct
// the sharpest slices are the right ones.
#pragma once

#include <span>
#include <vector>

#include "geometry/volume_grid.hpp"
#include "io/scan_source.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {

/// A slice of the object about one axis.
struct TrialSlice {
  double offset = 0;          ///< of the axis, mm, as RotationAxis::offset
  double sharpness = 0;       ///< mean fourth power of the gradient, per mm^8
  std::vector<float> values;  ///< 1/mm, x fastest; empty where they were not to be kept
};

/// One height, reconstructed about several axes.
struct SliceTrials {
  geometry::VolumeGrid grid;       ///< one slice high
  std::vector<TrialSlice> trials;  ///< in ascending order of the offset
  double best = 0;                 ///< offset of the peak, mm; between trials
  double contrast = 0;             ///< peak over the lowest sharpness, minus 1
  bool peaked = false;             ///< the peak lies within the trials and stands out
};

/// The axis that makes slices sharpest.
struct SharpnessEstimate {
  geometry::RotationAxis axis;      ///< the one it began with, moved to where the slices are sharpest
  double offset_uncertainty = 0;    ///< from the slices' scatter, mm; at least a twentieth of a pixel
  bool known = false;               ///< some slice has a peak
  bool roll_known = false;          ///< all three have, far enough apart
  std::vector<SliceTrials> slices;  ///< lowest first; the middle one has every trial
};

constexpr int most_across = 384;  ///< voxels along a side of a trial slice

/// Up to three small grids of one slice in the object: below, at and above its middle. One when the detector
/// has too few rows. `most` voxels across.
[[nodiscard]] std::vector<geometry::VolumeGrid> small_slices(const io::ScanSource& source,
                                                             const geometry::CircularScan& scan,
                                                             std::span<const int> views,
                                                             const Resources& resources,
                                                             int most = most_across);

/// The slice with the geometry of `scan`. Of many views every n-th is used. Throws what FDK throws.
[[nodiscard]] TrialSlice try_slice(const io::ScanSource& source, const geometry::CircularScan& scan,
                                   std::span<const int> views, const geometry::VolumeGrid& grid,
                                   const Resources& resources);

constexpr int everywhere_columns = 24, nearby_columns = 3;  ///< from where the search begins, to both sides

/// How the axis is looked for.
struct SharpnessSearch {
  int reach = everywhere_columns;  ///< columns to both sides
  bool keep_slices = true;         ///< the voxels of all trials
};

/// Looks for the axis in the middle slice, `reach` columns to both sides of that of `scan` and further while
/// sharpness rises, then between columns; then near there in the other slices. Lesser peaks are common, so a
/// start that nothing vouches for needs the long reach; a scan of less than a full turn gets the short one.
/// The fourth power is chosen because the energy of half a turn's slice does not depend on the axis at all,
/// and noise adds the same to all trials.
[[nodiscard]] SharpnessEstimate sharpen_centre(const io::ScanSource& source,
                                               const geometry::CircularScan& scan, std::span<const int> views,
                                               const Resources& resources, SharpnessSearch how = {});

/// Bytes that it takes at least, with as small slabs as there are.
[[nodiscard]] std::size_t sharpness_bytes(const io::ScanSource& source, const geometry::CircularScan& scan,
                                          std::span<const int> views, const Resources& resources,
                                          const SharpnessSearch& how = {});

}  // namespace feldspar::recon
