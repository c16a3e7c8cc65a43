#include "tests/support/software_cuda/memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

#include "tests/support/software_cuda/machine.hpp"

namespace feldspar::testing::software_cuda {
namespace {

constexpr std::size_t page = 4096, poison_bytes = std::size_t{16} << 20, room = std::size_t{1} << 40;
constexpr int most_devices = 4;

std::size_t up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

/// A file whose pages are copied when they are written: 64 MiB of NaN cost nothing until then.
int poison() {
  static const int file = [] {
    const int made = memfd_create("poison", 0);
    const std::vector<std::uint8_t> ones(poison_bytes, 0xff);
    return write(made, ones.data(), ones.size()) == static_cast<ssize_t>(ones.size()) ? made : -1;
  }();
  return file;
}

/// A key a device, all 0 where the processor has none.
int key_of(int device) {
  static const std::array<int, most_devices> keys = [] {
    std::array<int, most_devices> made{};
    for (int& key : made) key = std::max(0, pkey_alloc(0, PKEY_DISABLE_ACCESS));
    return made;
  }();
  return device < 0 ? 0 : keys.at(static_cast<std::size_t>(device));
}

char* take(std::size_t bytes) {
  static char* const all =
      static_cast<char*>(mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  static std::atomic<std::size_t> used{page};
  const std::size_t first = used.fetch_add(bytes + page);
  if (all == MAP_FAILED || first + bytes + page > room) throw std::bad_alloc();
  return all + first;
}

void expect_poison(const char* first, const char* end) {
  if (std::all_of(first, end, [](char c) { return c == '\xff'; })) return;
  std::fputs("software CUDA: something was written beside a block of memory\n", stderr);
  std::abort();
}

}  // namespace

bool host_is_kept_out() { return key_of(0) > 0; }

void enter_memory(int device) {
  if (key_of(device) > 0) pkey_set(key_of(device), 0);
}
void leave_memory(int device) {
  if (key_of(device) > 0) pkey_set(key_of(device), PKEY_DISABLE_ACCESS);
}

char* allocate(std::size_t bytes, int device) {
  const std::size_t mapped = up(bytes, page);
  char* const first = take(mapped);
  for (std::size_t done = 0; done < mapped; done += poison_bytes)
    if (mmap(first + done, std::min(poison_bytes, mapped - done), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, poison(), 0) == MAP_FAILED)
      return nullptr;
  if (key_of(device) > 0 && pkey_mprotect(first, mapped, PROT_READ | PROT_WRITE, key_of(device)) != 0)
    return nullptr;
  return first + mapped - up(bytes, 16);
}

void release(char* memory, std::size_t bytes, int device) {
  char* const end = memory + up(bytes, 16);
  char* const first = end - up(bytes, page);
  enter_memory(device);
  expect_poison(first, memory);
  expect_poison(memory + bytes, end);
  leave_memory(device);
  (void)mmap(first, up(bytes, page), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
             0);
}

}  // namespace feldspar::testing::software_cuda
