// The CUDA backend: which devices there are, memory on one of them, and the operators it makes.
#include "kernels/backend.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "base/error.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/launch.hpp"
#include "kernels/cuda/operators.hpp"

namespace feldspar::kernels {
namespace cuda {

std::int64_t lines_of(int rows, int views) {
  const std::int64_t lines = static_cast<std::int64_t>(rows) * views;
  expects(lines <= std::numeric_limits<int>::max(),
          "more than 2^31 - 1 detector rows in one block of projections", ErrorKind::unsupported);
  return lines;
}

namespace {

class CudaBuffer final : public Buffer {
 public:
  CudaBuffer(SharedQueue queue, std::size_t bytes, std::string_view purpose)
      : queue_(std::move(queue)), memory_(*queue_, bytes, std::string(purpose)) {}
  [[nodiscard]] void* data() const noexcept override { return memory_.data(); }
  [[nodiscard]] std::size_t bytes() const noexcept override { return memory_.bytes(); }

 private:
  SharedQueue queue_;
  DeviceMemory memory_;
};

/// Pinned host memory: transfers run at the bus's speed and beside the host's work.
class StagingBuffer final : public Buffer {
 public:
  StagingBuffer(SharedQueue queue, std::size_t bytes, std::string_view purpose, MemoryBudget* budget)
      : queue_(std::move(queue)), budget_(budget) {
    if (budget_) budget_->reserve(bytes, purpose);
    try {
      memory_ = PinnedMemory(*queue_, bytes, std::string(purpose));
    } catch (...) {
      if (budget_) budget_->release(bytes);
      throw;
    }
  }
  StagingBuffer(const StagingBuffer&) = delete;
  StagingBuffer& operator=(const StagingBuffer&) = delete;
  ~StagingBuffer() override {
    if (budget_) budget_->release(memory_.bytes());
  }
  [[nodiscard]] void* data() const noexcept override { return memory_.data(); }
  [[nodiscard]] std::size_t bytes() const noexcept override { return memory_.bytes(); }

 private:
  SharedQueue queue_;
  MemoryBudget* budget_;
  PinnedMemory memory_;
};

class CudaMarker final : public Marker {
 public:
  explicit CudaMarker(SharedQueue queue) : queue_(std::move(queue)), event_(make_event()) {}
  void set() override {
    queue_->activate();
    check(cudaEventRecord(event_.get(), queue_->stream()), "cudaEventRecord");
  }
  void wait() override {
    queue_->activate();
    check(cudaEventSynchronize(event_.get()), "cudaEventSynchronize");
  }

 private:
  SharedQueue queue_;
  Event event_;
};

class CudaBackend final : public Backend {
 public:
  CudaBackend(int index, const BackendOptions& options)
      : queue_(std::make_shared<const Queue>(index, options.device_memory)), budget_(options.budget) {}

  [[nodiscard]] std::string name() const override { return fmt::format("cuda:{}", queue_->device()); }
  [[nodiscard]] bool uses_host_memory() const noexcept override { return false; }
  [[nodiscard]] bool merges_views() const noexcept override { return true; }

  [[nodiscard]] std::unique_ptr<Buffer> allocate(std::size_t bytes, std::string_view purpose) override {
    queue_->activate();
    return std::make_unique<CudaBuffer>(queue_, bytes, purpose);
  }

  [[nodiscard]] std::size_t device_memory_left() const override { return queue_->memory_left(); }
  [[nodiscard]] std::unique_ptr<Buffer> allocate_staging(std::size_t bytes,
                                                         std::string_view purpose) override {
    queue_->activate();
    return std::make_unique<StagingBuffer>(queue_, bytes, purpose, budget_);
  }

  void upload(const void* host, void* device, std::size_t bytes) override {
    copy(device, host, bytes, cudaMemcpyHostToDevice);
  }
  void download(const void* device, void* host, std::size_t bytes) override {
    copy(host, device, bytes, cudaMemcpyDeviceToHost);
  }
  void fill_zero(void* device, std::size_t bytes) override {
    queue_->activate();
    check(cudaMemsetAsync(device, 0, bytes, queue_->stream()), "cudaMemsetAsync");
  }
  void wait() override { queue_->wait(); }
  [[nodiscard]] std::unique_ptr<Marker> make_marker() override {
    queue_->activate();
    return std::make_unique<CudaMarker>(queue_);
  }
  void upload_beside(const void* host, void* device, std::size_t bytes) override {
    copy_beside(device, host, bytes, cudaMemcpyHostToDevice, queue_->uploads());
  }
  void download_beside(const void* device, void* host, std::size_t bytes) override {
    copy_beside(host, device, bytes, cudaMemcpyDeviceToHost, queue_->downloads());
  }

  [[nodiscard]] std::unique_ptr<Attenuation> make_attenuation(const AttenuationSpec& spec) override {
    return cuda::make_attenuation(queue_, spec);
  }
  [[nodiscard]] std::unique_ptr<Correction> make_correction(const CorrectionSpec& spec) override {
    return cuda::make_correction(queue_, spec);
  }
  [[nodiscard]] std::unique_ptr<Rectifier> make_rectifier() override { return cuda::make_rectifier(queue_); }
  [[nodiscard]] std::unique_ptr<Filter> make_filter(const FilterSpec& spec) override {
    return cuda::make_filter(queue_, spec);
  }
  [[nodiscard]] std::unique_ptr<BackProjector> make_back_projector(const BackProjectorSpec& spec) override {
    return cuda::make_back_projector(queue_, Method::blocks, spec);
  }
  [[nodiscard]] std::unique_ptr<ForwardProjector> make_forward_projector() override {
    return cuda::make_forward_projector(queue_);
  }
  [[nodiscard]] std::unique_ptr<RowExtender> make_row_extender() override {
    return cuda::make_row_extender(queue_);
  }

 private:
  void copy(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind) {
    queue_->activate();
    check(cudaMemcpyAsync(target, source, bytes, kind, queue_->stream()),
          fmt::format("cudaMemcpyAsync of {} bytes", bytes));
  }
  void copy_beside(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind,
                   cudaStream_t stream) {
    queue_->activate();
    const auto call = fmt::format("cudaMemcpyAsync of {} bytes beside the work queued", bytes);
    check(cudaMemcpyAsync(target, source, bytes, kind, stream), call);
    check(cudaStreamSynchronize(stream), call);
  }

  SharedQueue queue_;
  MemoryBudget* budget_;
};

std::string version(int number) { return fmt::format("{}.{}", number / 1000, number % 1000 / 10); }

/// Why there is no device at all, from the status of cudaGetDeviceCount.
std::string reason_for(cudaError_t status) {
  int driver = 0;
  (void)cudaDriverGetVersion(&driver);
  if (status == cudaErrorInsufficientDriver && driver == 0)
    return "no NVIDIA driver is installed on this machine (libcuda.so.1 was not found)";
  if (status == cudaErrorInsufficientDriver)
    return fmt::format(
        "the NVIDIA driver is too old: it serves CUDA {}, this build needs {}; update the driver",
        version(driver), version(CUDART_VERSION));
  if (status == cudaErrorNoDevice || status == cudaSuccess)
    return "the NVIDIA driver shows no GPU: there is none, or CUDA_VISIBLE_DEVICES hides it";
  return fmt::format("CUDA does not start: {} ({})", cudaGetErrorString(status), cudaGetErrorName(status));
}

DeviceInfo info_of(int index) {
  cudaDeviceProp properties{};
  DeviceInfo info;
  info.name = fmt::format("cuda:{}", index);
  info.description = "NVIDIA GPU";
  const cudaError_t status = cudaGetDeviceProperties(&properties, index);
  if (status != cudaSuccess) {
    (void)cudaGetLastError();
    info.unavailable = fmt::format("its properties cannot be read: {}", cudaGetErrorString(status));
    return info;
  }
  constexpr double gibibyte = 1024.0 * 1024.0 * 1024.0;
  info.description = fmt::format("{}, {:.0f} GiB, compute capability {}.{}", properties.name,
                                 static_cast<double>(properties.totalGlobalMem) / gibibyte, properties.major,
                                 properties.minor);
  info.memory = properties.totalGlobalMem;
  if (10 * properties.major + properties.minor < FELDSPAR_CUDA_OLDEST)
    info.unavailable = fmt::format("this build has code for compute capability {}.{} and later only",
                                   FELDSPAR_CUDA_OLDEST / 10, FELDSPAR_CUDA_OLDEST % 10);
  else
    info.preference = 100;
  return info;
}

}  // namespace
}  // namespace cuda

std::vector<DeviceInfo> cuda_devices() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    (void)cudaGetLastError();
    return {{.name = "cuda", .description = "NVIDIA GPU", .unavailable = cuda::reason_for(status)}};
  }
  std::vector<DeviceInfo> devices;
  devices.reserve(static_cast<std::size_t>(count));
  for (int index = 0; index < count; ++index) devices.push_back(cuda::info_of(index));
  return devices;
}

std::unique_ptr<Backend> open_cuda(int index, const BackendOptions& options) {
  const std::vector<DeviceInfo> devices = cuda_devices();
  if (devices.front().name == "cuda")
    throw Error(ErrorKind::unsupported,
                fmt::format("cuda:{} cannot be opened: {}", index, devices.front().unavailable),
                {{"device", "cpu", "to do without a GPU, give"}});
  if (index < 0 || index >= static_cast<int>(devices.size()))
    throw Error(
        ErrorKind::unsupported,
        fmt::format("cuda:{} does not exist: the driver shows cuda:0 to cuda:{}", index, devices.size() - 1));
  const DeviceInfo& device = devices[static_cast<std::size_t>(index)];
  if (!device.unavailable.empty())
    throw Error(ErrorKind::unsupported, fmt::format("{} ({}) cannot be used: {}", device.name,
                                                    device.description, device.unavailable));
  auto backend = std::make_unique<cuda::CudaBackend>(index, options);
  const cudaError_t code = cuda::find_device_code();
  if (code == cudaErrorNoKernelImageForDevice || code == cudaErrorInvalidDeviceFunction)
    throw Error(
        ErrorKind::unsupported,
        fmt::format(
            "this build has no code for {} ({}): configure it with -DCMAKE_CUDA_ARCHITECTURES=native on "
            "that machine",
            device.name, device.description));
  cuda::check(code, "cudaFuncGetAttributes");
  return backend;
}

}  // namespace feldspar::kernels
