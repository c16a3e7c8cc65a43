// The similarity and the change of grey values that bring one smoothed volume nearest to another, from a
// start that is near already.
#pragma once

#include <vector>

#include "base/parallel.hpp"
#include "geometry/similarity.hpp"
#include "recon/registration/coarse.hpp"

namespace feldspar::recon::registration {

/// A fixed volume at the places that its object fills or comes near, and the moving one.
struct FitLevel {
  const CoarseVolume* moving = nullptr;  ///< not owned
  std::vector<geometry::Vec3> places;    ///< mm in the fixed volume's world
  std::vector<float> values;             ///< of the fixed volume there, 1/mm
  geometry::Vec3 centre;                 ///< mean of the places, weighted by the values
  double reach = 0;                      ///< mm, their root mean square distance from it
};

/// At most about `most` places of `fixed`, spread evenly, where it or a neighbour two voxels away is above
/// `share` of its brightest. Throws Error(usage) when there are none.
[[nodiscard]] FitLevel make_level(const CoarseVolume& fixed, const CoarseVolume& moving, std::size_t most,
                                  double share = 0.05);

/// How the moving volume lies in the fixed one, and how well it fits there.
struct Fit {
  geometry::Similarity to_moving;  ///< takes the fixed volume's points to the moving one's
  double gain = 1, offset = 0;     ///< fixed = gain * moving + offset
  double correlation = -1;         ///< of the values at the places that both have; -1 when those are too few
  double overlap = 0;              ///< share of the places that the moving volume has
  double scale_error = 0;          ///< one standard deviation, from the spread of eight independent parts
  double turn_error = 0;           ///< radians, of the turn about z
  double shift_error = 0;          ///< mm, of the object's centre
};

/// Of a guess that is not improved.
[[nodiscard]] Fit evaluate(const FitLevel& level, const geometry::Similarity& to_moving, ThreadPool& pool);

/// Least squares with Huber's weights by Gauss and Newton. What the images do not determine stays as it is
/// in `start`. `rigid` keeps its scale.
[[nodiscard]] Fit refine(const FitLevel& level, const geometry::Similarity& start, bool rigid,
                         ThreadPool& pool);

}  // namespace feldspar::recon::registration
