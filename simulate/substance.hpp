// What objects are made of, and how it attenuates X-rays of any energy (xraylib's tables).
#pragma once

#include <string>
#include <vector>

namespace feldspar::simulate {

struct Substance {
  std::string formula;  ///< as xraylib's parser reads it: "Fe", "CsI", "C2H4"; proportions may be fractions
  double density = 0;   ///< g/cm3; 0 for nothing at all
};

/// 1/mm, of a narrow beam: photo-absorption and all scattering. Throws Error(usage) for a formula that is
/// none, and for energies outside 1 to 800 keV.
[[nodiscard]] double attenuation(const Substance& substance, double kev);

}  // namespace feldspar::simulate
