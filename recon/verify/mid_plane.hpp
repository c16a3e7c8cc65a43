// One row of all projections, as measured and as the finished volume would cast it.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "recon/fdk/fdk.hpp"

namespace feldspar::recon {

/// A finished volume that is read piece by piece: slices [z, z+nz) whole.
struct FinishedVolume {
  geometry::VolumeGrid grid;                         ///< where its voxels are
  std::function<Array3<float>(int z, int nz)> read;  ///< 1/mm
  double quantum = 0;  ///< 1/mm between the values that it can store; 0 for floating point
  double lowest = -INFINITY, highest = INFINITY;  ///< that it can store; what lay beyond was clipped

  std::vector<std::string> layer_hashes = {};  ///< of its slices when they were written; none where not known
  /// read() that also tells what the hashes are now.
  std::function<Array3<float>(int z, int nz, std::vector<std::string>& hashes)> read_hashed = {};

  /// It cannot store what lies about 0 on both sides.
  [[nodiscard]] bool clips_air() const { return lowest >= 0; }
};

/// Bytes of a slice in memory.
[[nodiscard]] inline std::size_t slice_bytes(const geometry::VolumeGrid& grid) {
  return sizeof(float) * static_cast<std::size_t>(grid.nx) * static_cast<std::size_t>(grid.ny);
}

/// How many slices are read at one time, as one look at the volume needs them: a few, or one.
[[nodiscard]] int slices_at_once(const geometry::VolumeGrid& grid);

/// The rays of all views through the points of the axis at one height: views x columns.
struct Sinogram {
  int columns = 0;                         ///< of a row
  double height = 0;                       ///< mm on the axis
  geometry::Range trusted;                 ///< columns that were measured in every view
  bool resampled = false;                  ///< neighbouring columns share pixels, and their noise
  std::vector<geometry::View> views = {};  ///< whose row 0 is the sinogram's
  std::vector<float> values = {};          ///< line integrals, columns fastest

  /// Number of views.
  [[nodiscard]] int count() const { return static_cast<int>(views.size()); }
  /// The columns of a view.
  [[nodiscard]] const float* row(int view) const {
    return values.data() + static_cast<std::ptrdiff_t>(view) * columns;
  }
  /// The same, to be changed.
  [[nodiscard]] float* row(int view) { return values.data() + static_cast<std::ptrdiff_t>(view) * columns; }
};

/// Groups of `together` neighbouring columns of a sinogram, `stride` from group to group: of every view as
/// many rows as a group has columns, the g-th with the g-th column of every group.
struct ColumnGroups {
  int first = 0;     ///< column of the first
  int together = 1;  ///< columns of a group
  int stride = 1;    ///< columns from group to group

  /// Column of the sinogram.
  [[nodiscard]] int column(int group, int within) const { return first + group * stride + within; }
};
/// Those columns of `all`, none beyond what is trusted.
[[nodiscard]] Sinogram take(const Sinogram& all, const ColumnGroups& groups);

/// Line integrals at `height`, or as near to it as every view sees, interpolated between two detector rows.
/// Of every `every`-th sixteen views where that is above 1.
[[nodiscard]] Sinogram measure_sinogram(const FdkJob& job, double height, const Resources& resources,
                                        int every = 1);

/// True of heights at which all views see the axis, no ray leaves `grid` above or below, and what the rays
/// meet within `radius` of the axis is seen by every view.
[[nodiscard]] bool can_be_cast(const FdkSetup& setup, const geometry::VolumeGrid& grid, double height,
                               double radius);

/// mm at the axis that a column spans.
[[nodiscard]] double column_at_axis(const Sinogram& sinogram);

/// What `volume` casts along the rays of `like`. Reads only the slices that they can meet, a few at a time.
[[nodiscard]] Sinogram cast(const FinishedVolume& volume, const Sinogram& like, const Resources& resources);

/// Bytes of measure_sinogram() with one thread, beside the sinograms.
[[nodiscard]] std::size_t measuring_bytes(const FdkJob& job);
/// Bytes of cast(), beside the sinograms.
[[nodiscard]] std::size_t casting_bytes(const FdkSetup& setup, const geometry::VolumeGrid& grid);

/// The lengths in mm of the rays of `like` within `grid`. All 0 when rays leave the grid above or below.
[[nodiscard]] Sinogram lengths_within(const geometry::VolumeGrid& grid, const Sinogram& like);

/// How many columns at either end are looked at for air.
[[nodiscard]] int edge_columns(const Sinogram& sinogram);

/// True when the rows end beside the object, in air.
[[nodiscard]] bool is_whole(const Sinogram& sinogram);

/// The standard deviation of the noise of a line integral, from the second differences of its neighbours
/// along the columns and from view to view, whichever says less. Structure counts as noise, never the other
/// way round.
[[nodiscard]] double noise_of(const Sinogram& sinogram);

/// The value that half of the values lie below; 0 of none.
[[nodiscard]] double median(std::vector<double> values);

}  // namespace feldspar::recon
