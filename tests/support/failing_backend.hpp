// A device that is none: the CPU's operators behind memory of its own, which is limited, and failures that
// are planted.
#pragma once

#include <atomic>
#include <string>

#include "base/error.hpp"
#include "kernels/attenuation.hpp"
#include "kernels/back_projector.hpp"
#include "kernels/correction.hpp"
#include "kernels/filter.hpp"
#include "kernels/forward_projector.hpp"
#include "kernels/rectifier.hpp"
#include "kernels/row_extender.hpp"

namespace feldspar::testing {

class FailingBackend final : public kernels::Backend {
 public:
  /// `memory` bytes in all; what is told as left may be more, as when another program takes some meanwhile.
  /// The batch number `fails_at` (from 0) fails with Error(device).
  explicit FailingBackend(std::size_t memory, std::size_t told = 0, int fails_at = -1)
      : memory_(memory),
        told_(told),
        fails_at_(fails_at),
        inner_(kernels::open_backend("cpu", {.threads = 1})) {}

  /// The slab number `slab` (from 0) is not brought to the host but fails with Error(device).
  void fail_download(int slab) { lost_ = slab; }

  [[nodiscard]] int batches() const { return batches_; }
  [[nodiscard]] int downloads() const { return downloads_; }
  [[nodiscard]] std::size_t peak() const { return memory_.peak(); }

  [[nodiscard]] std::string name() const override { return "fake"; }
  [[nodiscard]] bool uses_host_memory() const noexcept override { return false; }
  [[nodiscard]] std::size_t device_memory_left() const override {
    return told_ > 0 ? told_ : memory_.limit() - memory_.used();
  }
  [[nodiscard]] std::unique_ptr<kernels::Buffer> allocate(std::size_t bytes,
                                                          std::string_view purpose) override {
    struct Counted final : kernels::Buffer {
      explicit Counted(Block block) : memory(std::move(block)) {}
      [[nodiscard]] void* data() const noexcept override { return memory.data(); }
      [[nodiscard]] std::size_t bytes() const noexcept override { return memory.bytes(); }
      Block memory;
    };
    return std::make_unique<Counted>(Block(bytes, purpose, &memory_));
  }
  [[nodiscard]] std::unique_ptr<kernels::Buffer> allocate_staging(std::size_t bytes,
                                                                  std::string_view purpose) override {
    return inner_->allocate(bytes, purpose);
  }
  void upload(const void* host, void* device, std::size_t bytes) override {
    inner_->upload(host, device, bytes);
  }
  void download(const void* device, void* host, std::size_t bytes) override {
    inner_->download(device, host, bytes);
  }
  void download_beside(const void* device, void* host, std::size_t bytes) override {
    if (downloads_++ == lost_) throw Error(ErrorKind::device, "it fell off the bus");
    inner_->download(device, host, bytes);
  }
  void fill_zero(void* device, std::size_t bytes) override { inner_->fill_zero(device, bytes); }
  void wait() override { inner_->wait(); }

  [[nodiscard]] std::unique_ptr<kernels::Attenuation> make_attenuation(
      const kernels::AttenuationSpec& spec) override {
    return inner_->make_attenuation(spec);
  }
  [[nodiscard]] std::unique_ptr<kernels::Correction> make_correction(
      const kernels::CorrectionSpec& spec) override {
    return inner_->make_correction(spec);
  }
  [[nodiscard]] std::unique_ptr<kernels::Rectifier> make_rectifier() override {
    return inner_->make_rectifier();
  }
  [[nodiscard]] std::unique_ptr<kernels::Filter> make_filter(const kernels::FilterSpec& spec) override {
    return inner_->make_filter(spec);
  }
  [[nodiscard]] std::unique_ptr<kernels::BackProjector> make_back_projector(
      const kernels::BackProjectorSpec& spec) override {
    return std::make_unique<Projector>(*this, inner_->make_back_projector(spec));
  }

  [[nodiscard]] std::unique_ptr<kernels::ForwardProjector> make_forward_projector() override {
    return inner_->make_forward_projector();
  }
  [[nodiscard]] std::unique_ptr<kernels::RowExtender> make_row_extender() override {
    return inner_->make_row_extender();
  }

 private:
  class Projector final : public kernels::BackProjector {
   public:
    Projector(FailingBackend& backend, std::unique_ptr<kernels::BackProjector> inner)
        : backend_(backend), inner_(std::move(inner)) {}
    [[nodiscard]] std::size_t workspace_bytes(int, int, int) const override { return 0; }
    void accumulate(std::span<const geometry::View> views, geometry::Range rows,
                    kernels::DeviceView3<const float> projections, const geometry::VolumeGrid& grid,
                    geometry::Range slices, kernels::DeviceView3<float> volume) override {
      if (backend_.batches_++ == backend_.fails_at_) throw Error(ErrorKind::device, "it fell off the bus");
      inner_->accumulate(views, rows, projections, grid, slices, volume);
    }

   private:
    FailingBackend& backend_;
    std::unique_ptr<kernels::BackProjector> inner_;
  };

  MemoryBudget memory_;
  std::size_t told_;
  int fails_at_;
  int lost_ = -1;
  std::atomic<int> batches_{0};
  std::atomic<int> downloads_{0};
  std::unique_ptr<kernels::Backend> inner_;
};

}  // namespace feldspar::testing
