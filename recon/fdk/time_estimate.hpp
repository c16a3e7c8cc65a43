// How long a plan will take on this machine: measured on a small sample, not guessed.
#pragma once

#include "kernels/backend.hpp"
#include "recon/fdk/fdk.hpp"

namespace feldspar::recon {

/// How long the operators will take.
struct TimeEstimate {
  double filter_s = 0;           ///< attenuation and filtering
  double back_projection_s = 0;  ///< of all slabs
  [[nodiscard]] double total_s() const { return filter_s + back_projection_s; }  ///< the sum
};

/// Runs the operators for a fraction of a second on the scan's own geometry, and scales to the whole plan.
/// Reading and writing overlap with them and are not in it.
[[nodiscard]] TimeEstimate estimate_time(kernels::Backend& backend, const FdkSetup& setup,
                                         const SlabPlan& plan, const FdkOptions& options);

}  // namespace feldspar::recon
