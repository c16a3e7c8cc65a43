// Bremsstrahlung by Kramers, tungsten's K lines, filters and scintillator.
#include "simulate/spectrum.hpp"

#include <fmt/format.h>
#include <xraylib/xraylib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::simulate {
namespace {

const Substance tungsten{"W", 19.3}, aluminium{"Al", 2.70}, scintillator{"CsI", 4.51};
constexpr double way_out_mm = 0.004, window_mm = 0.5, scintillator_mm = 0.6;
constexpr double k_edge_kev = 69.525;

struct Line {
  double kev, share;  ///< of the K lines' photons
};
constexpr std::array<Line, 4> k_lines{{{57.98, .288}, {59.32, .500}, {67.24, .163}, {69.10, .049}}};

/// Photons per keV of the bare anode, in any unit: Kramers' (E0 - E) / E.
double continuum(double kev, double voltage_kv) { return std::max(0.0, voltage_kv - kev) / kev; }

/// Photons in all K lines, in the unit of continuum() times keV. Lines and continuum both grow with the
/// 1.63rd and about the 1st to 2nd power of the voltage; the ratio is set at 150 kV.
double line_photons(double voltage_kv) {
  if (voltage_kv <= k_edge_kev) return 0;
  constexpr double reference_kv = 150, share = 0.13, lowest_kev = 15;
  const double all = reference_kv * std::log(reference_kv / lowest_kev) - (reference_kv - lowest_kev);
  return share / (1 - share) * all *
         std::pow((voltage_kv / k_edge_kev - 1) / (reference_kv / k_edge_kev - 1), 1.63);
}

/// Of photons that leave the anode's depth, the share that is absorbed in the scintillator.
double detected_share(const TubeBeam& beam, double kev) {
  double exponent = attenuation(tungsten, kev) * way_out_mm + attenuation(aluminium, kev) * window_mm;
  for (const BeamFilter& filter : beam.filters)
    exponent += attenuation(filter.substance, kev) * filter.thickness;
  return std::exp(-exponent) * -std::expm1(-attenuation(scintillator, kev) * scintillator_mm);
}

/// Detected photons by bin.
std::vector<double> detected_photons_of(const TubeBeam& beam, const std::vector<double>& kev, double width) {
  std::vector<double> photons;
  photons.reserve(kev.size());
  for (const double e : kev)
    photons.push_back(continuum(e, beam.voltage_kv) * width * detected_share(beam, e));
  const double in_lines = line_photons(beam.voltage_kv);
  for (const Line& line : k_lines) {
    const auto bin = static_cast<std::size_t>((line.kev - (kev.front() - 0.5 * width)) / width);
    if (bin < photons.size()) photons[bin] += in_lines * line.share * detected_share(beam, line.kev);
  }
  return photons;
}

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

struct Bins {
  std::vector<double> kev;
  double width = 0;
};

Bins bins_below(double voltage_kv, int count) {
  constexpr double lowest_kev = 10;  // 0.5 mm of aluminium leave a thousandth of what is below
  Bins bins{.kev = std::vector<double>(static_cast<std::size_t>(count)),
            .width = (voltage_kv - lowest_kev) / count};
  for (int n = 0; n < count; ++n) bins.kev[static_cast<std::size_t>(n)] = lowest_kev + (n + 0.5) * bins.width;
  return bins;
}

BeamFilter parse_filter(const std::string& part) {
  const auto unit = part.find("mm");
  BeamFilter filter;
  if (unit == std::string::npos || !parse_number(part.substr(0, unit), filter.thickness) ||
      filter.thickness <= 0)
    throw Error(
        ErrorKind::usage,
        fmt::format("the beam's filter is '{}'; write a thickness in mm and an element, like 1mmCu", part));
  const std::string symbol = part.substr(unit + 2);
  const int z = SymbolToAtomicNumber(symbol.c_str(), nullptr);
  const double density = z > 0 ? ElementDensity(z, nullptr) : 0;
  if (density <= 0)
    throw Error(
        ErrorKind::usage,
        fmt::format("the beam's filter '{}' is of no known element; write its symbol, like Cu, Al or Sn",
                    part));
  filter.substance = {symbol, density};
  return filter;
}

}  // namespace

Spectrum detected_spectrum(const TubeBeam& beam, int count) {
  expects(count >= 1, "a spectrum needs at least one bin", ErrorKind::usage);
  if (!(beam.voltage_kv >= 20 && beam.voltage_kv <= 450))
    throw Error(ErrorKind::usage,
                fmt::format("a tube of {} kV is not between 20 and 450 kV", beam.voltage_kv));
  const auto [kev, width] = bins_below(beam.voltage_kv, count);
  const std::vector<double> photons = detected_photons_of(beam, kev, width);
  const TubeBeam reference;
  const Bins reference_bins = bins_below(reference.voltage_kv, count);
  Spectrum made{.kev = kev, .weights = photons, .photons = 0};
  made.photons = sum(photons) / sum(detected_photons_of(reference, reference_bins.kev, reference_bins.width));
  if (!(made.photons > 1e-9))
    throw Error(ErrorKind::usage, fmt::format("the filters let nothing of {} kV through; choose thinner ones",
                                              beam.voltage_kv));
  for (std::size_t n = 0; n < kev.size(); ++n) made.weights[n] *= kev[n];
  const double signal = sum(made.weights);
  for (double& weight : made.weights) weight /= signal;
  return made;
}

TubeBeam parse_beam(std::string_view text) {
  TubeBeam beam;
  const std::string all(text);
  std::size_t comma = all.find(',');
  const std::string voltage = all.substr(0, comma);
  if (!voltage.ends_with("kV") ||
      !parse_number(std::string_view(voltage).substr(0, voltage.size() - 2), beam.voltage_kv))
    throw Error(ErrorKind::usage,
                fmt::format("the spectrum is '{}'; write the tube's voltage and its filters, like 205kV or "
                            "205kV,1mmCu",
                            text));
  while (comma != std::string::npos) {
    const std::size_t next = all.find(',', comma + 1);
    beam.filters.push_back(parse_filter(all.substr(comma + 1, next - comma - 1)));
    comma = next;
  }
  return beam;
}

double transmission_through(const Spectrum& spectrum, const Substance& substance, double thickness) {
  double through = 0;
  for (std::size_t n = 0; n < spectrum.kev.size(); ++n)
    through += spectrum.weights[n] * std::exp(-thickness * attenuation(substance, spectrum.kev[n]));
  return through;
}

}  // namespace feldspar::simulate
