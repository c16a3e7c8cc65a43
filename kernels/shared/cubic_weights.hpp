// Weights of cubic convolution, for code that neighbouring views are merged with.
#pragma once

#include "kernels/shared/host_device.hpp"

namespace feldspar::kernels {

/// Keys' cubic convolution weights (1981, a = -1/2) of the samples -1, 0, 1, 2 at `f` behind sample 0, or at
/// each of a vector of such places. Always inlined: a copy by itself, compiled for one instruction set, could
/// take the place of another set's.
template <class Value>
FELDSPAR_HOST_DEVICE __attribute__((always_inline)) inline void cubic_weights(Value f, Value (&weight)[4]) {
  const Value f2 = f * f, f3 = f2 * f;
  weight[0] = -0.5f * f + f2 - 0.5f * f3;
  weight[1] = 1.0f - 2.5f * f2 + 1.5f * f3;
  weight[2] = 0.5f * f + 2.0f * f2 - 1.5f * f3;
  weight[3] = -0.5f * f2 + 0.5f * f3;
}

}  // namespace feldspar::kernels
