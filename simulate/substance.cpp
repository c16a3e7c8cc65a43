// Mass attenuation coefficients by xraylib.
#include "simulate/substance.hpp"

#include <fmt/format.h>
#include <xraylib/xraylib.h>

#include "base/error.hpp"

namespace feldspar::simulate {

double attenuation(const Substance& substance, double kev) {
  if (substance.density == 0) return 0;
  if (!(substance.density > 0 && kev >= 1 && kev <= 800))
    throw Error(
        ErrorKind::usage,
        fmt::format("no attenuation is known of {} at {} g/cm3 for {} keV; densities are positive and "
                    "energies between 1 and 800 keV",
                    substance.formula, substance.density, kev));
  xrl_error* error = nullptr;
  const double per_mass = CS_Total_CP(substance.formula.c_str(), kev, &error);  // cm2/g
  if (error != nullptr) {
    const Error told(ErrorKind::usage,
                     fmt::format("'{}' is no chemical formula with known attenuation, like Cu or CsI: {}",
                                 substance.formula, error->message));
    xrl_error_free(error);
    throw told;
  }
  constexpr double per_mm = 0.1;
  return per_mm * substance.density * per_mass;
}

}  // namespace feldspar::simulate
