// A stream of a device in software: a thread that does what is queued, one after the other.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

#include "tests/support/software_cuda/blocks.hpp"

namespace feldspar::testing::software_cuda {

/// What the streams of one device share.
struct Device {
  int index = 0;
  std::atomic<cudaError_t> broken{cudaSuccess};
  std::size_t used = 0;  ///< bytes
};

}  // namespace feldspar::testing::software_cuda

/// Under the name that the toolkit gives it.
struct CUstream_st {
 public:
  using Work = std::function<void()>;

  CUstream_st(feldspar::testing::software_cuda::Device& device, int delay_us, unsigned seed);
  CUstream_st(const CUstream_st&) = delete;
  CUstream_st& operator=(const CUstream_st&) = delete;
  ~CUstream_st();

  [[nodiscard]] feldspar::testing::software_cuda::Device& device() const { return device_; }
  /// Work that is not done `always` is passed by once the device is broken. It may throw the error that
  /// breaks it.
  void push(Work work, bool always = false);
  /// Until all that has been queued is done.
  void wait();
  /// Goes on with what is queued, and ends.
  void end();

  /// For the work: a random delay, now and then.
  static void nap();

 private:
  struct Item {
    Work work;
    bool always;
  };
  void run();
  void perform(const Item& item);

  feldspar::testing::software_cuda::Device& device_;
  int delay_us_;
  std::mt19937 random_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  unsigned long long queued_ = 0, done_ = 0;
  bool ending_ = false;
  std::thread thread_;
};
