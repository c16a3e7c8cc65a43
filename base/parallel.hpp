// Threads for loops: a pool that is made once and reused, and the loop over it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace feldspar {

/// A fixed set of threads that run one loop at a time.
class ThreadPool {
 public:
  /// `threads` in all, the caller of for_each included; 0 takes what the process may use.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Threads in all, the caller of for_each included.
  [[nodiscard]] int size() const noexcept { return static_cast<int>(workers_.size()) + 1; }

  /// Calls body(index, worker) for every index in [0, count), in no order, `worker` in [0, size()), and
  /// returns when all are done. The first exception stops the loop and is rethrown here. A call from
  /// inside a body, but to another pool of one thread, throws Error(internal).
  void for_each(std::ptrdiff_t count, const std::function<void(std::ptrdiff_t index, int worker)>& body);

 private:
  struct Loop;
  void serve(int worker);
  void run(Loop& loop, int worker);

  std::mutex one_loop_;
  std::mutex mutex_;
  std::condition_variable start_;
  std::condition_variable finished_;
  Loop* loop_ = nullptr;
  std::size_t generation_ = 0;
  int active_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

/// Processors this process may run on.
[[nodiscard]] int usable_processors() noexcept;

}  // namespace feldspar
