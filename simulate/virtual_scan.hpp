// Images of an object by an instrument: line integrals, and the share of the beam that arrives.
#pragma once

#include "base/parallel.hpp"
#include "base/view3.hpp"
#include "geometry/scan.hpp"
#include "simulate/illumination.hpp"
#include "simulate/object.hpp"

namespace feldspar::simulate {

/// How finely one view is sampled.
struct Sampling {
  int rays = 1;        ///< a pixel, along each side: rays x rays in all, evenly spaced
  int sub_angles = 1;  ///< a view, evenly spaced over `sweep`
  double sweep = 0;    ///< radians the object turns during the exposure; 0 when it stands
};

/// Line integrals along the rays from the source to the pixel centres of view `view`, exact to the rounding
/// of float: columns x rows, column 0 leftmost seen from the source, row 0 lowest.
void line_integrals(const Object& object, const geometry::CircularScan& scan, int view, View3<float> image,
                    ThreadPool& pool);

/// The share of the beam that reaches each pixel: the mean over rays and sub-angles, to 1e-6 of itself.
void transmission(const Illumination& illumination, const geometry::CircularScan& scan, int view,
                  const Sampling& sampling, View3<float> image, ThreadPool& pool);

}  // namespace feldspar::simulate
