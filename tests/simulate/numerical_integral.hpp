// Line integrals the slow way: attenuation_at() summed in small steps.
#pragma once

#include <cmath>

#include "simulate/object.hpp"

namespace feldspar::testing {

inline double numerical_integral(const simulate::Object& object, geometry::Vec3 from, geometry::Vec3 to,
                                 int steps) {
  double sum = 0;
  for (int n = 0; n < steps; ++n) sum += object.attenuation_at(from + ((n + 0.5) / steps) * (to - from));
  return sum * norm(to - from) / steps;
}

/// Five standard deviations of the sum above: every surface crossed shifts by a uniform fraction of a step,
/// so its jump adds an error of variance (step jump)^2 / 12.
inline double numerical_error(double length, int steps, int crossings, double jump) {
  return 5 * length / steps * jump * std::sqrt(crossings / 12.0);
}

}  // namespace feldspar::testing
