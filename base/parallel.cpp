#include "base/parallel.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/error.hpp"
#include "base/stop.hpp"

namespace feldspar {
namespace {

thread_local const ThreadPool* loop_of = nullptr;  ///< whose loop this thread is in

}  // namespace

struct ThreadPool::Loop {
  std::ptrdiff_t count;
  const std::function<void(std::ptrdiff_t, int)>& body;
  std::atomic<std::ptrdiff_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
};

int usable_processors() noexcept {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

ThreadPool::ThreadPool(int threads) {
  if (threads <= 0) threads = usable_processors();
  workers_.reserve(static_cast<std::size_t>(threads - 1));
  for (int worker = 1; worker < threads; ++worker) workers_.emplace_back([this, worker] { serve(worker); });
}

ThreadPool::~ThreadPool() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  start_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(Loop& loop, int worker) {
  const ThreadPool* const around = std::exchange(loop_of, this);
  for (std::ptrdiff_t index; (index = loop.next.fetch_add(1)) < loop.count;) {
    try {
      stop_if_requested();
      loop.body(index, worker);
    } catch (...) {
      loop.next = loop.count;
      const std::scoped_lock lock(loop.mutex);
      if (!loop.failure) loop.failure = std::current_exception();
    }
  }
  loop_of = around;
}

void ThreadPool::serve(int worker) {
  std::size_t seen = 0;
  for (;;) {
    Loop* loop = nullptr;
    {
      std::unique_lock lock(mutex_);
      start_.wait(lock, [&] { return stopping_ || generation_ != seen; });
      if (stopping_) return;
      seen = generation_;
      loop = loop_;
    }
    run(*loop, worker);
    {
      const std::scoped_lock lock(mutex_);
      --active_;
    }
    finished_.notify_one();
  }
}

void ThreadPool::for_each(std::ptrdiff_t count, const std::function<void(std::ptrdiff_t, int)>& body) {
  expects(!loop_of || (workers_.empty() && loop_of != this),
          "a parallel loop was started inside a parallel loop");
  if (count <= 0) return;
  const std::scoped_lock only(one_loop_);
  Loop loop{count, body, {}, {}, {}};
  {
    const std::scoped_lock lock(mutex_);
    loop_ = &loop;
    active_ = static_cast<int>(workers_.size());
    ++generation_;
  }
  start_.notify_all();
  run(loop, 0);
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [&] { return active_ == 0; });
  lock.unlock();
  if (loop.failure) std::rethrow_exception(loop.failure);
}

}  // namespace feldspar
