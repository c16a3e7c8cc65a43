// The blocks of a launch in software: all threads of one are fibers of the thread of the host that runs it.
#pragma once

#include <csetjmp>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "tests/support/software_cuda/machine.hpp"

namespace feldspar::testing::software_cuda {

class Blocks {
 public:
  explicit Blocks(unsigned seed);
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks();

  /// Runs all blocks in random order; every thread passes by its barrier number `ignored`. Throws
  /// std::logic_error when some threads of a block wait where others have ended.
  void run(const Launch& launch, const std::function<void()>& thread, int ignored);
  /// After a thread was left in the middle of its work.
  void forget();

  // What a thread calls.
  int barrier(int value);
  void* static_shared(int line, std::size_t bytes);
  [[nodiscard]] void* dynamic_shared() const;

  /// Of the calling thread of the host.
  static Blocks& current();

 private:
  struct Fiber;
  void run_block();
  [[noreturn]] void go_on();
  [[noreturn]] void resume(Fiber& fiber);
  static void work();
  [[nodiscard]] Fiber& idle_fiber();
  void release();

  std::minstd_rand random_;
  std::function<void()> thread_;
  int ignored_ = -1;
  std::vector<uint3> order_;
  std::size_t next_ = 0;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_, waiting_, ready_;
  Fiber* running_ = nullptr;
  std::jmp_buf home_;
  int arrived_ = 0, result_ = 0, passed_ = 0;
  bool diverged_ = false;
  char* static_;
  char* dynamic_;
  std::size_t shared_ = 0;  ///< bytes of the dynamic that are the launch's
  std::vector<std::pair<int, char*>> statics_;
};

}  // namespace feldspar::testing::software_cuda
