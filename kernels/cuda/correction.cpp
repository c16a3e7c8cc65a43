// Corrections of line integrals on a GPU: all tables stay on the device.
#include "kernels/correction.hpp"

#include <utility>

#include "kernels/correction_tables.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/operators.hpp"

namespace feldspar::kernels::cuda {
namespace {

/// A list on the device; nothing when it is empty.
template <class T>
class List {
 public:
  List(const Queue& queue, const std::vector<T>& values, const char* purpose) {
    if (values.empty()) return;
    memory_ = DeviceMemory(queue, values.size() * sizeof(T), purpose);
    check(cudaMemcpyAsync(memory_.data(), values.data(), memory_.bytes(), cudaMemcpyHostToDevice,
                          queue.stream()),
          std::string("cudaMemcpyAsync of ") + purpose);
  }
  /// Null when the list is empty.
  [[nodiscard]] const T* from(std::ptrdiff_t index) const {
    return memory_.bytes() == 0 ? nullptr : memory_.as<T>() + index;
  }

 private:
  DeviceMemory memory_;
};

class CudaCorrection final : public Correction {
 public:
  CudaCorrection(SharedQueue queue, const CorrectionSpec& spec)
      : queue_(std::move(queue)),
        spec_(spec),
        tables_(make_tables(spec)),
        repairs_(*queue_, tables_.repairs, "the bad pixels"),
        sources_(*queue_, tables_.sources, "the neighbours of bad pixels"),
        patches_(*queue_, tables_.patches, "the patches"),
        pixel_offset_(*queue_, tables_.pixel_offset, "the offsets of pixels"),
        view_offset_(*queue_, spec_.view_offset, "the offsets of views"),
        polynomial_(*queue_, spec_.polynomial, "the polynomial") {
    queue_->wait();  // pageable memory may change or go now
  }

  void apply(int first_view, geometry::Range rows, DeviceView3<float> measured, geometry::Range kept,
             DeviceView3<float> corrected) override {
    check_blocks(spec_, first_view, rows, measured, kept, corrected);
    if (corrected.size() == 0) return;
    queue_->activate();
    const geometry::Range patches = patches_in(tables_, first_view, measured.nz);
    if (!patches.empty())
      launch(PatchBlock{measured.data, patches_.from(patches.first), first_view, spec_.columns, rows.first,
                        rows.count()},
             patches.count(), queue_->stream());
    const geometry::Range repairs = repairs_in(tables_, spec_.columns, rows);
    if (!repairs.empty())
      launch(RepairBlock{measured.data, repairs_.from(repairs.first), sources_.from(0), pixel_offset_.from(0),
                         spec_.columns, rows.first, rows.count()},
             repairs.count(), measured.nz, queue_->stream());
    launch(CorrectBlock{measured.data, corrected.data, spec_.columns, rows.count(), kept.first - rows.first,
                        kept.count(), pixel_offset_.from(std::ptrdiff_t{kept.first} * spec_.columns),
                        view_offset_.from(first_view), polynomial_.from(0),
                        static_cast<int>(spec_.polynomial.size())},
           lines_of(kept.count(), measured.nz), queue_->stream());
  }

 private:
  SharedQueue queue_;
  CorrectionSpec spec_;
  CorrectionTables tables_;
  List<Repair> repairs_;
  List<RepairSource> sources_;
  List<Patch> patches_;
  List<float> pixel_offset_;
  List<float> view_offset_;
  List<float> polynomial_;
};

}  // namespace

std::unique_ptr<Correction> make_correction(SharedQueue queue, const CorrectionSpec& spec) {
  queue->activate();
  return std::make_unique<CudaCorrection>(std::move(queue), spec);
}

}  // namespace feldspar::kernels::cuda
