// Owners of CUDA resources. Each holds one handle, can be moved but not copied, and frees it without
// throwing. No other file of the project calls cudaMalloc, cudaStreamCreate or their kin. C++17, for the
// device compiler reads it too.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace feldspar {
class MemoryBudget;
}

namespace feldspar::kernels::cuda {

/// Throws Error(out_of_memory or device) unless the call succeeded, naming the call, the device (the thread's
/// current one unless told), CUDA's reason, whether it is an earlier call's, and a way out.
void check(cudaError_t status, const std::string& call);
void check(cudaError_t status, const std::string& call, int device);

/// "cuda:0 (NVIDIA H200)", for messages. Never throws for a broken device.
[[nodiscard]] std::string describe_device(int index);

/// A handle that `destroy` takes back.
template <class T, auto destroy>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T value) noexcept : value_(value), owned_(true) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle(Handle&& other) noexcept : value_(other.value_), owned_(std::exchange(other.owned_, false)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(value_, other.value_);
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~Handle() {
    if (owned_) (void)destroy(value_);
  }
  [[nodiscard]] T get() const noexcept { return value_; }

 private:
  T value_{};
  bool owned_ = false;
};

using Stream = Handle<cudaStream_t, cudaStreamDestroy>;
using Event = Handle<cudaEvent_t, cudaEventDestroy>;
/// On the current device, without a clock.
[[nodiscard]] Event make_event();

class Queue;

/// Bytes of a device's budget, given back at the end.
class Reservation {
 public:
  Reservation() = default;
  /// Throws Error(out_of_memory) when the budget has not so many left.
  Reservation(const Queue& queue, std::size_t bytes, const std::string& purpose);
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  Reservation(Reservation&& other) noexcept
      : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Reservation();

 private:
  std::shared_ptr<MemoryBudget> budget_;
  std::size_t bytes_ = 0;
};

/// Memory, and the stream whose work may touch it until it is freed.
struct UsedMemory {
  void* memory;
  cudaStream_t by;
};
// Both wait for that work: cudaFree and cudaFreeHost do not promise to.
void free_device(UsedMemory used) noexcept;
void free_pinned(UsedMemory used) noexcept;

/// Uninitialised memory of the current device, which is the queue's. Freed when the work queued is done: the
/// queue must outlive it.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  /// Throws Error(out_of_memory) naming `purpose`, the size and what the device or its budget has left.
  DeviceMemory(const Queue& queue, std::size_t bytes, const std::string& purpose);
  [[nodiscard]] void* data() const noexcept { return memory_.get().memory; }
  template <class T>
  [[nodiscard]] T* as() const noexcept {
    return static_cast<T*>(data());
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  Reservation reservation_;
  Handle<UsedMemory, free_device> memory_;
  std::size_t bytes_ = 0;
};

/// Uninitialised host memory that the device copies from and to without staging. Freed when the work queued
/// is done: the queue must outlive it.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  /// Throws Error(out_of_memory) naming `purpose` and the size.
  PinnedMemory(const Queue& queue, std::size_t bytes, const std::string& purpose);
  [[nodiscard]] void* data() const noexcept { return memory_.get().memory; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  Handle<UsedMemory, free_pinned> memory_;
  std::size_t bytes_ = 0;
};

/// A device, the budget of its memory, the stream that a backend's work is queued on, and two beside it.
class Queue {
 public:
  /// `memory` bytes may be taken at one time; 0 for what the device has.
  Queue(int device, std::size_t memory);
  [[nodiscard]] int device() const noexcept { return device_; }
  [[nodiscard]] cudaStream_t stream() const noexcept { return stream_.get(); }

  /// For copies to and from memory that the stream of work does not use meanwhile.
  [[nodiscard]] cudaStream_t uploads() const noexcept { return uploads_.get(); }
  [[nodiscard]] cudaStream_t downloads() const noexcept { return downloads_.get(); }

  /// Makes the device current for the calling thread. Every operator begins with it.
  void activate() const;
  void wait() const;

  [[nodiscard]] const std::shared_ptr<MemoryBudget>& budget() const noexcept { return budget_; }
  /// Bytes that can still be had: of the budget, and of what the driver has free less what it needs itself.
  [[nodiscard]] std::size_t memory_left() const;

 private:
  int device_;
  std::shared_ptr<MemoryBudget> budget_;
  Stream stream_;
  Stream uploads_;
  Stream downloads_;
};

/// A small table on the device that operators refill from the host between launches: copied at once, so that
/// the caller may forget its own.
class StagedTable {
 public:
  /// Queues the copy of `bytes` from `host` and returns where it will be on the device.
  void* upload(const Queue& queue, const void* host, std::size_t bytes, const std::string& purpose);

 private:
  PinnedMemory staging_;
  DeviceMemory table_;
  Event copied_;
};

/// Projections as a layered texture: bilinear, 0 beyond the edge, indices in pixels plus one half.
class LayeredTexture {
 public:
  LayeredTexture() = default;
  LayeredTexture(const Queue& queue, int columns, int rows, int layers);
  [[nodiscard]] cudaTextureObject_t get() const noexcept { return texture_.get(); }
  [[nodiscard]] bool holds(int columns, int rows, int layers) const noexcept {
    return columns == columns_ && rows == rows_ && layers <= layers_;
  }
  /// Queues the copy of `layers` projections in device memory into the first layers.
  void fill(const Queue& queue, const float* projections, int layers) const;

 private:
  Reservation reservation_;
  Handle<cudaArray_t, cudaFreeArray> array_;
  Handle<cudaTextureObject_t, cudaDestroyTextureObject> texture_;
  int columns_ = 0;
  int rows_ = 0;
  int layers_ = 0;
};

}  // namespace feldspar::kernels::cuda
