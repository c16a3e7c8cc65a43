// A place between pixels, taken apart into the pixel before it and the way from there.
#pragma once

#include <cmath>
#include <type_traits>

#include "kernels/shared/host_device.hpp"

namespace feldspar::kernels {

/// The value itself, which a compiler can neither see through nor compute a second time: where
/// multiplications and additions are contracted, that could give another value.
template <class Value>
FELDSPAR_HOST_DEVICE inline Value pinned(Value value) {
#if defined(__CUDA_ARCH__)
  if constexpr (std::is_same_v<Value, double>)
    asm("" : "+d"(value));
  else if constexpr (std::is_same_v<Value, float>)
    asm("" : "+f"(value));
  else
    asm("" : "+r"(value));
#elif defined(__FMA__)  // x86-64 with fused instructions
  if constexpr (std::is_floating_point_v<Value>)
    asm("" : "+x"(value));
  else
    asm("" : "+r"(value));
#elif defined(__aarch64__)
  if constexpr (std::is_floating_point_v<Value>)
    asm("" : "+w"(value));
  else
    asm("" : "+r"(value));
#endif
  return value;
}

/// The same for a pointer into a device's global memory, as compilers would not know any more.
template <class Value>
FELDSPAR_HOST_DEVICE inline Value* pinned(Value* global) {
#ifdef __CUDA_ARCH__
  asm("" : "+l"(global));
  __builtin_assume(__isGlobal(global));
#endif
  return global;
}

/// The whole number at or below a place, and the way from there to the place, from 0 to 1.
template <class Real>
struct Parts {
  Real whole;
  Real fraction;
};

/// Both from one floor. A compiler that contracts may round `x` in two ways where it is used twice: then
/// whole and fraction still add up to `x`, and a fraction that misses [0, 1] by a rounding of `x`
/// interpolates to what it would on the other side of the pixel. Whether the whole number fits an int is to
/// be asked before a cast.
template <class Real>
FELDSPAR_HOST_DEVICE inline Parts<Real> parts_of(Real x) {
  const Real whole = pinned(std::floor(x));
  return {whole, x - whole};
}

}  // namespace feldspar::kernels
