// Two volumes on the voxels of the first: how they lie to each other, how they differ, and where.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/parallel.hpp"
#include "base/progress.hpp"
#include "cli/report/picture.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/registration/align.hpp"

namespace feldspar::cli {

/// Planes xy, xz and yz through one place, of both volumes on the first's voxels, in 1/mm.
struct PlanePair {
  geometry::Vec3 at;  ///< mm, in the first volume
  std::vector<Plane> first, second;
};

/// Shares of the voxels, in steps of `step` from `lowest` 1/mm.
struct Histograms {
  double lowest = 0, step = 1;
  std::vector<double> first, second;
};

struct Comparison {
  recon::registration::Alignment alignment;  ///< its errors are 0 when it was given
  std::uint64_t voxels = 0;                  ///< that both volumes have
  double mean_difference = 0;                ///< second less first, 1/mm
  double rms_difference = 0;
  double correlation = 0;
  /// Where averages over `spot_size` mm differ most.
  geometry::Vec3 spot;
  double spot_size = 0;
  double spot_difference = 0;
  Histograms histograms;
  std::array<PlanePair, 2> planes;  ///< through the chosen place, and through the spot
};

struct CompareOptions {
  recon::registration::AlignOptions align;
  std::optional<geometry::Similarity> transform;  ///< of the second volume in the first; none: found
  std::optional<geometry::Vec3> at;               ///< mm; the middle of the first volume unless given
};

/// Bytes that comparing volumes of these grids takes at most.
[[nodiscard]] std::size_t comparison_bytes(const geometry::VolumeGrid& first,
                                           const geometry::VolumeGrid& second);

/// Looks at both volumes, then reads the parts of them with an object twice, some slices at a time. Only that
/// part of the first is compared. Throws what align() throws.
[[nodiscard]] Comparison compare(const io::VolumeReader& first, const io::VolumeReader& second,
                                 const CompareOptions& options, ThreadPool& pool, Progress& progress);

}  // namespace feldspar::cli
