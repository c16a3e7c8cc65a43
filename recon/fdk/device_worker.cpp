#include "recon/fdk/device_worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <future>
#include <utility>

#include "base/error.hpp"
#include "recon/device_array.hpp"
#include "recon/slabs/conveyor.hpp"
#include "recon/stopwatch.hpp"

namespace feldspar::recon {
namespace {

std::size_t most_voxels(const SlabTask& task, const SlabPlan& plan) {
  std::size_t voxels = 0;
  for (const Slab& slab : plan.slabs) voxels = std::max(voxels, task.voxels_of(slab));
  return voxels;
}

/// Sets the voxels further than `radius` from the rotation axis to 0.
void clear_outside(View3<float> slab, const geometry::VolumeGrid& grid, double radius) {
  for (int j = 0; j < slab.ny; ++j) {
    const double y = grid.origin.y + j * grid.spacing.y, reach = radius * radius - y * y;
    int first = slab.nx, end = slab.nx;  // of the voxels within
    if (reach >= 0) {
      const double half = std::sqrt(reach), count = slab.nx;
      first = static_cast<int>(std::clamp(std::ceil((-half - grid.origin.x) / grid.spacing.x), 0.0, count));
      end = static_cast<int>(std::clamp(std::floor((half - grid.origin.x) / grid.spacing.x) + 1, 0.0, count));
    }
    for (int k = 0; k < slab.nz; ++k) {
      float* row = slab.row(j, k);
      std::fill(row, row + first, 0.0f);
      std::fill(row + std::max(first, end), row + slab.nx, 0.0f);
    }
  }
}

}  // namespace

/// The buffers before and behind the operators of one device, large enough for the slabs of a plan.
class DeviceWorker::Buffers {
 public:
  Buffers(const SlabTask& task, kernels::Backend& backend, const SlabPlan& plan)
      : room_(plan.room()), voxels_(most_voxels(task, plan)) {
    const std::size_t counts =
        room_.source_pixels * static_cast<std::size_t>(room_.views) * io::bytes_of(task.source.count_type());
    const int buffers = task.plan.slabs.size() > 1 ? 2 : 1;
    for (auto& block : raw_) block = backend.allocate_staging(counts, "raw projections");
    for (int n = 0; n < buffers; ++n) {
      volumes_.emplace_back(backend, voxels_, "the slab");
      if (!backend.uses_host_memory())
        copies_.push_back(backend.allocate_staging(voxels_ * sizeof(float), "the finished slab"));
    }
  }

  [[nodiscard]] bool holds(const SlabTask& task, const Slab& slab, int views_per_batch) const {
    return views_per_batch <= room_.views && task.voxels_of(slab) <= voxels_ &&
           slab.source_pixels() <= room_.source_pixels && slab.rows.count() <= room_.rows;
  }

  [[nodiscard]] void* raw(int slot) const { return raw_[slot]->data(); }
  [[nodiscard]] DeviceArray3<float>& volume(std::size_t turn) { return volumes_[turn % volumes_.size()]; }
  [[nodiscard]] bool is_double() const { return volumes_.size() > 1; }

  /// Where the host finds the volume of that turn, copied there beside other work when it is not the host's.
  float* on_host(std::size_t turn, std::size_t voxels) {
    if (copies_.empty()) return volume(turn).host_view(1, 1, 1).data;
    auto* copy = static_cast<float*>(copies_[turn % copies_.size()]->data());
    volume(turn).download_beside(copy, voxels);
    return copy;
  }

 private:
  LineIntegralRoom room_;
  std::size_t voxels_;
  std::unique_ptr<kernels::Buffer> raw_[SlabOperators::slots];
  std::vector<DeviceArray3<float>> volumes_;
  std::vector<std::unique_ptr<kernels::Buffer>> copies_;  // where the device's memory is not the host's
};

DeviceWorker::DeviceWorker(SlabTask& task, kernels::Backend& backend)
    : task_(task), backend_(backend), views_per_batch_(task.plan.views_per_batch) {
  for (const Slab& slab : task.plan.slabs) most_slices_ = std::max(most_slices_, slab.slices.count());
}

DeviceWorker::~DeviceWorker() = default;

void DeviceWorker::serve() {
  try {
    while (const auto slices = next())
      if (!serve(*slices)) break;
    (void)finish_writing();  // of a run that was stopped: nothing is left otherwise
    free_room();
  } catch (...) {
    task_.queue.stop();
    throw;
  }
}

/// The slab before may come back, so it is stored before this device waits for others.
std::optional<geometry::Range> DeviceWorker::next() {
  if (const auto slices = task_.queue.take_now(most_slices_)) return slices;
  return settle({}) ? task_.queue.take(most_slices_) : std::nullopt;
}

/// False when this device ends before the queue does.
bool DeviceWorker::serve(geometry::Range slices) {
  const Slab slab = make_slab(task_.setup, task_.options.grid, slices,
                              task_.options.projector.merging.extra_rows(), task_.options.halo_rows());
  if (buffers_ && !buffers_->holds(task_, slab, views_per_batch_)) {
    if (!settle({slices})) return false;
    free_room();
  }
  double advanced = 0;
  try {
    if (!buffers_) make_room(slab);
    if (!compute(slab, advanced)) return false;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::out_of_memory && error.kind() != ErrorKind::device) throw;
    task_.progress.advance(-advanced, "reconstructing");
    return recover(slices, error);
  }
  if (!settle({slices})) {
    task_.progress.advance(-advanced, "reconstructing");
    return false;
  }
  before_ = {slices,
             std::async(std::launch::async, [this, slab, turn = turn_] { return store(slab, turn); })};
  ++turn_;
  return buffers_->is_double() || settle({});
}

/// Within the handler of a failure at `slices`: goes on with smaller slabs where that can help, or gives them
/// back and returns false, or throws on.
bool DeviceWorker::recover(geometry::Range slices, const Error& error) {
  constexpr int step = SlabPlan::slice_step;
  const int unit = task_.options.projector.merging.batch_unit();
  if (!settle({slices})) return false;
  if (error.kind() == ErrorKind::out_of_memory && (slices.count() > step || views_per_batch_ > unit)) {
    free_room();
    if (slices.count() > step)
      most_slices_ = std::max(step, slices.count() / 2 / step * step);
    else
      views_per_batch_ = std::max(unit, views_per_batch_ / 2 / unit * unit);
    tell({"device.smaller-slabs",
          fmt::format("{} has too little memory and goes on with slabs of {} slices, {} views at a time: {}",
                      backend_.name(), most_slices_, views_per_batch_, error.what())});
    task_.queue.give_back(slices);
    return true;
  }
  leave({slices}, error);
  return false;
}

/// Gives slices back and ends this device, or throws `error` when there is no other.
void DeviceWorker::leave(const std::vector<geometry::Range>& slices, const Error& error) {
  if (!task_.queue.leave(slices)) throw error;
  buffers_.reset(), operators_.reset();
  tell({"device.failed",
        fmt::format("{} failed and left its slab to the other devices: {}", backend_.name(), error.what())});
}

/// Waits until the slab before is stored. When the device failed to bring it, gives it and `taken` back and
/// returns false.
bool DeviceWorker::settle(std::vector<geometry::Range> taken) {
  const std::optional<Loss> loss = finish_writing();
  if (!loss) return true;
  taken.push_back(loss->slices);
  leave(taken, loss->error);
  return false;
}

/// The slabs of the plan until memory ran out, and from then on only the slab at hand.
SlabPlan DeviceWorker::room_for(const Slab& slab) const {
  SlabPlan room = task_.plan;
  room.views_per_batch = views_per_batch_;
  if (most_slices_ < room.slabs.front().slices.count()) room.slabs = {slab};
  return room;
}

void DeviceWorker::make_room(const Slab& slab) {
  const SlabPlan room = room_for(slab);
  operators_ =
      std::make_unique<SlabOperators>(task_.source, backend_, task_.setup, room, task_.options, report_);
  buffers_ = std::make_unique<Buffers>(task_, backend_, room);
}

std::size_t DeviceWorker::raw_bytes(const Slab& slab, geometry::Range batch) const {
  return slab.source_pixels() * static_cast<std::size_t>(batch.count()) *
         io::bytes_of(task_.source.count_type());
}

/// Several threads read a part of the views each: decoding one image after the other would keep a device
/// waiting.
void DeviceWorker::read(const Slab& slab, geometry::Range batch, void* counts) {
  const Stopwatch time(report_.read_s);
  const int readers = std::clamp(task_.options.readers, 1, batch.count());
  const auto read_part = [&](int n) {
    const geometry::Range part{batch.first + n * batch.count() / readers,
                               batch.first + (n + 1) * batch.count() / readers};
    task_.source.read(
        std::span(task_.setup.view_indices)
            .subspan(static_cast<std::size_t>(part.first), static_cast<std::size_t>(part.count())),
        slab.source_window, static_cast<std::byte*>(counts) + raw_bytes(slab, {batch.first, part.first}));
  };
  std::vector<std::future<void>> parts;  // all end before the first failure is thrown
  parts.reserve(static_cast<std::size_t>(readers));
  for (int n = 1; n < readers; ++n) parts.push_back(std::async(std::launch::async, read_part, n));
  read_part(0);
  for (std::future<void>& part : parts) part.get();
}

/// Brings the slab of that turn to the host and writes it. Throws what the sink throws.
std::optional<DeviceWorker::Loss> DeviceWorker::store(const Slab& slab, std::size_t turn) {
  float* voxels = nullptr;
  try {
    voxels = buffers_->on_host(turn, task_.voxels_of(slab));
  } catch (const Error& error) {
    return Loss{slab.slices, error};
  }
  write(slab, voxels);
  return std::nullopt;
}

void DeviceWorker::write(const Slab& slab, float* voxels) {
  const Stopwatch time(report_.write_s);
  const geometry::VolumeGrid& grid = task_.options.grid;
  const View3<float> values{voxels, grid.nx, grid.ny, slab.slices.count()};
  const double radius = task_.options.projector.radius;
  if (std::isfinite(radius)) clear_outside(values, grid, radius);
  const std::scoped_lock lock(task_.writing);
  task_.sink.write(slab.slices.first, values);
}

/// Reads and adds all views of a slab. False when the queue was stopped.
bool DeviceWorker::compute(const Slab& slab, double& advanced) {
  const int view_count = static_cast<int>(task_.setup.views.size());
  DeviceArray3<float>& volume = buffers_->volume(turn_);
  const auto view = volume.view(task_.options.grid.nx, task_.options.grid.ny, slab.slices.count());
  volume.fill_zero(task_.voxels_of(slab));
  Conveyor conveyor;
  Conveyor::Queue<int> empty(conveyor);  // slots
  Conveyor::Queue<std::pair<int, geometry::Range>> full(conveyor);
  for (int slot = 0; slot < SlabOperators::slots; ++slot) empty.push(slot);
  conveyor.start([&] {
    for (int first = 0; first < view_count; first += views_per_batch_) {
      const auto slot = empty.pop();
      if (!slot) return;
      const geometry::Range batch{first, std::min(view_count, first + views_per_batch_)};
      void* const raw = buffers_->raw(*slot);
      read(slab, batch, raw);
      operators_->bring(*slot, raw, raw_bytes(slab, batch));
      full.push({*slot, batch});
    }
    full.close();
  });
  bool stopped = false;
  try {
    while (const auto batch = full.pop()) {
      stopped = task_.queue.stopped();
      if (stopped) break;
      const int slot = batch->first;
      operators_->add(slab, batch->second, {slot, buffers_->raw(slot)}, view);
      empty.push(slot);
      const double work = static_cast<double>(batch->second.count()) * slab.slices.count();
      advanced += work;
      task_.progress.advance(work, "reconstructing");
    }
    if (stopped) conveyor.stop(nullptr);
  } catch (...) {
    conveyor.stop(std::current_exception());
  }
  conveyor.finish();  // the reader must have returned before the queues are gone
  if (stopped) return false;
  operators_->finish();
  return true;
}

std::optional<DeviceWorker::Loss> DeviceWorker::finish_writing() {
  if (!before_) return std::nullopt;
  OnItsWay way = *std::exchange(before_, std::nullopt);
  std::optional<Loss> loss = way.stored.get();
  if (loss)
    task_.progress.advance(-static_cast<double>(task_.setup.views.size()) * loss->slices.count(),
                           "reconstructing");
  else
    task_.queue.done();
  return loss;
}

/// Frees all memory; nothing may be on its way to the sink. What was stored is not given up for want of a
/// tally.
void DeviceWorker::free_room() {
  try {
    if (buffers_) report_.tally += operators_->tally();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::device && error.kind() != ErrorKind::out_of_memory) throw;
    tell({"device.failed",
          fmt::format("{} failed after its slabs were stored, and the tally of their pixels is "
                      "not complete: {}",
                      backend_.name(), error.what())});
  }
  buffers_.reset(), operators_.reset();
}

void DeviceWorker::tell(Finding finding) {
  log(finding);
  report_.findings.push_back(std::move(finding));
}

}  // namespace feldspar::recon
