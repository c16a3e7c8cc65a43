// The part of the CUDA runtime that kernels/cuda uses, for a device in software: found in place of the
// toolkit's header where the backend is built for tests. Names, types and meaning are the toolkit's.
#pragma once

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#define CUDART_VERSION 13000

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInsufficientDriver = 35,
  cudaErrorDevicesUnavailable = 46,
  cudaErrorInvalidDeviceFunction = 98,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorNoKernelImageForDevice = 209,
  cudaErrorECCUncorrectable = 214,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorIllegalAddress = 700,
  cudaErrorLaunchTimeout = 702,
  cudaErrorAssert = 710,
  cudaErrorHardwareStackError = 714,
  cudaErrorIllegalInstruction = 715,
  cudaErrorMisalignedAddress = 716,
  cudaErrorInvalidAddressSpace = 717,
  cudaErrorInvalidPc = 718,
  cudaErrorLaunchFailure = 719,
  cudaErrorUnknown = 999
};

using cudaStream_t = struct CUstream_st*;
using cudaEvent_t = struct CUevent_st*;
using cudaArray_t = struct cudaArray*;
using cudaTextureObject_t = unsigned long long;

enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaDeviceAttr { cudaDevAttrMaxSharedMemoryPerBlockOptin = 97 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
enum cudaResourceType { cudaResourceTypeArray = 0 };
enum cudaTextureAddressMode { cudaAddressModeBorder = 3 };
enum cudaTextureFilterMode { cudaFilterModeLinear = 1 };
enum cudaTextureReadMode { cudaReadModeElementType = 0 };
constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaHostAllocDefault = 0,
                   cudaArrayLayered = 1;

struct cudaDeviceProp {
  char name[256];
  std::size_t totalGlobalMem;
  int major;
  int minor;
};
struct cudaFuncAttributes {};
struct cudaChannelFormatDesc {
  int bits;
};
struct cudaExtent {
  std::size_t width, height, depth;
};
struct cudaPitchedPtr {
  void* ptr;
  std::size_t pitch, xsize, ysize;
};
struct cudaMemcpy3DParms {
  cudaPitchedPtr srcPtr;
  cudaArray_t dstArray;
  cudaExtent extent;
  cudaMemcpyKind kind;
};
struct cudaResourceDesc {
  cudaResourceType resType;
  struct {
    struct {
      cudaArray_t array;
    } array;
  } res;
};
struct cudaTextureDesc {
  cudaTextureAddressMode addressMode[3];
  cudaTextureFilterMode filterMode;
  cudaTextureReadMode readMode;
};

inline cudaExtent make_cudaExtent(std::size_t w, std::size_t h, std::size_t d) { return {w, h, d}; }
inline cudaPitchedPtr make_cudaPitchedPtr(void* data, std::size_t pitch, std::size_t x, std::size_t y) {
  return {data, pitch, x, y};
}
template <class T>
cudaChannelFormatDesc cudaCreateChannelDesc() {
  return {8 * sizeof(T)};
}

cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaGetLastError();
const char* cudaGetErrorName(cudaError_t error);
const char* cudaGetErrorString(cudaError_t error);

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total);
cudaError_t cudaMalloc(void** memory, std::size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned flags);
cudaError_t cudaFreeHost(void* memory);
cudaError_t cudaMalloc3DArray(cudaArray_t* array, const cudaChannelFormatDesc* format, cudaExtent extent,
                              unsigned flags);
cudaError_t cudaFreeArray(cudaArray_t array);
cudaError_t cudaCreateTextureObject(cudaTextureObject_t* texture, const cudaResourceDesc* resource,
                                    const cudaTextureDesc* reading, const void* view);
cudaError_t cudaDestroyTextureObject(cudaTextureObject_t texture);

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);

cudaError_t cudaMemcpy(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* copy, cudaStream_t stream);
cudaError_t cudaMemset(void* target, int value, std::size_t bytes);
cudaError_t cudaMemsetAsync(void* target, int value, std::size_t bytes, cudaStream_t stream);

struct dim3 {
  constexpr dim3(unsigned across = 1, unsigned down = 1, unsigned deep = 1) : x(across), y(down), z(deep) {}
  unsigned x, y, z;
};
struct uint3 {
  unsigned x, y, z;
};

namespace feldspar::testing::software_cuda {

/// What stands in the angle brackets of a launch.
struct Launch {
  dim3 grid;
  dim3 block;
  std::size_t shared = 0;  ///< dynamic, bytes of a block
  cudaStream_t stream = nullptr;
};
void start(const char* kernel, const Launch& shape, std::function<void()> thread);
template <class Kernel, class... Arguments>
void launch(const char* name, const Launch& shape, Kernel kernel, const Arguments&... arguments) {
  start(name, shape, [=] { kernel(arguments...); });
}

cudaError_t set_attribute(const char* kernel, cudaFuncAttribute attribute, int value);
cudaError_t has_code();

/// All threads of the block must come; returns how many of them gave something else than 0.
int barrier(int value);
/// One variable of the block, told by its line; full of NaN at first.
void* static_shared(int line, std::size_t bytes);
void* dynamic_shared();
/// A layer read bilinearly with weights of eight bits, 0 around it.
float sample(cudaTextureObject_t texture, float x, float y, int layer);

}  // namespace feldspar::testing::software_cuda

#define cudaFuncSetAttribute(kernel, ...) \
  ::feldspar::testing::software_cuda::set_attribute(#kernel, __VA_ARGS__)
template <class Kernel>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes*, Kernel*) {
  return ::feldspar::testing::software_cuda::has_code();
}

// What kernels see.
#define __host__
#define __device__
#define __global__
#define __launch_bounds__(...)

inline thread_local uint3 threadIdx, blockIdx;
inline thread_local dim3 blockDim, gridDim;

inline void __syncthreads() { (void)feldspar::testing::software_cuda::barrier(0); }
inline int __syncthreads_count(int value) { return feldspar::testing::software_cuda::barrier(value); }
inline int __syncthreads_or(int value) { return feldspar::testing::software_cuda::barrier(value); }
template <class T, class U>
T atomicAdd(T* address, U value) {
  return std::atomic_ref<T>(*address).fetch_add(value);
}
inline unsigned atomicMax(unsigned* address, unsigned value) {
  unsigned old = *address;
  while (old < value && !std::atomic_ref<unsigned>(*address).compare_exchange_weak(old, value)) {
  }
  return old;
}
inline unsigned max(unsigned a, unsigned b) { return a < b ? b : a; }
inline unsigned __float_as_uint(float value) {
  unsigned bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
template <class T>
T tex2DLayered(cudaTextureObject_t texture, float x, float y, int layer) {
  return feldspar::testing::software_cuda::sample(texture, x, y, layer);
}
