// Turning an image half around, which reverses its rows and its columns at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace feldspar::io::nikon {

template <class Value>
void reverse_row(const Value* __restrict from, int columns, Value* __restrict to) {
  for (int n = 0; n < columns; ++n) to[n] = from[columns - 1 - n];
}

/// Writes the half-turned `columns` x `rows` at `from`, whose rows are `stride` values apart, densely to
/// `to`.
template <class Value>
void half_turn(const Value* from, int stride, int columns, int rows, Value* to) {
  for (int row = 0; row < rows; ++row)
    reverse_row(from + static_cast<std::ptrdiff_t>(rows - 1 - row) * stride, columns,
                to + static_cast<std::ptrdiff_t>(row) * columns);
}

/// The same within a dense block. Rows are exchanged in pairs through a buffer that stays in the nearest
/// cache.
template <class Value>
void half_turn_in_place(Value* values, int columns, int rows) {
  std::vector<Value> buffer(static_cast<std::size_t>(columns));
  for (int low = 0, high = rows - 1; low <= high; ++low, --high) {
    Value* const a = values + static_cast<std::ptrdiff_t>(low) * columns;
    Value* const b = values + static_cast<std::ptrdiff_t>(high) * columns;
    reverse_row(a, columns, buffer.data());
    if (low != high) reverse_row(b, columns, a);
    std::copy(buffer.begin(), buffer.end(), b);
  }
}

}  // namespace feldspar::io::nikon
