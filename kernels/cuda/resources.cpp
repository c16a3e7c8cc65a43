#include "kernels/cuda/resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/units.hpp"

namespace feldspar::kernels::cuda {
namespace {

int current_device() {
  int device = 0;
  return cudaGetDevice(&device) == cudaSuccess ? device : 0;
}

/// Errors of kernels and copies, which any later call returns.
bool comes_late(cudaError_t status) {
  switch (status) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorECCUncorrectable: return true;
    default: return false;
  }
}

std::string reason_of(cudaError_t status) {
  return fmt::format("{} ({})", cudaGetErrorString(status), cudaGetErrorName(status));
}

std::string free_of_device() {
  std::size_t free = 0, total = 0;
  if (cudaMemGetInfo(&free, &total) != cudaSuccess) return "";
  return fmt::format(" ({} of {} bytes of the device are free)", free, total);
}

void allocated(cudaError_t status, const char* call, std::size_t bytes, const std::string& purpose) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();
  check(status, fmt::format("{} of {} bytes for {}{}", call, bytes, purpose,
                            status == cudaErrorMemoryAllocation ? free_of_device() : ""));
}

}  // namespace

std::string describe_device(int index) {
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, index) == cudaSuccess)
    return fmt::format("cuda:{} ({})", index, properties.name);
  (void)cudaGetLastError();
  return fmt::format("cuda:{}", index);
}

void check(cudaError_t status, const std::string& call) {
  if (status != cudaSuccess) check(status, call, current_device());
}

void check(cudaError_t status, const std::string& call, int device) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // an error that is not sticky must not surface again at an innocent call
  const std::string what =
      fmt::format("{} failed on {}: {}", call, describe_device(device), reason_of(status));
  if (status == cudaErrorMemoryAllocation)
    throw Error(ErrorKind::out_of_memory, what,
                {{"gpu-memory", "", "end other programs that use it, or work in smaller slabs with"}});
  throw Error(ErrorKind::device,
              fmt::format("{}{}; nvidia-smi and the system's log say more", what,
                          comes_late(status) ? ", of an earlier kernel or copy" : ""),
              {{"device", "cpu", "to do without it, give"}});
}

Reservation::Reservation(const Queue& queue, std::size_t bytes, const std::string& purpose) {
  try {
    queue.budget()->reserve(bytes, purpose);
  } catch (const Error&) {
    throw Error(ErrorKind::out_of_memory,
                fmt::format("{} needs {} of cuda:{}, but {} of its budget of {} are in use", purpose,
                            format_bytes(bytes), queue.device(), format_bytes(queue.budget()->used()),
                            format_bytes(queue.budget()->limit())),
                {{"gpu-memory", "", "raise"}});
  }
  budget_ = queue.budget();
  bytes_ = bytes;
}

Reservation::~Reservation() {
  if (budget_) budget_->release(bytes_);
}

void free_device(UsedMemory used) noexcept {
  (void)cudaStreamSynchronize(used.by);
  (void)cudaFree(used.memory);
}

void free_pinned(UsedMemory used) noexcept {
  (void)cudaStreamSynchronize(used.by);
  (void)cudaFreeHost(used.memory);
}

DeviceMemory::DeviceMemory(const Queue& queue, std::size_t bytes, const std::string& purpose)
    : reservation_(queue, bytes, purpose), bytes_(bytes) {
  void* memory = nullptr;
  allocated(cudaMalloc(&memory, bytes), "cudaMalloc", bytes, purpose);
  memory_ = Handle<UsedMemory, free_device>({memory, queue.stream()});
}

PinnedMemory::PinnedMemory(const Queue& queue, std::size_t bytes, const std::string& purpose)
    : bytes_(bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaHostAlloc(&memory, bytes, cudaHostAllocDefault);
  const std::string call =
      fmt::format("cudaHostAlloc of {} bytes of the host's memory for {}", bytes, purpose);
  if (status == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    throw Error(ErrorKind::out_of_memory, fmt::format("{} failed: {}", call, reason_of(status)),
                {{"memory", "", "end other programs, or lower"}});
  }
  check(status, call);
  memory_ = Handle<UsedMemory, free_pinned>({memory, queue.stream()});
}

Queue::Queue(int device, std::size_t memory)
    : device_(device),
      budget_(std::make_shared<MemoryBudget>(memory > 0 ? memory : MemoryBudget::unlimited)) {
  activate();
  for (Stream* const made : {&stream_, &uploads_, &downloads_}) {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    *made = Stream(stream);
  }
}

void Queue::activate() const {
  check(cudaSetDevice(device_), fmt::format("cudaSetDevice({})", device_), device_);
}

void Queue::wait() const {
  activate();
  check(cudaStreamSynchronize(stream_.get()), "cudaStreamSynchronize");
}

std::size_t Queue::memory_left() const {
  constexpr std::size_t for_the_driver = std::size_t{256} << 20;  // kernels' stacks, page tables, fragments
  activate();
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return std::min(budget_->limit() - budget_->used(), free - std::min(free, for_the_driver));
}

Event make_event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  return Event(event);
}

void* StagedTable::upload(const Queue& queue, const void* host, std::size_t bytes,
                          const std::string& purpose) {
  if (!copied_.get()) copied_ = make_event();
  check(cudaEventSynchronize(copied_.get()), "cudaEventSynchronize");  // the last copy has left the staging
  if (bytes > staging_.bytes()) {
    queue.wait();  // kernels may still read the old table
    staging_ = PinnedMemory(queue, bytes, purpose);
    table_ = {};
    table_ = DeviceMemory(queue, bytes, purpose);
  }
  std::memcpy(staging_.data(), host, bytes);
  check(cudaMemcpyAsync(table_.data(), staging_.data(), bytes, cudaMemcpyHostToDevice, queue.stream()),
        "cudaMemcpyAsync of " + purpose);
  check(cudaEventRecord(copied_.get(), queue.stream()), "cudaEventRecord");
  return table_.data();
}

namespace {

/// Reads an array with bilinear interpolation and 0 around it.
cudaTextureObject_t texture_of(cudaArray_t array) {
  cudaResourceDesc resource{};
  resource.resType = cudaResourceTypeArray;
  resource.res.array.array = array;
  cudaTextureDesc reading{};
  reading.addressMode[0] = reading.addressMode[1] = cudaAddressModeBorder;  // border colour 0
  reading.filterMode = cudaFilterModeLinear;
  reading.readMode = cudaReadModeElementType;
  cudaTextureObject_t texture = 0;
  check(cudaCreateTextureObject(&texture, &resource, &reading, nullptr), "cudaCreateTextureObject");
  return texture;
}

}  // namespace

LayeredTexture::LayeredTexture(const Queue& queue, int columns, int rows, int layers)
    : columns_(columns), rows_(rows), layers_(layers) {
  const auto size = [](int n) { return static_cast<std::size_t>(n); };
  reservation_ = Reservation(queue, size(columns) * size(rows) * size(layers) * sizeof(float),
                             "a texture of projections");
  const cudaChannelFormatDesc format = cudaCreateChannelDesc<float>();
  cudaArray_t array = nullptr;
  const cudaExtent extent = make_cudaExtent(size(columns), size(rows), size(layers));
  allocated(cudaMalloc3DArray(&array, &format, extent, cudaArrayLayered), "cudaMalloc3DArray",
            size(columns) * size(rows) * size(layers) * sizeof(float), "a texture of projections");
  array_ = Handle<cudaArray_t, cudaFreeArray>(array);
  texture_ = Handle<cudaTextureObject_t, cudaDestroyTextureObject>(texture_of(array));
}

void LayeredTexture::fill(const Queue& queue, const float* projections, int layers) const {
  const auto size = [](int n) { return static_cast<std::size_t>(n); };
  cudaMemcpy3DParms copy{};
  // The driver does not write through the source: its pointer type has no const.
  copy.srcPtr = make_cudaPitchedPtr(const_cast<float*>(projections), size(columns_) * sizeof(float),
                                    size(columns_), size(rows_));
  copy.dstArray = array_.get();
  copy.extent = make_cudaExtent(size(columns_), size(rows_), size(layers));
  copy.kind = cudaMemcpyDeviceToDevice;
  check(cudaMemcpy3DAsync(&copy, queue.stream()), "cudaMemcpy3DAsync of projections into a texture");
}

}  // namespace feldspar::kernels::cuda
