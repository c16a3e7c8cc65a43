// Stages of work that run at the same time and hand each other items: read | compute | write.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace feldspar::recon {

/// Ends all stages of a conveyor together: the first failure stops every queue and is kept.
class Conveyor {
 public:
  Conveyor() = default;
  Conveyor(const Conveyor&) = delete;
  Conveyor& operator=(const Conveyor&) = delete;
  ~Conveyor() {
    stop(nullptr);
    join();
  }

  /// Runs `stage` on a thread of its own.
  void start(std::function<void()> stage) {
    threads_.emplace_back([this, stage = std::move(stage)] {
      try {
        stage();
      } catch (...) {
        stop(std::current_exception());
      }
    });
  }

  /// Wakes every waiting stage; `failure` is rethrown by finish() unless an earlier one was kept.
  void stop(std::exception_ptr failure) {
    {
      const std::scoped_lock lock(mutex_);
      if (failure && !failure_) failure_ = failure;
      stopped_ = true;
    }
    changed_.notify_all();
  }

  /// Waits for all stages to return and rethrows the first failure.
  void finish() {
    join();
    if (failure_) std::rethrow_exception(failure_);
  }

  template <class Item>
  class Queue;

 private:
  void join() {
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

/// Items on their way from one stage to another. What bounds it is the number of items there are.
template <class Item>
class Conveyor::Queue {
 public:
  /// Ends with `conveyor`, which must outlive it.
  explicit Queue(Conveyor& conveyor) : conveyor_(conveyor) {}

  /// Adds an item and wakes who waits for one.
  void push(Item item) {
    {
      const std::scoped_lock lock(conveyor_.mutex_);
      items_.push_back(std::move(item));
    }
    conveyor_.changed_.notify_all();
  }

  /// No more items will come: waiting receivers get nothing once the queue is empty.
  void close() {
    {
      const std::scoped_lock lock(conveyor_.mutex_);
      closed_ = true;
    }
    conveyor_.changed_.notify_all();
  }

  /// The next item, or nothing when the queue is closed and empty or the conveyor was stopped.
  [[nodiscard]] std::optional<Item> pop() {
    std::unique_lock lock(conveyor_.mutex_);
    conveyor_.changed_.wait(lock, [&] { return conveyor_.stopped_ || closed_ || !items_.empty(); });
    if (conveyor_.stopped_ || items_.empty()) return std::nullopt;
    std::optional<Item> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }

 private:
  Conveyor& conveyor_;
  std::deque<Item> items_;
  bool closed_ = false;
};

}  // namespace feldspar::recon
