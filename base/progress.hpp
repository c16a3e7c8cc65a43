// How far a long task is, counted in work done, and the way to stop it.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace feldspar {

/// Told of progress: the fraction done in [0, 1] and what is being done. Returning false cancels the task.
using ProgressMonitor = std::function<bool(double fraction, std::string_view stage)>;

/// Counts the work of one task. The fraction never falls, and reaches 1 only when all work is done.
class Progress {
 public:
  /// Told to `monitor`, or to nobody.
  explicit Progress(ProgressMonitor monitor = {}) : monitor_(std::move(monitor)) {}

  /// The work of the whole task, in any unit that is proportional to time.
  void expect(double total);

  /// Adds finished work, or takes back with a negative number what has to be done again. Throws
  /// Error(cancelled) when the monitor asks to stop. Thread-safe.
  void advance(double work, std::string_view stage);

 private:
  std::mutex mutex_;
  ProgressMonitor monitor_;
  double total_ = 0;
  double done_ = 0;
  double shown_ = 0;  // the largest fraction so far
};

}  // namespace feldspar
