// IEEE half precision, by the device's instructions there and by integers on the host: the same bits.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/shared/host_device.hpp"

namespace feldspar::kernels {

/// Exact.
FELDSPAR_HOST_DEVICE inline float from_half(std::uint16_t bits) {
#ifdef __CUDA_ARCH__
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
#else
  const std::uint32_t sign = (bits & 0x8000u) << 16, rest = bits & 0x7fffu;
  float value = 0;
  if (rest >= 0x7c00u) {
    const std::uint32_t special = 0x7f800000u | (rest & 0x3ffu) << 13;  // infinity or NaN
    std::memcpy(&value, &special, sizeof value);
  } else {
    const std::uint32_t shifted = rest << 13;  // the exponent's bias is 112 too small
    std::memcpy(&value, &shifted, sizeof value);
    value *= 0x1p112f;
  }
  return sign ? -value : value;
#endif
}

/// To nearest, ties to even; beyond 65504 infinite.
FELDSPAR_HOST_DEVICE inline std::uint16_t to_half(float value) {
#ifdef __CUDA_ARCH__
  std::uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
#else
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  std::uint32_t rest = bits & 0x7fffffffu;
  if (rest > 0x7f800000u) return static_cast<std::uint16_t>(0x7fffu);  // NaN, as the device has it
  if (rest >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);
  if (rest < 0x38800000u) {  // below the least normal number: a multiple of 2^-24, rounded by an addition
    float magnitude = 0;
    std::memcpy(&magnitude, &rest, sizeof magnitude);
    magnitude += 0.5f;
    std::memcpy(&rest, &magnitude, sizeof rest);
    return static_cast<std::uint16_t>(sign | (rest - 0x3f000000u));
  }
  rest += 0xfffu + (rest >> 13 & 1u);
  return static_cast<std::uint16_t>(sign | ((rest - 0x38000000u) >> 13));
#endif
}

}  // namespace feldspar::kernels
