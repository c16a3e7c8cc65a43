// From a request to a finished volume: planned, reconstructed, recorded, verified, and given its name.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "io/output_rule.hpp"
#include "recon/verify/verdict.hpp"
#include "run/reconstruction.hpp"
#include "run/verify.hpp"

namespace feldspar::run {

/// How a request is carried out.
struct RunOptions {
  bool overwrite = false;      ///< replace what stands at the output
  bool resume = false;         ///< go on with what an interrupted run of the same request left behind
  Watch watch = {};            ///< of the stages
  const Plan* plan = nullptr;  ///< of an earlier run of the same request: then nothing is looked for
  io::RunFiles files = {};     ///< that the caller writes and reads besides
  /// Told when all is planned, before the work begins.
  std::function<void(const Reconstruction&)> planned = {};
};

/// What became of a request.
struct Outcome {
  std::filesystem::path output;  ///< of the share, where only one was asked for
  bool was_finished =
      false;  ///< by an earlier run: nothing was done, and what follows is empty but for its stored verdict
  StoredVerdict stored;                   ///< of a volume that was finished
  std::optional<Reconstruction> work;     ///< as it was planned
  recon::FdkReport report;                ///< of the reconstruction
  std::int64_t clipped = 0;               ///< voxels outside the range of uint16
  std::optional<recon::Verdict> verdict;  ///< none where it was not asked for, or of a share
};

/// Makes the volume, or the share of it, at request.output; it gets its name when it is complete and, a whole
/// one, verified. A verdict of "untrusted" is no error here: insist() makes it one. Throws Error; what was
/// finished until then is kept where `resume` can go on from it.
Outcome reconstruct(const Request& request, const RunOptions& options = {});

}  // namespace feldspar::run
