// The threads of a block, one after the other, for bodies of kernels that run on the host.
#pragma once

namespace feldspar::testing {

/// Between two barriers any order of the threads must do: the two extremes show most races.
enum class Order { rising, falling };

struct HostTeam {
  Order order;
  template <class Step>
  void operator()(int count, const Step& step) const {
    for (int n = 0; n < count; ++n) step(order == Order::rising ? n : count - 1 - n);
  }
};

}  // namespace feldspar::testing
