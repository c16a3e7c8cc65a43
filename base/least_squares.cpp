#include "base/least_squares.hpp"

#include <cmath>

#include "base/error.hpp"

namespace feldspar {

LeastSquares::LeastSquares(int unknowns)
    : n_(static_cast<std::size_t>(unknowns)), matrix_(n_ * n_), right_(n_) {}

void LeastSquares::add(std::span<const double> row, double target, double weight) {
  expects(row.size() == n_, "an observation has another number of columns than there are unknowns");
  for (std::size_t i = 0; i < n_; ++i) {
    right_[i] += weight * row[i] * target;
    for (std::size_t j = 0; j <= i; ++j) matrix_[i * n_ + j] += weight * row[i] * row[j];
  }
}

void LeastSquares::add(const LeastSquares& other) {
  expects(other.n_ == n_, "equations of different sizes cannot be added");
  for (std::size_t i = 0; i < matrix_.size(); ++i) matrix_[i] += other.matrix_[i];
  for (std::size_t i = 0; i < n_; ++i) right_[i] += other.right_[i];
}

std::vector<double> LeastSquares::solve() const {
  constexpr double smallest_pivot = 1e-12;  // of 1: below, rounding of the sums decides
  std::vector<double> scale(n_), factor(n_ * n_), a(n_);
  for (std::size_t i = 0; i < n_; ++i) {
    if (!(matrix_[i * n_ + i] > 0)) return {};
    scale[i] = 1 / std::sqrt(matrix_[i * n_ + i]);
  }
  for (std::size_t i = 0; i < n_; ++i) {
    a[i] = right_[i] * scale[i];
    for (std::size_t j = 0; j <= i; ++j) {
      double rest = matrix_[i * n_ + j] * scale[i] * scale[j];
      for (std::size_t k = 0; k < j; ++k) rest -= factor[i * n_ + k] * factor[j * n_ + k];
      if (i == j && !(rest > smallest_pivot)) return {};
      factor[i * n_ + j] = i == j ? std::sqrt(rest) : rest / factor[j * n_ + j];
    }
    for (std::size_t k = 0; k < i; ++k) a[i] -= factor[i * n_ + k] * a[k];
    a[i] /= factor[i * n_ + i];
  }
  for (std::size_t i = n_; i-- > 0;) {
    for (std::size_t k = i + 1; k < n_; ++k) a[i] -= factor[k * n_ + i] * a[k];
    a[i] /= factor[i * n_ + i];
  }
  for (std::size_t i = 0; i < n_; ++i) a[i] *= scale[i];
  return a;
}

}  // namespace feldspar
