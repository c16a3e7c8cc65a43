#include "tests/support/software_cuda/stream.hpp"

#include <chrono>
#include <csetjmp>
#include <csignal>
#include <cstdio>

#include "tests/support/software_cuda/memory.hpp"

namespace {

thread_local CUstream_st* of_this_thread = nullptr;
thread_local sigjmp_buf before_work;
thread_local volatile std::sig_atomic_t at_work = 0;

void on_violation(int signal) {
  if (at_work) siglongjmp(before_work, 1);
  (void)std::signal(signal, SIG_DFL);  // of the host: it happens again
}

/// False when it touched memory that it may not.
[[gnu::noinline]] bool survives(const CUstream_st::Work& work) {
  if (sigsetjmp(before_work, 1) != 0) return false;
  at_work = 1;
  work();
  at_work = 0;
  return true;
}

}  // namespace

using feldspar::testing::software_cuda::Blocks;
using feldspar::testing::software_cuda::Device;

CUstream_st::CUstream_st(Device& device, int delay_us, unsigned seed)
    : device_(device), delay_us_(delay_us), random_(seed) {
  [[maybe_unused]] static const auto once = std::signal(SIGSEGV, on_violation);
  thread_ = std::thread([this] { run(); });
}

CUstream_st::~CUstream_st() {
  end();
  thread_.join();
}

void CUstream_st::push(Work work, bool always) {
  const std::scoped_lock lock(mutex_);
  items_.push_back({std::move(work), always});
  ++queued_;
  changed_.notify_all();
}

void CUstream_st::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, all = queued_] { return done_ >= all; });
}

void CUstream_st::end() {
  const std::scoped_lock lock(mutex_);
  ending_ = true;
  changed_.notify_all();
}

void CUstream_st::nap() {
  CUstream_st& own = *of_this_thread;
  if (own.delay_us_ > 0 && own.random_() % 4 == 0)
    std::this_thread::sleep_for(
        std::chrono::microseconds(own.random_() % static_cast<unsigned>(own.delay_us_)));
}

void CUstream_st::run() {
  of_this_thread = this;
  feldspar::testing::software_cuda::enter_memory(device_.index);
  Blocks blocks(static_cast<unsigned>(random_()));
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !items_.empty(); });
    if (items_.empty()) return;
    {
      const Item item = std::move(items_.front());
      items_.pop_front();
      lock.unlock();
      perform(item);
    }
    lock.lock();
    ++done_;
    changed_.notify_all();
  }
}

void CUstream_st::perform(const Item& item) {
  if (device_.broken != cudaSuccess && !item.always) return;
  try {
    if (survives(item.work)) return;
    std::fputs("software CUDA: a kernel or copy touched memory that it may not\n", stderr);
    feldspar::testing::software_cuda::enter_memory(device_.index);  // a signal's handler leaves it
    Blocks::current().forget();
    device_.broken = cudaErrorIllegalAddress;
  } catch (const std::logic_error& error) {
    std::fprintf(stderr, "software CUDA: %s\n", error.what());
    device_.broken = cudaErrorLaunchFailure;
  } catch (cudaError_t error) {
    device_.broken = error;
  }
  at_work = 0;
}
