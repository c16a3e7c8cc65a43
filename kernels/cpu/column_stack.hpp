// Projections with their columns contiguous, as the column kernel reads them.
#pragma once

#include "base/parallel.hpp"
#include "base/view3.hpp"
#include "geometry/coverage.hpp"
#include "kernels/cpu/simd.hpp"
#include "kernels/view_matrix.hpp"

namespace feldspar::kernels::cpu {

/// The shape of transposed projections: each has its columns -1 (zeros), 0, 1 ... columns (zeros), and each
/// column `border` zeros, the rows held, and at least `border` zeros.
struct ColumnLayout {
  int columns = 0;
  geometry::Range rows;
  int border = 0;

  [[nodiscard]] std::size_t stride() const {
    const int least = rows.count() + 2 * border;
    return static_cast<std::size_t>(least + 15) / 16 * 16;
  }
  [[nodiscard]] std::size_t plane() const { return stride() * static_cast<std::size_t>(columns + 2); }
};

/// Fills `out` (views * layout.plane() floats) from `stack`, the rows held of all columns.
void transpose(ThreadPool& pool, View3<const float> stack, const ColumnLayout& layout, float* out);

[[nodiscard]] ColumnView column_view(const ExactViewMatrix& view, const float* columns);

}  // namespace feldspar::kernels::cpu
