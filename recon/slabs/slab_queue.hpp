// The slabs of one reconstruction, taken by the devices that share it and given back by those that fail.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "geometry/coverage.hpp"

namespace feldspar::recon {

/// Thread-safe. Every take() that returns slices is followed by done(), give_back() or leave() with them.
class SlabQueue {
 public:
  /// All slabs are waiting, for so many workers.
  SlabQueue(const std::vector<geometry::Range>& slabs, int workers)
      : waiting_(slabs.begin(), slabs.end()), workers_(workers) {}

  /// The next slices, at most `most` of them; the rest of a higher slab stays. Waits while other workers may
  /// still give theirs back. Nothing when all are done or the queue was stopped.
  [[nodiscard]] std::optional<geometry::Range> take(int most) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || !waiting_.empty() || taken_ == 0; });
    return next(most);
  }
  /// The same without waiting: for workers that still hold slices.
  [[nodiscard]] std::optional<geometry::Range> take_now(int most) {
    const std::scoped_lock lock(mutex_);
    return next(most);
  }

  /// The slices that a take() gave are stored.
  void done() { finish_taking({}); }
  /// The slices that a take() gave are to be given out again.
  void give_back(geometry::Range slices) { finish_taking(std::span(&slices, 1)); }

  /// Gives all of a worker's slices back, which takes no more. False, with nothing given back, when no other
  /// worker is left.
  [[nodiscard]] bool leave(std::span<const geometry::Range> slices) {
    {
      const std::scoped_lock lock(mutex_);
      if (workers_ == 1) return false;
      --workers_;
    }
    finish_taking(slices);
    return true;
  }

  /// Ends all: nothing will be given out any more.
  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
  }
  /// Nothing will be given out any more.
  [[nodiscard]] bool stopped() const {
    const std::scoped_lock lock(mutex_);
    return stopped_;
  }

 private:
  std::optional<geometry::Range> next(int most) {  // under the lock
    if (stopped_ || waiting_.empty()) return std::nullopt;
    geometry::Range slices = waiting_.front();
    waiting_.pop_front();
    if (slices.count() > most) {
      waiting_.push_front({slices.first + most, slices.end});
      slices.end = slices.first + most;
    }
    ++taken_;
    return slices;
  }

  /// Of the slices given back, or of one worker's slices that are done.
  void finish_taking(std::span<const geometry::Range> back) {
    {
      const std::scoped_lock lock(mutex_);
      taken_ -= std::max(1, static_cast<int>(back.size()));
      waiting_.insert(waiting_.begin(), back.begin(), back.end());
    }
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<geometry::Range> waiting_;
  int taken_ = 0;
  int workers_;
  bool stopped_ = false;
};

}  // namespace feldspar::recon
