// A borrowed block of values with three indices, x fastest. No meaning is attached: a stack of
// projections is columns x rows x views, a volume is x, y, z.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

namespace feldspar {

/// A view of values that others own; copies see the same values.
template <class T>
struct View3 {
  T* data = nullptr;  ///< the first value
  int nx = 0;         ///< values along the first index, which runs fastest
  int ny = 0;         ///< along the second
  int nz = 0;         ///< along the third

  /// Number of values.
  [[nodiscard]] constexpr std::size_t size() const noexcept {
    return static_cast<std::size_t>(nx) * static_cast<std::size_t>(ny) * static_cast<std::size_t>(nz);
  }
  /// Of all values.
  [[nodiscard]] constexpr std::size_t bytes() const noexcept { return size() * sizeof(T); }

  /// The first value of row (y, z).
  [[nodiscard]] constexpr T* row(int y, int z) const noexcept {
    return data + (static_cast<std::ptrdiff_t>(z) * ny + y) * nx;
  }
  /// Not checked.
  [[nodiscard]] constexpr T& operator()(int x, int y, int z) const noexcept { return row(y, z)[x]; }
  /// All of them, in their order.
  [[nodiscard]] constexpr std::span<T> values() const noexcept { return {data, size()}; }

  /// `count` planes from plane `first`.
  [[nodiscard]] constexpr View3 planes(int first, int count) const noexcept {
    return {row(0, first), nx, ny, count};
  }

  /// The same values, not to be changed.
  constexpr operator View3<const T>() const noexcept  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<T>) {
    return {data, nx, ny, nz};
  }
};

}  // namespace feldspar
