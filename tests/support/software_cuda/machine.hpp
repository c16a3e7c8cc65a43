// A machine with CUDA devices in software, as tests set it up. A program that sets up none has one with
// two devices.
//
// Streams are threads with small random delays; what is queued on them runs there and nowhere else. Threads
// of a block run one at a time, in random order between barriers. Memory is full of NaN at first, ends at
// pages that nobody may touch, is never given out twice, and, where the processor has protection keys, can be
// read by its device's streams alone. cudaFree and cudaStreamDestroy wait for nothing.
#pragma once

#include <cuda_runtime.h>

#include <set>
#include <string>
#include <vector>

namespace feldspar::testing::software_cuda {

/// A call that fails. An error that is not cudaErrorMemoryAllocation ends its device: all later calls fail
/// with it, and what is queued does not run. At calls that queue work it is met when the work's turn comes.
struct Fault {
  std::string call;  ///< a function of the runtime, or "launch"
  int number = 0;    ///< of its calls, on all devices together, from 0
  cudaError_t error = cudaErrorMemoryAllocation;
};

struct Settings {
  int devices = 2;
  std::size_t memory = std::size_t{2} << 30;  ///< of each, bytes
  int major = 9, minor = 0;                   ///< compute capability
  int shared = 227 << 10;                     ///< bytes that a block may ask for
  int delay_us = 40;                          ///< of work, at most, now and then
  unsigned seed = 1;
  std::vector<Fault> faults = {};
  std::set<std::string> ignored = {};  ///< waits, by function, that return at once
  std::string kernel = {};             ///< whose threads ignore
  int barrier = -1;                    ///< this barrier, counted from 0
};

/// Whether the host is kept from reading devices' memory.
[[nodiscard]] bool host_is_kept_out();

/// In place of what was there. One at a time, and nothing of the one before may be in use.
class Machine {
 public:
  explicit Machine(Settings settings);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  /// How often a function was called, or a kernel launched ("launch").
  [[nodiscard]] int calls(const std::string& call) const;
  /// Memory, streams, events, arrays and textures that were made and not given back.
  [[nodiscard]] int in_use() const;
};

}  // namespace feldspar::testing::software_cuda
