// A borrowed block of values with three indices, x fastest. No meaning is attached: a stack of
// projections is columns x rows x views, a volume is x, y, z.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

namespace feldspar {

template <class T>
struct View3 {
  T* data = nullptr;
  int nx = 0;
  int ny = 0;
  int nz = 0;

  [[nodiscard]] constexpr std::size_t size() const noexcept {
    return static_cast<std::size_t>(nx) * static_cast<std::size_t>(ny) * static_cast<std::size_t>(nz);
  }
  [[nodiscard]] constexpr std::size_t bytes() const noexcept { return size() * sizeof(T); }

  /// The first value of row (y, z).
  [[nodiscard]] constexpr T* row(int y, int z) const noexcept {
    return data + (static_cast<std::ptrdiff_t>(z) * ny + y) * nx;
  }
  [[nodiscard]] constexpr T& operator()(int x, int y, int z) const noexcept { return row(y, z)[x]; }
  [[nodiscard]] constexpr std::span<T> values() const noexcept { return {data, size()}; }

  /// `count` planes from plane `first`.
  [[nodiscard]] constexpr View3 planes(int first, int count) const noexcept {
    return {row(0, first), nx, ny, count};
  }

  constexpr operator View3<const T>() const noexcept  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<T>) {
    return {data, nx, ny, nz};
  }
};

}  // namespace feldspar
