// What turns the raw counts of a batch of views into a share of a slab: line integrals, filter,
// back-projector.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "recon/fdk/fdk.hpp"
#include "recon/line_integrals/line_integral_stage.hpp"
#include "recon/truncation/extended_filter.hpp"

namespace feldspar::recon {

/// The operators of one device and the memory between them.
class SlabOperators {
 public:
  using Counts = LineIntegralStage::Counts;  ///< raw counts, in host memory and in a slot
  /// Raw counts are brought to the operators in turn by so many slots.
  static constexpr int slots = LineIntegralStage::slots;

  /// For the slabs and batches of `plan`. Refers to all arguments but the plan.
  SlabOperators(const io::ScanSource& source, kernels::Backend& backend, const FdkSetup& setup,
                const SlabPlan& plan, const FdkOptions& options, FdkReport& report);

  /// As LineIntegralStage::bring(), from one thread that need not be that of add().
  void bring(int slot, const void* raw, std::size_t bytes) { line_integrals_.bring(slot, raw, bytes); }

  /// Adds a batch of views, whose raw counts were brought and still stand at `raw`, into the slab's volume.
  /// Returns when the batch before is done; this one may still be in work.
  void add(const Slab& slab, geometry::Range batch, Counts counts, kernels::DeviceView3<float> volume);

  /// Returns when all that was added is done.
  void finish();

  /// What was counted of all pixels so far.
  [[nodiscard]] kernels::AttenuationTally tally() const { return line_integrals_.tally(); }

 private:
  void filter(const Slab& slab, geometry::Range batch, kernels::DeviceView3<float> stack);

  kernels::Backend& backend_;
  const FdkSetup& setup_;
  const FdkOptions& options_;
  FdkReport& report_;
  LineIntegralStage line_integrals_;
  std::unique_ptr<kernels::Filter> filter_;
  std::optional<ExtendedFilter> extended_filter_;  ///< instead of filter_ when rows are continued
  std::unique_ptr<kernels::BackProjector> back_projector_;
  std::unique_ptr<kernels::Marker> done_[slots];  ///< by slot: the batch added from it
};

}  // namespace feldspar::recon
