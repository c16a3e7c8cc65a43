// Reconstruction by Feldkamp, Davis and Kress (1984), slab by slab, with reading, computing and writing
// overlapped.
#pragma once

#include "base/progress.hpp"
#include "io/scan_source.hpp"
#include "io/volume_sink.hpp"
#include "kernels/attenuation.hpp"
#include "kernels/back_projector.hpp"
#include "kernels/backend.hpp"
#include "kernels/ramp.hpp"
#include "recon/correct/corrections.hpp"
#include "recon/resources.hpp"
#include "recon/setup/fdk_setup.hpp"
#include "recon/slabs/slab_plan.hpp"
#include "recon/truncation/extension.hpp"

namespace feldspar::recon {

/// What to reconstruct, and with how much memory.
struct FdkOptions {
  geometry::VolumeGrid grid;             ///< of the whole volume
  kernels::RampOptions ramp;             ///< of the filter
  kernels::BackProjectorSpec projector;  ///< its radius and merging
  std::shared_ptr<const Extension> extension =
      nullptr;  ///< of truncated rows; null when they are not continued
  std::shared_ptr<const Corrections> corrections = nullptr;  ///< of line integrals; null for none
  std::size_t held_row_bytes = 0;  ///< that the source takes for a detector row it holds in all views
  std::size_t source_bytes = 0;    ///< that it takes besides
  int readers = 1;                 ///< threads that read and decode views for a device, at one time
  std::size_t memory = 0;          ///< budget in bytes over the whole process
  /// Of it, what is in use before: by the program, the source, the context and the corrections.
  std::size_t used_bytes = program_bytes(8);

  /// What the kernels are told of the corrections; null for none.
  [[nodiscard]] const kernels::CorrectionSpec* correction_spec() const {
    return corrections ? &corrections->spec : nullptr;
  }
  /// Rows of the real detector that corrections need beyond those that are filtered.
  [[nodiscard]] int halo_rows() const { return halo_of(correction_spec()); }
};

/// Voxels within the radius of the back-projector: those that are computed.
[[nodiscard]] double computed_voxels(const FdkOptions& options);

/// A scan, and how it is reconstructed. It refers to what it is made of.
struct FdkJob {
  const io::ScanSource& source;  ///< of the projections
  const FdkSetup& setup;         ///< of the source's scan
  const FdkOptions& options;     ///< of the run
};

/// What a finished run says about itself. Times are seconds of each stage's own work; stages overlap.
struct FdkReport : LineIntegralTimes {
  double total_s = 0;               ///< from beginning to end
  double read_s = 0;                ///< of the source
  double filter_s = 0;              ///< weights and ramp
  double back_projection_s = 0;     ///< into the slabs
  double write_s = 0;               ///< to the sink
  kernels::AttenuationTally tally;  ///< of all pixels that were read
  Findings findings;                ///< what went otherwise than planned
};

/// The memory that FDK on this backend needs beside what the plan itself adds up. What comes back refers to
/// `setup` and to the extension in `options`.
[[nodiscard]] MemoryCosts costs_on(kernels::Backend& backend, const io::ScanSource& source,
                                   const FdkSetup& setup, const FdkOptions& options);

/// The same for devices of one kind that share the slabs.
[[nodiscard]] MemoryCosts costs_on(std::span<kernels::Backend* const> backends, const io::ScanSource& source,
                                   const FdkSetup& setup, const FdkOptions& options);

/// Reconstructs the slabs of `plan` into `sink`, in 1/mm. Buffers count against the backend's budget; when
/// memory runs out all the same, the run goes on with smaller slabs. Throws what the source, the sink and the
/// backend throw, and Error(cancelled).
FdkReport reconstruct_fdk(const FdkJob& job, const SlabPlan& plan, io::VolumeSink& sink,
                          kernels::Backend& backend, Progress& progress);

/// The same on devices of one kind, each taking slabs as it can. One that fails (Error(device)) gives its
/// slab back to the others, and a finding says so; the failure of the last one is thrown.
FdkReport reconstruct_fdk(const FdkJob& job, const SlabPlan& plan, io::VolumeSink& sink,
                          std::span<kernels::Backend* const> backends, Progress& progress);

}  // namespace feldspar::recon
