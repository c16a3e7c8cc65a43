#include "base/memory.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

void MemoryBudget::reserve(std::size_t bytes, std::string_view purpose) {
  std::size_t before = used_;
  do {
    if (bytes > limit_ - before)
      throw Error(ErrorKind::out_of_memory,
                  fmt::format("{} needs {}, but {} of the budget of {} are in use", purpose,
                              format_bytes(bytes), format_bytes(before), format_bytes(limit_)),
                  {{"memory", "", "raise"}});
  } while (!used_.compare_exchange_weak(before, before + bytes));
  const std::size_t now = before + bytes;
  for (std::size_t peak = peak_; peak < now && !peak_.compare_exchange_weak(peak, now);) {
  }
}

Block::Block(std::size_t bytes, std::string_view purpose, MemoryBudget* budget)
    : bytes_(bytes), budget_(budget) {
  if (bytes == 0) return;
  if (budget_) budget_->reserve(bytes, purpose);
  const std::size_t alignment = bytes >= 4 * huge_page ? huge_page : cache_line;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  data_ = std::aligned_alloc(alignment, rounded);
  if (!data_) {
    if (budget_) budget_->release(bytes);
    throw Error(ErrorKind::out_of_memory,
                fmt::format("{} needs {}, which the system does not have", purpose, format_bytes(bytes)),
                {{"memory", "", "lower"}});
  }
  // Fewer page-table misses in back-projection; a refusal costs nothing but speed.
  if (alignment == huge_page) (void)madvise(data_, bytes, MADV_HUGEPAGE);
}

Block::~Block() {
  std::free(data_);
  if (budget_ && data_) budget_->release(bytes_);
}

}  // namespace feldspar
