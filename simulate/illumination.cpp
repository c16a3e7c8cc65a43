#include "simulate/illumination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/error.hpp"
#include "base/least_squares.hpp"

namespace feldspar::simulate {
namespace {

/// exp(x) within 2e-7 relative for x in [-87, 88], 0 below; without branches, so that loops of it vectorise.
/// 2^n times a polynomial in the rest (Cephes' expf).
inline float exponential(float x) {
  const float clamped = std::min(std::max(x, -87.0F), 88.0F);
  constexpr float shifter = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number in the low bits
  const float shifted = clamped * 1.44269504F + shifter;
  const float n = shifted - shifter;
  const float r = clamped - n * 0.693359375F + n * 2.12194440e-4F;
  float poly = 1.9875691500e-4F;
  poly = poly * r + 1.3981999507e-3F;
  poly = poly * r + 8.3334519073e-3F;
  poly = poly * r + 4.1665795894e-2F;
  poly = poly * r + 1.6666665459e-1F;
  poly = poly * r + 5.0000001201e-1F;
  const float power = std::bit_cast<float>((std::bit_cast<std::int32_t>(shifted) << 23) + 0x3F800000);
  return (poly * r * r + r + 1.0F) * power;
}

/// Energies below which 1/6, 1/2 and 5/6 of the signal lie: far enough apart to tell curves from another.
std::vector<double> node_energies(const Spectrum& spectrum, int count) {
  std::vector<double> nodes;
  double below = 0;
  for (std::size_t n = 0; n < spectrum.kev.size() && static_cast<int>(nodes.size()) < count; ++n) {
    below += spectrum.weights[n];
    while (static_cast<int>(nodes.size()) < count &&
           below >= (static_cast<double>(nodes.size()) + 0.5) / count)
      nodes.push_back(spectrum.kev[n] + 0.01 * static_cast<double>(nodes.size()));
  }
  return nodes;
}

std::vector<double> table_at(const std::vector<Substance>& substances, double kev) {
  std::vector<double> table;
  table.reserve(substances.size());
  for (const Substance& substance : substances) table.push_back(attenuation(substance, kev));
  return table;
}

/// How attenuations at one energy combine from those at the nodes.
std::vector<double> combination(const std::vector<std::vector<double>>& nodes,
                                const std::vector<double>& table) {
  LeastSquares fit(static_cast<int>(nodes.size()));
  std::vector<double> row(nodes.size());
  for (std::size_t m = 0; m < table.size(); ++m) {
    if (table[m] == 0) continue;
    for (std::size_t k = 0; k < nodes.size(); ++k) row[k] = nodes[k][m] / table[m];
    fit.add(row, 1);
  }
  return fit.solve();
}

/// Largest relative error over the materials.
double error_of(const std::vector<double>& shares, const std::vector<std::vector<double>>& nodes,
                const std::vector<double>& table) {
  double worst = 0;
  for (std::size_t m = 0; m < table.size(); ++m) {
    if (table[m] == 0) continue;
    double combined = 0;
    for (std::size_t k = 0; k < nodes.size(); ++k) combined += shares[k] * nodes[k][m];
    worst = std::max(worst, std::abs(combined / table[m] - 1));
  }
  return worst;
}

}  // namespace

Illumination monochromatic(std::shared_ptr<const Object> object) {
  return {.objects = {std::move(object)}, .bins = {{.weight = 1, .shares = {1}}}};
}

Illumination polychromatic(const Spectrum& spectrum, const Composition& composition) {
  constexpr double negligible = 1e-6, tolerance = 0.05, counts_from = 1e-3;
  const auto materials = std::count_if(composition.substances.begin(), composition.substances.end(),
                                       [](const Substance& substance) { return substance.density > 0; });
  const int count = static_cast<int>(std::clamp<std::ptrdiff_t>(materials, 1, most_integrals));
  Illumination made;
  std::vector<std::vector<double>> nodes;
  for (const double kev : node_energies(spectrum, count)) {
    nodes.push_back(table_at(composition.substances, kev));
    made.objects.push_back(composition.object(nodes.back()));
  }
  double kept = 0;
  for (std::size_t n = 0; n < spectrum.kev.size(); ++n) {
    if (spectrum.weights[n] < negligible) continue;
    const std::vector<double> table = table_at(composition.substances, spectrum.kev[n]);
    const std::vector<double> shares = combination(nodes, table);
    if (shares.empty() || (spectrum.weights[n] > counts_from && error_of(shares, nodes, table) > tolerance))
      throw Error(ErrorKind::usage,
                  fmt::format("attenuations at {:.0f} keV do not combine from those at {} other energies: a "
                              "material has an absorption edge among the beam's energies",
                              spectrum.kev[n], nodes.size()));
    Illumination::Bin bin{.weight = static_cast<float>(spectrum.weights[n])};
    std::transform(shares.begin(), shares.end(), bin.shares.begin(),
                   [](double share) { return static_cast<float>(share); });
    made.bins.push_back(bin);
    kept += spectrum.weights[n];
  }
  for (Illumination::Bin& bin : made.bins) bin.weight = static_cast<float>(bin.weight / kept);
  return made;
}

void arriving_shares(const Illumination& illumination, std::span<const float> integrals,
                     std::span<float> shares) {
  const std::size_t rays = shares.size(), objects = illumination.objects.size();
  expects(integrals.size() == rays * objects, "integrals and rays differ in number");
  std::fill(shares.begin(), shares.end(), 0.0F);
  const float* first = integrals.data();
  const float* second = objects > 1 ? first + rays : first;
  const float* third = objects > 2 ? second + rays : first;
  for (const auto& [weight, share] : illumination.bins) {
    const float a = -share[0], b = -share[1], c = -share[2];
    for (std::size_t ray = 0; ray < rays; ++ray)
      shares[ray] += weight * exponential(a * first[ray] + b * second[ray] + c * third[ray]);
  }
}

}  // namespace feldspar::simulate
