// Radiation that the object scatters onto the detector.
#pragma once

#include "base/parallel.hpp"
#include "base/view3.hpp"
#include "geometry/scan.hpp"

namespace feldspar::simulate {

/// What is scattered once goes on forwards: coherently within about 2 degrees, by the Compton effect within
/// about 20, both Gaussian. A ray of transmission T and integral p = -ln T scatters T p once.
struct ScatterModel {
  double share = 0;            ///< of what is scattered once that goes on forwards
  double coherent_part = 0.3;  ///< of that
  double coherent_spread = 2;  ///< degrees, standard deviation
  double compton_spread = 20;
};

/// Adds the scatter of the object to `transmission` (columns x rows, share of the open beam). It varies so
/// slowly that it is computed on blocks of pixels, about 64 along the longer side, and interpolated. From the
/// axis it travels the rest of the way to the detector. Nothing scatters beside the detector's image.
void add_scatter(const ScatterModel& model, const geometry::CircularScan& scan, View3<float> transmission,
                 ThreadPool& pool);

}  // namespace feldspar::simulate
