// Small linear least squares: the combination of a few columns that comes nearest to a target.
#pragma once

#include <span>
#include <vector>

namespace feldspar {

/// Normal equations of sum w (x . a - y)^2, one observation at a time; for a handful of unknowns.
class LeastSquares {
 public:
  /// No observations yet, of this number of unknowns.
  explicit LeastSquares(int unknowns);

  /// Adds weight * (row . a - target)^2. `row` has one value an unknown.
  void add(std::span<const double> row, double target, double weight = 1);
  /// Adds all observations of another of the same number of unknowns.
  void add(const LeastSquares& other);

  /// The a of least squares, by Cholesky's factors of the equations scaled to a diagonal of ones. Empty when
  /// the observations do not determine it.
  [[nodiscard]] std::vector<double> solve() const;

 private:
  std::size_t n_;
  std::vector<double> matrix_, right_;  ///< n x n row by row, of which the lower triangle is kept; n
};

}  // namespace feldspar
