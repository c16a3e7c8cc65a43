// Where the object's centre of mass goes from view to view of a parallel beam.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "recon/verify/data_checks.hpp"

namespace feldspar::recon {
namespace {

using geometry::Vec3;

constexpr int fewest_views = 24;
constexpr double least_turn = 2.5;  // radians of half a turn: less lets a circle pass for a shift

/// The column of the mean of a view's attenuation above the line between the air at its two ends; NaN where
/// it has none.
double mean_column(const Sinogram& s, int view) {
  const int margin = edge_columns(s), first = s.trusted.first, end = s.trusted.end;
  const float* const p = s.row(view);
  double left = 0, right = 0;
  for (int i = 0; i < margin; ++i) left += p[first + i], right += p[end - 1 - i];
  left /= margin, right /= margin;
  double sum = 0, moment = 0;
  for (int i = first; i < end; ++i) {
    const double share = (i - first - 0.5 * (margin - 1)) / (end - first - margin);
    const double value = p[i] - left - share * (right - left);
    sum += value, moment += value * i;
  }
  return sum > 0 ? moment / sum : NAN;
}

/// Solves the symmetric 3 x 3 system `m` x = `b`, and gives element (2, 2) of the inverse.
bool solve(const double m[3][3], const double b[3], double x[3], double& inverse22) {
  const auto minor = [&](int r, int c) {
    const int r0 = (r + 1) % 3, r1 = (r + 2) % 3, c0 = (c + 1) % 3, c1 = (c + 2) % 3;
    return m[r0][c0] * m[r1][c1] - m[r0][c1] * m[r1][c0];
  };
  const double determinant = m[0][0] * minor(0, 0) + m[0][1] * minor(0, 1) + m[0][2] * minor(0, 2);
  if (!(determinant > 1e-6 * m[0][0] * m[1][1] * m[2][2])) return false;
  for (int i = 0; i < 3; ++i)
    x[i] = (minor(0, i) * b[0] + minor(1, i) * b[1] + minor(2, i) * b[2]) / determinant;
  inverse22 = minor(2, 2) / determinant;
  return true;
}

}  // namespace

CentreOfMass follow_centre_of_mass(const Sinogram& s) {
  CentreOfMass result;
  if (s.count() < fewest_views || !s.views.front().is_parallel() || !is_whole(s)) return result;
  double m[3][3] = {}, b[3] = {}, squares = 0, count = 0, lowest = INFINITY, highest = -INFINITY;
  const double start = std::atan2(s.views.front().direction.y, s.views.front().direction.x);
  double last = start;
  for (int n = 0; n < s.count(); ++n) {
    const geometry::View& view = s.views[static_cast<std::size_t>(n)];
    const double column = mean_column(s, n);
    if (!std::isfinite(column)) return result;
    const Vec3& d = view.direction;
    const double step = std::remainder(std::atan2(d.y, d.x) - last, 2 * std::numbers::pi);
    last += step, lowest = std::min(lowest, last), highest = std::max(highest, last);
    const double off = column - project(view, {0, 0, s.height}).column, model[3] = {-d.y, d.x, 1};
    for (int i = 0; i < 3; ++i) {
      b[i] += model[i] * off;
      for (int j = 0; j < 3; ++j) m[i][j] += model[i] * model[j];
    }
    squares += off * off, count += 1;
  }
  double x[3] = {}, inverse = 0;
  if (highest - lowest < least_turn || !solve(m, b, x, inverse)) return result;
  const double left = std::max(0.0, squares - x[0] * b[0] - x[1] * b[1] - x[2] * b[2]);
  // What is left moves slowly from view to view: as few as a tenth of the views count.
  result.shift = x[2], result.shift_error = std::sqrt(10 * left / count * inverse);
  return result;
}

}  // namespace feldspar::recon
