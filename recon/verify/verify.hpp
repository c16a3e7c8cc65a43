// The checks of a finished volume against the scan that it was made from.
#pragma once

#include "recon/fdk/fdk.hpp"
#include "recon/verify/mid_plane.hpp"
#include "recon/verify/verdict.hpp"

namespace feldspar::recon {

/// How it is asked.
struct VerifyOptions {
  unsigned seed = 20;                                ///< of the voxels that are chosen
  const kernels::AttenuationTally* tally = nullptr;  ///< of the run, where it is known
  bool survey = false;              ///< slices that cannot be read are damaged ones, not an error
  std::vector<Check> of_scan = {};  ///< what check_scan() found
  Stated stated = {};               ///< of the scan
};

/// Asks every question of recon/verify of `volume`, which `job` made, and of its source. Reads the volume
/// once, and of the scan one row of every view and those that the chosen voxels need. Throws what source,
/// volume and backend throw.
[[nodiscard]] Verdict verify(const FdkJob& job, const FinishedVolume& volume, const Resources& resources,
                             const VerifyOptions& options = {});

/// Bytes that it takes at least.
[[nodiscard]] std::size_t verification_bytes(const FdkJob& job);

/// The checks that need no scan, which alone make no volume trusted. Slices that cannot be read are damaged
/// ones.
[[nodiscard]] Verdict verify_alone(const FinishedVolume& volume, MemoryBudget& budget);

}  // namespace feldspar::recon
