// One device's part in a reconstruction whose slabs several devices share.
#pragma once

#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "recon/fdk/fdk.hpp"
#include "recon/fdk/slab_operators.hpp"
#include "recon/slabs/slab_queue.hpp"

namespace feldspar::recon {

/// What all devices share of one reconstruction.
struct SlabTask {
  const io::ScanSource& source;  ///< read by all, at one time
  io::VolumeSink& sink;          ///< written to by one at a time
  const FdkSetup& setup;         ///< of the scan
  const SlabPlan& plan;          ///< for the device with the least room
  const FdkOptions& options;     ///< of the run
  Progress& progress;            ///< of all devices together
  SlabQueue queue;               ///< of what is left to do
  std::mutex writing = {};       ///< held by who writes to the sink

  /// Voxels of a slab.
  [[nodiscard]] std::size_t voxels_of(const Slab& slab) const {
    return static_cast<std::size_t>(options.grid.nx) * static_cast<std::size_t>(options.grid.ny) *
           static_cast<std::size_t>(slab.slices.count());
  }
};

/// Takes slabs until none is left, with reading, computing and writing overlapped: smaller ones once memory
/// ran out. When its device fails and another can go on, it gives its slab back and ends.
class DeviceWorker {
 public:
  /// Both must outlive it.
  DeviceWorker(SlabTask& task, kernels::Backend& backend);
  DeviceWorker(const DeviceWorker&) = delete;
  DeviceWorker& operator=(const DeviceWorker&) = delete;
  ~DeviceWorker();

  /// Throws what the source, the sink and the backend throw, and Error(cancelled), having stopped the queue.
  void serve();

  /// What this device did; complete when serve() has returned.
  [[nodiscard]] const FdkReport& report() const { return report_; }

 private:
  class Buffers;

  /// A slab that its device failed to bring to the host.
  struct Loss {
    geometry::Range slices;
    Error error;
  };
  struct OnItsWay {
    geometry::Range slices;
    std::future<std::optional<Loss>> stored;
  };

  [[nodiscard]] std::optional<geometry::Range> next();
  bool serve(geometry::Range slices);
  bool recover(geometry::Range slices, const Error& error);
  void leave(const std::vector<geometry::Range>& slices, const Error& error);
  bool settle(std::vector<geometry::Range> taken);
  [[nodiscard]] SlabPlan room_for(const Slab& slab) const;
  [[nodiscard]] bool compute(const Slab& slab, double& advanced);
  [[nodiscard]] std::size_t raw_bytes(const Slab& slab, geometry::Range batch) const;
  void read(const Slab& slab, geometry::Range batch, void* counts);
  [[nodiscard]] std::optional<Loss> store(const Slab& slab, std::size_t turn);
  void write(const Slab& slab, float* voxels);
  [[nodiscard]] std::optional<Loss> finish_writing();
  void make_room(const Slab& slab);
  void free_room();
  void tell(Finding finding);

  SlabTask& task_;
  kernels::Backend& backend_;
  FdkReport report_;
  int most_slices_ = 0;
  int views_per_batch_;
  std::size_t turn_ = 0;
  std::unique_ptr<SlabOperators> operators_;
  std::unique_ptr<Buffers> buffers_;
  std::optional<OnItsWay> before_;  // last: it ends before the buffers go
};

}  // namespace feldspar::recon
