// Where one volume lies in another: a search over all turns about z in coarse copies, then finer and finer.
#pragma once

#include <optional>

#include "base/findings.hpp"
#include "base/parallel.hpp"
#include "geometry/similarity.hpp"
#include "recon/registration/coarse.hpp"

namespace feldspar::recon::registration {

/// What may differ between the volumes.
struct AlignOptions {
  bool rigid = false;    ///< no scale
  bool densest = false;  ///< by what is above half of the brightest, as a can whose contents have moved
  std::optional<geometry::Similarity> start = {};  ///< of the second volume in the first; none: searched
};

/// How the second volume lies in the first.
struct Alignment {
  geometry::Similarity transform;  ///< takes the second volume's points to the first's
  double scale_error = 0;          ///< one standard deviation each, as far as the images say; what differs
  double turn_error = 0;           ///< between the objects is beyond them. Radians about z,
  double shift_error = 0;          ///< mm
  double gain = 1, offset = 0;     ///< first = gain * second + offset, 1/mm
  double correlation = 0;          ///< of the averaged and smoothed values in and around the object
  double overlap = 0;              ///< share of the first's object that the second shows
  double voxel = 0;                ///< mm, of the finest copies
  Findings findings;               ///< where the answer is not sure
};

/// From copies that are averaged so far that they are quick to work with (averaged()); smooths them. Throws
/// Error(usage) when the volumes do not overlap or nothing in them is alike.
[[nodiscard]] Alignment align(CoarseVolume first, CoarseVolume second, const AlignOptions& options,
                              ThreadPool& pool);

}  // namespace feldspar::recon::registration
