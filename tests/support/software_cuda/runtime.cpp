// The calls of the CUDA runtime on the machine in software.
#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "tests/support/software_cuda/memory.hpp"
#include "tests/support/software_cuda/stream.hpp"

struct CUevent_st {
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    unsigned long long recorded = 0, reached = 0;
  };
  std::shared_ptr<State> state = std::make_shared<State>();
};

struct cudaArray {
  float* texels;
  std::size_t columns, rows, layers;
};

namespace feldspar::testing::software_cuda {
namespace {

struct Allocation {
  std::size_t bytes;
  int device;  ///< -1 for the host
};

struct State {
  explicit State(Settings made)
      : settings(std::move(made)), devices(static_cast<std::size_t>(settings.devices)) {
    for (Device& device : devices) {
      device.index = static_cast<int>(&device - devices.data());
      standard.push_back(&make_stream(device));
    }
  }
  CUstream_st& make_stream(Device& device) {
    const auto number = static_cast<unsigned>(streams.size());
    return *streams.emplace_back(
        std::make_unique<CUstream_st>(device, settings.delay_us, settings.seed * 1000 + number));
  }

  const Settings settings;
  std::mutex mutex;
  std::map<std::string, int> calls;
  std::map<std::pair<int, std::string>, int> shared_of;  // of devices' kernels
  std::map<const char*, Allocation> allocations;
  int handles = 0;
  std::vector<Device> devices;
  std::vector<cudaStream_t> standard;                 // a device
  std::vector<std::unique_ptr<CUstream_st>> streams;  // last: they end first
};

std::unique_ptr<State>& machine() {
  static auto made = std::make_unique<State>(Settings{});
  return made;
}
State& state() { return *machine(); }

thread_local int current = 0;
thread_local cudaError_t last = cudaSuccess;

cudaError_t told(cudaError_t error) { return error == cudaSuccess ? error : last = error; }
bool ends_device(cudaError_t error) {
  return error == cudaErrorIllegalAddress || error == cudaErrorLaunchFailure || error == cudaErrorUnknown;
}
Device& device() { return state().devices.at(static_cast<std::size_t>(current)); }
bool is_ignored(const char* wait) { return state().settings.ignored.count(wait) > 0; }

/// Counts a call, and says how it is planned to fail.
cudaError_t planned(const std::string& call) {
  const std::scoped_lock lock(state().mutex);
  const int number = state().calls[call]++;
  for (const Fault& fault : state().settings.faults)
    if (fault.call == call && fault.number == number) return fault.error;
  return cudaSuccess;
}

/// The error that ended a device; what runs on it has stopped by then.
cudaError_t outcome(const Device& of) {
  if (of.broken == cudaSuccess) return cudaSuccess;
  std::vector<CUstream_st*> streams;
  {
    const std::scoped_lock lock(state().mutex);
    for (const auto& stream : state().streams)
      if (&stream->device() == &of) streams.push_back(stream.get());
  }
  for (CUstream_st* const stream : streams) stream->wait();
  return told(of.broken);
}

/// What every call begins with.
cudaError_t enter(const char* call) {
  const cudaError_t error = planned(call);
  if (state().devices.empty()) return told(cudaErrorNoDevice);
  if (ends_device(error)) device().broken = error;
  const cudaError_t ended = outcome(device());
  return ended != cudaSuccess ? ended : told(error);
}

cudaError_t queue(const char* call, cudaStream_t stream, CUstream_st::Work work) {
  CUstream_st& on = stream ? *stream : *state().standard.at(static_cast<std::size_t>(current));
  const cudaError_t error = planned(call), ended = outcome(on.device());
  if (ended != cudaSuccess) return ended;
  if (error != cudaSuccess && !ends_device(error)) return told(error);
  if (error != cudaSuccess) work = [error] { throw error; };
  on.push(std::move(work));
  return cudaSuccess;
}

/// Whose memory it is, all of it: a device's, -1 for pinned, nothing where it is neither.
std::optional<int> owner_of(const void* memory, std::size_t bytes) {
  const auto* const first = static_cast<const char*>(memory);
  const std::scoped_lock lock(state().mutex);
  const auto after = state().allocations.upper_bound(first);
  if (after == state().allocations.begin()) return std::nullopt;
  const auto& [begin, allocation] = *std::prev(after);
  if (first >= begin + allocation.bytes) return std::nullopt;
  return first + bytes <= begin + allocation.bytes ? allocation.device : -2;
}

cudaError_t take(void** memory, std::size_t bytes, int of) {
  const std::scoped_lock lock(state().mutex);
  if (of >= 0 && bytes > state().settings.memory - device().used) return told(cudaErrorMemoryAllocation);
  char* const made = allocate(bytes, of);
  if (!made) return told(cudaErrorMemoryAllocation);
  if (of >= 0) device().used += bytes;
  state().allocations[made] = {bytes, of};
  *memory = made;
  return cudaSuccess;
}

cudaError_t give_back(void* memory) {
  if (!memory) return cudaSuccess;
  const std::scoped_lock lock(state().mutex);
  const auto found = state().allocations.find(static_cast<const char*>(memory));
  if (found == state().allocations.end()) return told(cudaErrorInvalidValue);
  const auto [bytes, of] = found->second;
  state().allocations.erase(found);
  if (of >= 0) state().devices[static_cast<std::size_t>(of)].used -= bytes;
  release(static_cast<char*>(memory), bytes, of);
  return cudaSuccess;
}

void count_handle(int change) {
  const std::scoped_lock lock(state().mutex);
  state().handles += change;
}

bool may_copy(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind) {
  const auto to = owner_of(target, bytes), from = owner_of(source, bytes);
  const bool to_host = !to || to == -1, from_host = !from || from == -1;
  if (to == -2 || from == -2) return false;
  return to_host == (kind == cudaMemcpyDeviceToHost) && from_host == (kind == cudaMemcpyHostToDevice);
}

bool may_run(const char* kernel, const Launch& shape) {
  const auto& [grid, block, shared, stream] = shape;
  const std::scoped_lock lock(state().mutex);
  const auto asked = state().shared_of.find({current, kernel});
  const int most = asked == state().shared_of.end() ? 48 << 10 : asked->second;
  return grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.x < 1u << 31 && grid.y < 65536 && grid.z < 65536 &&
         block.x > 0 && block.y > 0 && block.z > 0 && block.x * block.y * block.z <= 1024 &&
         shared <= static_cast<std::size_t>(most) && (!stream || stream->device().index == current);
}

}  // namespace

Machine::Machine(Settings settings) {
  machine() = nullptr;
  machine() = std::make_unique<State>(std::move(settings));
  current = 0, last = cudaSuccess;
}
Machine::~Machine() {
  machine() = nullptr;
  machine() = std::make_unique<State>(Settings{});
  current = 0, last = cudaSuccess;
}
int Machine::calls(const std::string& call) const {
  const std::scoped_lock lock(state().mutex);
  return state().calls[call];
}
int Machine::in_use() const {
  const std::scoped_lock lock(state().mutex);
  return static_cast<int>(state().allocations.size()) + state().handles;
}

void start(const char* kernel, const Launch& shape, std::function<void()> thread) {
  if (!may_run(kernel, shape)) {
    last = cudaErrorInvalidConfiguration;
    return;
  }
  const int ignored = state().settings.kernel == kernel ? state().settings.barrier : -1;
  (void)queue("launch", shape.stream, [shape, thread = std::move(thread), ignored] {
    CUstream_st::nap();
    Blocks::current().run(shape, thread, ignored);
  });
}
int barrier(int value) { return Blocks::current().barrier(value); }
void* static_shared(int line, std::size_t bytes) { return Blocks::current().static_shared(line, bytes); }
void* dynamic_shared() { return Blocks::current().dynamic_shared(); }

cudaError_t has_code() { return enter("cudaFuncGetAttributes"); }
cudaError_t set_attribute(const char* kernel, cudaFuncAttribute, int value) {
  if (const cudaError_t error = enter("cudaFuncSetAttribute")) return error;
  if (value > state().settings.shared) return told(cudaErrorInvalidValue);
  const std::scoped_lock lock(state().mutex);
  state().shared_of[{current, kernel}] = value;
  return cudaSuccess;
}

namespace {
cudaArray* array_of(cudaTextureObject_t texture) {
  return reinterpret_cast<cudaArray*>(texture);  // NOLINT(performance-no-int-to-ptr): the toolkit's type
}
}  // namespace

/// As the CUDA C++ Programming Guide defines linear filtering: fractions have eight bits.
float sample(cudaTextureObject_t texture, float x, float y, int layer) {
  const cudaArray& array = *array_of(texture);
  const float i = std::floor(x - 0.5f), j = std::floor(y - 0.5f);
  const auto eight_bits = [](float fraction) { return std::nearbyint(fraction * 256) / 256; };
  const float a = eight_bits(x - 0.5f - i), b = eight_bits(y - 0.5f - j);
  const auto texel = [&](float column, float row) {
    const auto columns = static_cast<float>(array.columns), rows = static_cast<float>(array.rows);
    if (!(column >= 0 && column < columns && row >= 0 && row < rows)) return 0.0f;
    return array.texels[(static_cast<std::size_t>(layer) * array.rows + static_cast<std::size_t>(row)) *
                            array.columns +
                        static_cast<std::size_t>(column)];
  };
  return (1 - b) * ((1 - a) * texel(i, j) + a * texel(i + 1, j)) +
         b * ((1 - a) * texel(i, j + 1) + a * texel(i + 1, j + 1));
}

}  // namespace feldspar::testing::software_cuda

using namespace feldspar::testing::software_cuda;

cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = state().settings.devices;
  return enter("cudaGetDeviceCount");
}
cudaError_t cudaGetDevice(int* device) {
  *device = current;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int index) {
  if (index < 0 || index >= state().settings.devices) return told(cudaErrorInvalidDevice);
  const int before = std::exchange(current, index);
  const cudaError_t error = enter("cudaSetDevice");
  if (error != cudaSuccess) current = before;
  return error;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  if (index < 0 || index >= state().settings.devices) return told(cudaErrorInvalidDevice);
  const Settings& settings = state().settings;
  *properties = {"software", settings.memory, settings.major, settings.minor};
  return planned("cudaGetDeviceProperties");
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
  *value = state().settings.shared;
  return enter("cudaDeviceGetAttribute");
}
cudaError_t cudaDeviceSynchronize() {
  if (const cudaError_t error = enter("cudaDeviceSynchronize")) return error;
  for (std::size_t n = 0; n < state().streams.size(); ++n)
    if (&state().streams[n]->device() == &device()) state().streams[n]->wait();
  return outcome(device());
}
cudaError_t cudaGetLastError() { return std::exchange(last, cudaSuccess); }

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    default: return "another cudaError";
  }
}
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    default: return "an error planned by a test";
  }
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  if (const cudaError_t error = enter("cudaMemGetInfo")) return error;
  const std::scoped_lock lock(state().mutex);
  *total = state().settings.memory;
  *free = *total - device().used;
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  const cudaError_t error = enter("cudaMalloc");
  return error ? error : take(memory, bytes, current);
}
cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  const cudaError_t error = enter("cudaHostAlloc");
  return error ? error : take(memory, bytes, -1);
}
// What is given back is given back, whatever the call says.
cudaError_t cudaFree(void* memory) {
  const cudaError_t given = give_back(memory), error = enter("cudaFree");
  return error ? error : given;
}
cudaError_t cudaFreeHost(void* memory) {
  const cudaError_t given = give_back(memory), error = enter("cudaFreeHost");
  return error ? error : given;
}

cudaError_t cudaMalloc3DArray(cudaArray_t* array, const cudaChannelFormatDesc*, cudaExtent extent, unsigned) {
  void* texels = nullptr;
  if (const cudaError_t error = enter("cudaMalloc3DArray")) return error;
  if (const cudaError_t error =
          take(&texels, extent.width * extent.height * extent.depth * sizeof(float), current))
    return error;
  count_handle(1);
  *array = new cudaArray{static_cast<float*>(texels), extent.width, extent.height, extent.depth};
  return cudaSuccess;
}
cudaError_t cudaFreeArray(cudaArray_t array) {
  count_handle(-1);
  (void)give_back(array->texels);
  delete array;
  return enter("cudaFreeArray");
}
cudaError_t cudaCreateTextureObject(cudaTextureObject_t* texture, const cudaResourceDesc* resource,
                                    const cudaTextureDesc* reading, const void*) {
  if (const cudaError_t error = enter("cudaCreateTextureObject")) return error;
  if (reading->addressMode[0] != cudaAddressModeBorder || reading->addressMode[1] != cudaAddressModeBorder ||
      reading->filterMode != cudaFilterModeLinear)
    return told(cudaErrorInvalidValue);
  count_handle(1);
  *texture = reinterpret_cast<cudaTextureObject_t>(new cudaArray(*resource->res.array.array));
  return cudaSuccess;
}
cudaError_t cudaDestroyTextureObject(cudaTextureObject_t texture) {
  count_handle(-1);
  delete array_of(texture);
  return enter("cudaDestroyTextureObject");
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  if (const cudaError_t error = enter("cudaStreamCreateWithFlags")) return error;
  count_handle(1);
  const std::scoped_lock lock(state().mutex);
  *stream = &state().make_stream(device());
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  count_handle(-1);
  stream->end();
  return enter("cudaStreamDestroy");
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const cudaError_t error = enter("cudaStreamSynchronize")) return error;
  if (is_ignored("cudaStreamSynchronize")) return cudaSuccess;
  stream->wait();
  return outcome(stream->device());
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  if (const cudaError_t error = enter("cudaEventCreateWithFlags")) return error;
  count_handle(1);
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  count_handle(-1);
  delete event;
  return enter("cudaEventDestroy");
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t error = enter("cudaEventRecord")) return error;
  const auto of = event->state;
  const std::scoped_lock lock(of->mutex);
  const auto reach = [of, number = ++of->recorded] {
    const std::scoped_lock reaching(of->mutex);
    of->reached = std::max(of->reached, number);
    of->changed.notify_all();
  };
  stream->push(reach, true);
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (const cudaError_t error = enter("cudaEventSynchronize")) return error;
  if (is_ignored("cudaEventSynchronize")) return cudaSuccess;
  {
    std::unique_lock lock(event->state->mutex);
    event->state->changed.wait(
        lock, [&of = *event->state, all = event->state->recorded] { return of.reached >= all; });
  }
  return outcome(device());
}

cudaError_t cudaMemcpyAsync(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (!may_copy(target, source, bytes, kind)) return told(cudaErrorInvalidValue);
  return queue("cudaMemcpyAsync", stream, [=] {
    std::memset(target, 0xff, bytes);  // who does not wait finds NaN
    CUstream_st::nap();
    std::memcpy(target, source, bytes);
  });
}
cudaError_t cudaMemcpy(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind) {
  if (const cudaError_t error = cudaMemcpyAsync(target, source, bytes, kind, nullptr)) return error;
  state().standard.at(static_cast<std::size_t>(current))->wait();
  return outcome(device());
}
cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* copy, cudaStream_t stream) {
  const auto& [columns, rows, layers] = copy->extent;
  if (columns != copy->dstArray->columns || rows != copy->dstArray->rows || layers > copy->dstArray->layers ||
      copy->srcPtr.pitch != columns * sizeof(float))
    return told(cudaErrorInvalidValue);
  return queue("cudaMemcpy3DAsync", stream,
               [to = copy->dstArray->texels, from = copy->srcPtr.ptr, values = columns * rows * layers] {
                 CUstream_st::nap();
                 std::memcpy(to, from, values * sizeof(float));
               });
}
cudaError_t cudaMemsetAsync(void* target, int value, std::size_t bytes, cudaStream_t stream) {
  const auto owner = owner_of(target, bytes);
  if (!owner || *owner < 0) return told(cudaErrorInvalidValue);
  return queue("cudaMemsetAsync", stream, [=] {
    CUstream_st::nap();
    std::memset(target, value, bytes);
  });
}
cudaError_t cudaMemset(void* target, int value, std::size_t bytes) {
  return cudaMemsetAsync(target, value, bytes, nullptr);
}
