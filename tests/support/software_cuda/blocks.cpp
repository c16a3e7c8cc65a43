#undef _FORTIFY_SOURCE  // which takes a jump to another stack for an error
#include "tests/support/software_cuda/blocks.hpp"

#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace feldspar::testing::software_cuda {
namespace {

constexpr std::size_t page = 4096, stack_bytes = 128 << 10, static_bytes = 64 << 10,
                      dynamic_bytes = 256 << 10;
thread_local Blocks* blocks = nullptr;

/// Between two pages that nobody may touch.
char* map(std::size_t bytes) {
  void* all = mmap(nullptr, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char* const first = static_cast<char*>(all) + page;
  if (all == MAP_FAILED || mprotect(first, bytes, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
  return first;
}
void unmap(char* first, std::size_t bytes) { munmap(first - page, bytes + 2 * page); }

}  // namespace

struct Blocks::Fiber {
  Fiber() : stack(map(stack_bytes)) {}
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() { unmap(stack, stack_bytes); }
  char* stack;
  bool started = false;
  std::jmp_buf place;
};

Blocks::Blocks(unsigned seed) : random_(seed), static_(map(static_bytes)), dynamic_(map(dynamic_bytes)) {
  blocks = this;
}
Blocks::~Blocks() {
  unmap(static_, static_bytes);
  unmap(dynamic_, dynamic_bytes);
}
Blocks& Blocks::current() { return *blocks; }

void Blocks::forget() {
  idle_.clear(), waiting_.clear(), ready_.clear();
  for (const auto& fiber : fibers_) fiber->started = false, idle_.push_back(fiber.get());
}

void Blocks::run(const Launch& launch, const std::function<void()>& thread, int ignored) {
  thread_ = thread, ignored_ = ignored;
  shared_ = (launch.shared + 15) / 16 * 16;
  blockDim = launch.block, gridDim = launch.grid;
  order_.clear();
  for (unsigned z = 0; z < blockDim.z; ++z)
    for (unsigned y = 0; y < blockDim.y; ++y)
      for (unsigned x = 0; x < blockDim.x; ++x) order_.push_back({x, y, z});
  std::vector<std::size_t> all(std::size_t{gridDim.x} * gridDim.y * gridDim.z);
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::shuffle(all.begin(), all.end(), random_);
  for (const std::size_t n : all) {
    blockIdx = {unsigned(n % gridDim.x), unsigned(n / gridDim.x % gridDim.y),
                unsigned(n / gridDim.x / gridDim.y)};
    run_block();
    if (diverged_)
      throw std::logic_error("some threads of a block wait at a barrier where others have ended");
  }
}

void Blocks::run_block() {
  std::shuffle(order_.begin(), order_.end(), random_);
  std::memset(dynamic_shared(), 0xff, shared_);
  statics_.clear();
  next_ = 0, arrived_ = 0, diverged_ = false;
  if (_setjmp(home_) == 0) go_on();
  if (diverged_) forget();
}

/// Another thread of the block, or back to run_block() when all have ended.
void Blocks::go_on() {
  if (next_ < order_.size()) resume(idle_fiber());
  if (ready_.empty() && !waiting_.empty()) release();
  if (ready_.empty() || diverged_) _longjmp(home_, 1);
  Fiber& fiber = *ready_.back();
  ready_.pop_back();
  resume(fiber);
}

void Blocks::resume(Fiber& fiber) {
  running_ = &fiber;
  if (std::exchange(fiber.started, true)) _longjmp(fiber.place, 1);
  ucontext_t context{};
  getcontext(&context);
  context.uc_stack.ss_sp = fiber.stack;
  context.uc_stack.ss_size = stack_bytes;
  makecontext(&context, &Blocks::work, 0);
  setcontext(&context);
  std::abort();
}

/// A fiber takes one thread of the block after the other; at a barrier it stays with the one it has.
void Blocks::work() {
  Blocks& own = current();
  Fiber& fiber = *own.running_;
  for (;;) {
    while (own.next_ < own.order_.size()) {
      threadIdx = own.order_[own.next_++];
      own.passed_ = 0;
      own.thread_();
    }
    own.idle_.push_back(&fiber);
    if (_setjmp(fiber.place) == 0) own.go_on();
  }
}

Blocks::Fiber& Blocks::idle_fiber() {
  if (idle_.empty()) idle_.push_back(fibers_.emplace_back(std::make_unique<Fiber>()).get());
  Fiber& fiber = *idle_.back();
  idle_.pop_back();
  return fiber;
}

void Blocks::release() {
  diverged_ = waiting_.size() != order_.size();
  result_ = std::exchange(arrived_, 0);
  std::swap(ready_, waiting_);
  std::shuffle(ready_.begin(), ready_.end(), random_);
}

[[gnu::noinline]] int Blocks::barrier(int value) {
  if (passed_++ == ignored_) return value != 0;
  const uint3 own = threadIdx;
  const int passed = passed_;
  arrived_ += value != 0;
  waiting_.push_back(running_);
  if (_setjmp(running_->place) == 0) go_on();
  threadIdx = own, passed_ = passed;
  return result_;
}

/// The first variable ends where its memory ends, the next one before it.
void* Blocks::static_shared(int line, std::size_t bytes) {
  for (const auto& [known, place] : statics_)
    if (known == line) return place;
  char* const end = statics_.empty() ? static_ + static_bytes : statics_.back().second;
  statics_.emplace_back(line, end - (bytes + 15) / 16 * 16);
  return std::memset(statics_.back().second, 0xff, bytes);
}

void* Blocks::dynamic_shared() const { return dynamic_ + dynamic_bytes - shared_; }

}  // namespace feldspar::testing::software_cuda
