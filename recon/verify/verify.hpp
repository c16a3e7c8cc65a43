// The checks of a finished volume against the scan that it was made from.
#pragma once

#include "recon/fdk.hpp"
#include "recon/verify/mid_plane.hpp"
#include "recon/verify/verdict.hpp"

namespace feldspar::recon {

struct VerifyOptions {
  unsigned seed = 20;   ///< of the voxels that are chosen
  int threads = 0;      ///< 0 takes what the process may use
  bool survey = false;  ///< slices that cannot be read are damaged ones, not an error
};

/// Asks every question of recon/verify of `volume`, which `setup` and `fdk` describe, and of `source`. Reads
/// the volume once, and of the scan one row of every view and those that the chosen voxels need. `tally` of
/// the run counts pixels; null when it is not known. Throws what source, volume and backend throw.
[[nodiscard]] Verdict verify(const io::ScanSource& source, const FdkSetup& setup, const FdkOptions& fdk,
                             const FinishedVolume& volume, kernels::Backend& backend,
                             const kernels::AttenuationTally* tally, const VerifyOptions& options);

/// The checks that need no scan. Slices that cannot be read are damaged ones.
[[nodiscard]] Verdict verify_alone(const FinishedVolume& volume);

}  // namespace feldspar::recon
