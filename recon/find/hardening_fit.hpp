// Which polynomial of the line integrals makes the uniform part of a slice uniform, from slices alone.
//
// Kachelriess, Sourbelle and Kalender (2006), empirical cupping correction: reconstruction is linear, so the
// slice of sum c_n p^n is the sum of c_n times the slices of p^n, and c is found by least squares against a
// template: nothing in the air, one level in the object.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace feldspar::recon {

/// Slices of p, p^2, p^3 ... of the same places, each `columns` x `rows` x any number of slices. Voxels of
/// `computed` 0 are left out.
struct PowerSlices {
  int columns = 0, rows = 0;                 ///< of a slice
  std::vector<std::vector<float>> powers{};  ///< of p, p^2, ..., 1/mm
  std::vector<char> computed{};              ///< of columns x rows, alike in all slices
};

/// The polynomial, and how even it makes the object.
struct HardeningFit {
  std::vector<double> coefficients{};  ///< of p, p^2, ...; empty when none was found
  double unevenness_before = 0;        ///< standard deviation over mean of the part that was taken as uniform
  double unevenness_after = 0;         ///< the same with the polynomial
  std::string reason{};                ///< why none was found
};

/// The object's uniform part is what lies around the median of what stands out from the air, away from edges;
/// parts much denser or lighter take no part. `reference` and `highest` are line integrals: the polynomial
/// gives `reference` for itself, which keeps the slices' level, and rises from 0 to `highest`. Where the
/// highest power does not, it is left out.
[[nodiscard]] HardeningFit fit_hardening(const PowerSlices& slices, double reference, double highest);

/// Sum of coefficients[n] * p^(n + 1).
[[nodiscard]] double polynomial_at(std::span<const double> coefficients, double p);

/// True when the polynomial rises from 0 all the way to `highest`.
[[nodiscard]] bool rises(std::span<const double> coefficients, double highest);

}  // namespace feldspar::recon
