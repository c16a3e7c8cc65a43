// What turns the raw counts of a batch of views into a share of a slab, and what its users need beside it.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>

#include "recon/fdk/fdk.hpp"

namespace feldspar::recon {

/// The operators of one device and the memory between them.
class SlabWorks {
 public:
  /// Raw counts in host memory and in a slot.
  struct Counts {
    int slot;   ///< that bring() was given
    void* raw;  ///< in host memory
  };

  virtual ~SlabWorks() = default;

  /// Raw counts are brought to the works in turn by two slots.
  static constexpr int slots = 2;

  /// Brings the raw counts of a batch from host memory to where they are worked on, beside all other work.
  /// From one thread that need not be that of add(); waits for the batch that was added from the slot before.
  virtual void bring(int slot, const void* raw, std::size_t bytes) = 0;

  /// Adds a batch of views, whose raw counts were brought and still stand at `raw`, into the slab's volume.
  /// Returns when the batch before is done; this one may still be in work.
  virtual void add(const Slab& slab, geometry::Range batch, Counts counts,
                   kernels::DeviceView3<float> volume) = 0;

  /// What the same raw counts are before they are weighted and filtered: corrected line integrals of the
  /// slab's rows on the upright detector. Valid until the next call.
  [[nodiscard]] virtual kernels::DeviceView3<float> line_integrals(const Slab& slab, geometry::Range batch,
                                                                   Counts counts) = 0;

  /// Returns when all that was added is done.
  virtual void finish() = 0;

  /// Of all batches; after finish().
  [[nodiscard]] virtual kernels::AttenuationTally tally() const = 0;
};

/// Works for the slabs and batches of `plan`. They refer to all arguments but the plan.
[[nodiscard]] std::unique_ptr<SlabWorks> make_slab_works(const io::ScanSource& source,
                                                         kernels::Backend& backend, const FdkSetup& setup,
                                                         const SlabPlan& plan, const FdkOptions& options,
                                                         FdkReport& report);

/// Adds the time it lives to a sum of seconds.
class Stopwatch {
 public:
  /// Starts.
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  ~Stopwatch() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The largest number of values that `count` gives for any slab.
template <class Count>
std::size_t largest(const SlabPlan& plan, Count count) {
  std::size_t values = 0;
  for (const Slab& slab : plan.slabs) values = std::max(values, static_cast<std::size_t>(count(slab)));
  return values;
}

/// Pixels of the real detector that a slab needs of a view.
inline std::size_t source_pixels(const Slab& slab) {
  return static_cast<std::size_t>(slab.source_window.columns.count()) *
         static_cast<std::size_t>(slab.source_window.rows.count());
}

}  // namespace feldspar::recon
