// What an X-ray tube sends through its filters and a scintillator turns into signal, energy by energy.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simulate/substance.hpp"

namespace feldspar::simulate {

/// A sheet in the beam before the object.
struct BeamFilter {
  Substance substance;
  double thickness = 0;  ///< mm
};

/// A tungsten reflection tube and a CsI scintillator of 0.6 mm.
struct TubeBeam {
  double voltage_kv = 205;
  std::vector<BeamFilter> filters{};  ///< beyond the tube's own 0.5 mm of aluminium
};

/// Signal by energy; the weights sum to 1.
struct Spectrum {
  std::vector<double> kev;      ///< rising
  std::vector<double> weights;  ///< share of the open beam's signal
  double photons = 1;           ///< detected in the open beam, relative to 205 kV without filters
};

/// Kramers' continuum, absorbed in 4 um of tungsten on its way out of the anode, with tungsten's K lines
/// above 69.5 kV (Green and Cosslett's 1.63rd power of the overvoltage; 0.13 of all photons at 150 kV),
/// behind the filters. The signal is the energy absorbed in the scintillator, fluorescence included.
/// Energies lie in `bins` bins of equal width below the voltage; lines fall into theirs. Throws Error(usage)
/// for voltages outside 20 to 450 kV and filters that let nothing through.
[[nodiscard]] Spectrum detected_spectrum(const TubeBeam& beam, int bins = 40);

/// Reads "205kV", "160kV,1mmCu" or "120kV,0.5mmAl,0.1mmSn". Filters are elements at their usual density.
/// Throws Error(usage).
[[nodiscard]] TubeBeam parse_beam(std::string_view text);

/// Signal-weighted mean of the transmission through `thickness` mm of `substance`.
[[nodiscard]] double transmission_through(const Spectrum& spectrum, const Substance& substance,
                                          double thickness);

}  // namespace feldspar::simulate
