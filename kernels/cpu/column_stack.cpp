#include "kernels/cpu/column_stack.hpp"

#include <algorithm>
#include <cstring>

namespace feldspar::kernels::cpu {
namespace {

/// Zeros around a projection of that size.
void clear_around(int columns, int rows, const ColumnLayout& layout, float* out) {
  const int border = layout.border;
  const auto stride = static_cast<std::ptrdiff_t>(layout.stride());
  for (int column = -1; column <= columns; ++column) {
    float* to = out + (column + 1) * stride;
    const bool inside = column >= 0 && column < columns;
    std::memset(to, 0, sizeof(float) * static_cast<std::size_t>(inside ? border : stride));
    if (inside)
      std::memset(to + border + rows, 0, sizeof(float) * static_cast<std::size_t>(stride - border - rows));
  }
}

void transpose(View3<const float> projection, const ColumnLayout& layout, float* out) {
  constexpr int tile = 16;
  const int columns = projection.nx, rows = projection.ny;
  const auto stride = static_cast<std::ptrdiff_t>(layout.stride());
  clear_around(columns, rows, layout, out);
  for (int first_row = 0; first_row < rows; first_row += tile)
    for (int first_column = 0; first_column < columns; first_column += tile) {
      const int end_row = std::min(rows, first_row + tile),
                end_column = std::min(columns, first_column + tile);
      for (int column = first_column; column < end_column; ++column) {
        float* to = out + (column + 1) * stride + layout.border;
        const float* from = projection.data + column;
        for (int row = first_row; row < end_row; ++row)
          to[row] = from[static_cast<std::ptrdiff_t>(row) * columns];
      }
    }
}

}  // namespace

void transpose(ThreadPool& pool, View3<const float> stack, const ColumnLayout& layout, float* out) {
  pool.for_each(stack.nz, [&](std::ptrdiff_t n, int) {
    transpose(stack.planes(static_cast<int>(n), 1), layout,
              out + static_cast<std::size_t>(n) * layout.plane());
  });
}

ColumnView column_view(const ExactViewMatrix& view, const float* columns) {
  const auto& [u, v, w] = view;
  return {u.i, u.j, u.constant, w.i, w.j, w.constant, v.i, v.j, v.constant, v.k, columns};
}

}  // namespace feldspar::kernels::cpu
