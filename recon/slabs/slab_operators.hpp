// What turns the raw counts of a batch of views into a share of a slab, and what its users need beside it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/correction.hpp"
#include "kernels/rectifier.hpp"
#include "recon/fdk/fdk.hpp"
#include "recon/slabs/device_array.hpp"
#include "recon/truncation/extended_filter.hpp"

namespace feldspar::recon {

/// The operators of one device and the memory between them.
class SlabOperators {
 public:
  /// Raw counts in host memory and in a slot.
  struct Counts {
    int slot;   ///< that holds them where they are worked on
    void* raw;  ///< where they stand in host memory
  };

  /// For the slabs and batches of `plan`. Refers to all arguments but the plan.
  SlabOperators(const io::ScanSource& source, kernels::Backend& backend, const FdkSetup& setup,
                const SlabPlan& plan, const FdkOptions& options, FdkReport& report);

  /// Raw counts are brought to the operators in turn by two slots.
  static constexpr int slots = 2;

  /// Brings the raw counts of a batch from host memory to where they are worked on, beside all other work.
  /// From one thread that need not be that of add(); waits for the batch that was added from the slot before.
  void bring(int slot, const void* raw, std::size_t bytes);

  /// Adds a batch of views, whose raw counts were brought and still stand at `raw`, into the slab's volume.
  /// Returns when the batch before is done; this one may still be in work.
  void add(const Slab& slab, geometry::Range batch, Counts counts, kernels::DeviceView3<float> volume);

  /// What the same raw counts are before they are weighted and filtered: corrected line integrals of the
  /// slab's rows on the upright detector. Valid until the next call.
  [[nodiscard]] kernels::DeviceView3<float> line_integrals(const Slab& slab, geometry::Range batch,
                                                           Counts counts);

  /// Returns when all that was added is done.
  void finish();

  /// What was counted of all pixels so far.
  [[nodiscard]] kernels::AttenuationTally tally() const;

 private:
  void filter(const Slab& slab, geometry::Range batch, kernels::DeviceView3<float> stack);
  kernels::DeviceView3<float> correct(const Slab& slab, geometry::Range batch,
                                      kernels::DeviceView3<float> stack);
  void attenuate(const Slab& slab, kernels::DeviceView3<float> stack, void* raw);

  kernels::Backend& backend_;
  const FdkSetup& setup_;
  const FdkOptions& options_;
  FdkReport& report_;
  io::CountType count_type_;
  std::unique_ptr<kernels::Attenuation> attenuation_;
  std::unique_ptr<kernels::Correction> correction_;
  std::unique_ptr<kernels::Rectifier> rectifier_;
  std::unique_ptr<kernels::Filter> filter_;
  std::optional<ExtendedFilter> extended_filter_;  ///< instead of filter_ when rows are continued
  std::unique_ptr<kernels::BackProjector> back_projector_;
  std::optional<DeviceArray3<float>> line_integrals_,
      upright_;                                         ///< the latter rectified, or without the halo
  std::vector<DeviceArray3<std::byte>> counts_;         ///< by slot; none where operators read host memory
  std::vector<std::unique_ptr<kernels::Marker>> done_;  ///< by slot: the batch added from it
};

/// The largest number of values that `count` gives for any slab.
template <class Count>
std::size_t largest(const SlabPlan& plan, Count count) {
  std::size_t values = 0;
  for (const Slab& slab : plan.slabs) values = std::max(values, static_cast<std::size_t>(count(slab)));
  return values;
}

/// Pixels of the real detector that it is made from.
inline std::size_t source_pixels(const Slab& slab) {
  return static_cast<std::size_t>(slab.source_window.columns.count()) *
         static_cast<std::size_t>(slab.source_window.rows.count());
}

}  // namespace feldspar::recon
