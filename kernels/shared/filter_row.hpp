// The row filter of one team of threads: two real rows are the real and imaginary parts of one complex row,
// which is weighted, transformed, multiplied by the ramp's real response and transformed back, all in the
// memory that the team shares. The response is real and even, so the pair never has to be told apart.
#pragma once

#include <cstddef>

#include "kernels/shared/pixel_weight.hpp"
#include "kernels/shared/row_transform.hpp"

namespace feldspar::kernels {

/// All rows of a block of projections, in pairs (2n, 2n + 1) within a view; the last of an odd number is
/// paired with zeros. `length` is at least twice the columns.
struct RowFilter {
  float* projections;
  int columns;
  int rows;
  int length;
  const PixelWeight* weights;   ///< one a view
  const float* column_weights;  ///< columns x views, or null
  const float* response;        ///< `length` values as frequency_at() orders them, with the factor 1 / length
  const Complex* turns;         ///< of the transform

  FELDSPAR_HOST_DEVICE int pairs_of_a_view() const { return (rows + 1) / 2; }

  /// Filters one pair in `row`, memory for `length` elements. `team(count, step)` calls step(n) for all
  /// n < count, in any order, and returns when all are done.
  template <class Team>
  FELDSPAR_HOST_DEVICE void operator()(int pair, Complex* row, const Team& team) const {
    const int view = pair / pairs_of_a_view(), first_row = 2 * (pair - view * pairs_of_a_view());
    const RowTransform transform{row, turns, length};
    const int steps = length / 4;
    const bool in_fours = RowTransform::ends_in_fours(length);
    const int narrowest = in_fours ? 4 : 2;
    team(steps, [&](int n) { load(transform, view, first_row, n); });
    for (int quarter = steps / 4; quarter >= narrowest; quarter /= 4)
      team(steps, [&](int n) { transform.forward(quarter, n); });
    team(steps, [&](int n) { transform.middle(in_fours, response, n); });
    for (int quarter = narrowest; quarter < steps; quarter *= 4)
      team(steps, [&](int n) { transform.backward(quarter, n); });
    team(steps, [&](int n) { store(transform, view, first_row, n); });
  }

 private:
  FELDSPAR_HOST_DEVICE float* pixel(int view, int row, int column) const {
    return projections + (static_cast<std::ptrdiff_t>(view) * rows + row) * columns + column;
  }

  FELDSPAR_HOST_DEVICE Complex weighted(int view, int row, int column) const {
    if (column >= columns) return {0.0f, 0.0f};
    const float share =
        column_weights ? column_weights[static_cast<std::ptrdiff_t>(view) * columns + column] : 1.0f;
    const float first = *pixel(view, row, column) * weights[view].at(column, row) * share;
    if (row + 1 >= rows) return {first, 0.0f};
    return {first, *pixel(view, row + 1, column) * weights[view].at(column, row + 1) * share};
  }

  /// The first stage forward; the second half of the row is zero.
  FELDSPAR_HOST_DEVICE void load(const RowTransform& transform, int view, int row, int n) const {
    const int quarter = length / 4;
    const Complex a = weighted(view, row, n), b = weighted(view, row, n + quarter);
    const Complex turned = times_i(b);
    transform.put(n, quarter,
                  RowTransform::turned({a + b, a - turned, a - b, a + turned}, transform.turn(quarter, n)));
  }

  /// The last stage back; the second half of the row is not wanted.
  FELDSPAR_HOST_DEVICE void store(const RowTransform& transform, int view, int row, int n) const {
    const int quarter = length / 4;
    if (n >= columns) return;
    const Four x = RowTransform::turned(transform.get(n, quarter), conjugate(transform.turn(quarter, n)));
    keep(view, row, n, (x.a + x.c) + (x.b + x.d));
    if (n + quarter < columns) keep(view, row, n + quarter, (x.a - x.c) + times_i(x.b - x.d));
  }

  FELDSPAR_HOST_DEVICE void keep(int view, int row, int column, Complex value) const {
    *pixel(view, row, column) = value.re;
    if (row + 1 < rows) *pixel(view, row + 1, column) = value.im;
  }
};

}  // namespace feldspar::kernels
