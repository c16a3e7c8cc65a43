// Open beams that were taken at several times of a scan, and the views between them.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "io/reference_frames.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io {

/// The mean of flats that were taken without views between them.
struct FlatGroup {
  double views_before = 0;    ///< how many views had been taken
  std::vector<float> counts;  ///< columns x rows, in the orientation of ScanSource::read
  int flats = 1;              ///< that the mean was made of
};

/// True when that many groups of that many pixels may be kept in memory, 512 MiB in all.
[[nodiscard]] bool may_keep_flats(std::size_t groups, std::size_t pixels);

/// The mean of all flats of all groups.
[[nodiscard]] std::vector<float> mean_of_flats(const std::vector<FlatGroup>& groups);

/// The mean of `frames`, in groups by how many views had been taken before them. Two groups or more are kept
/// in `kept`, for with_flats_in_time. Findings and errors as means_of.
[[nodiscard]] std::vector<float> mean_of_groups(const ReferenceFrames& frames,
                                                const std::map<int, std::vector<int>>& groups,
                                                std::vector<FlatGroup>& kept, Findings& findings);

/// `source` with the counts that each view would have had under the source's white reference, which is the
/// same for all views: (count - dark) * (white - dark) / (open beam at the view - dark) + dark. The open beam
/// runs straight from group to group, view by view, and stands still before the first and after the last.
/// Counts at the detector's saturation stay there, and others below it. How far the groups differ is a
/// finding. `groups` are two or more, in the order in which they were taken, the views in that of their
/// indices.
[[nodiscard]] std::unique_ptr<ScanSource> with_flats_in_time(std::unique_ptr<ScanSource> source,
                                                             std::vector<FlatGroup> groups);

}  // namespace feldspar::io
