// One device's part in a reconstruction whose slabs several devices share.
#pragma once

#include <future>
#include <memory>
#include <mutex>
#include <optional>

#include "base/error.hpp"
#include "recon/fdk.hpp"
#include "recon/slab_queue.hpp"

namespace feldspar::recon {

/// What all devices share of one reconstruction.
struct SlabTask {
  const io::ScanSource& source;
  io::VolumeSink& sink;
  const FdkSetup& setup;
  const SlabPlan& plan;
  const FdkOptions& options;
  Progress& progress;
  SlabQueue queue;
  std::mutex writing = {};  ///< held by who writes to the sink

  [[nodiscard]] std::size_t voxels_of(const Slab& slab) const {
    return static_cast<std::size_t>(options.grid.nx) * static_cast<std::size_t>(options.grid.ny) *
           static_cast<std::size_t>(slab.slices.count());
  }
};

/// Takes slabs until none is left, with reading, computing and writing overlapped: smaller ones once memory
/// ran out. When its device fails and another can go on, it gives its slab back and ends.
class SlabWorker {
 public:
  SlabWorker(SlabTask& task, kernels::Backend& backend);
  SlabWorker(const SlabWorker&) = delete;
  SlabWorker& operator=(const SlabWorker&) = delete;
  ~SlabWorker();

  /// Throws what the source, the sink and the backend throw, and Error(cancelled), having stopped the queue.
  void serve();

  [[nodiscard]] const FdkReport& report() const { return report_; }

 private:
  class Station;

  bool serve(geometry::Range slices);
  bool recover(geometry::Range slices, const Error& error);
  [[nodiscard]] SlabPlan room_for(const Slab& slab) const;
  [[nodiscard]] float* compute(const Slab& slab, double& advanced);
  [[nodiscard]] std::size_t raw_bytes(const Slab& slab, geometry::Range batch) const;
  void read(const Slab& slab, geometry::Range batch, void* counts);
  void write(const Slab& slab, float* voxels);
  void finish_writing();
  void end_station();
  void tell(std::string finding);

  SlabTask& task_;
  kernels::Backend& backend_;
  FdkReport report_;
  int most_slices_ = 0;
  int views_per_batch_;
  std::size_t turn_ = 0;
  std::unique_ptr<Station> station_;
  std::future<void> writing_;  // last: it ends before the buffers go
};

}  // namespace feldspar::recon
