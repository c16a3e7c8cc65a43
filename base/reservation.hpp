// Memory that is counted against a budget without being had through it.
#pragma once

#include "base/memory.hpp"

namespace feldspar {

/// Bytes counted against a budget while it lives: for memory that is had in another way than through Block.
class Reservation {
 public:
  Reservation() = default;
  /// Throws as MemoryBudget::reserve.
  Reservation(MemoryBudget& budget, std::size_t bytes, std::string_view purpose)
      : budget_(&budget), bytes_(bytes) {
    budget.reserve(bytes, purpose);
  }
  /// Leaves the other one empty.
  Reservation(Reservation&& other) noexcept { swap(other); }
  /// The other one gets what this one had.
  Reservation& operator=(Reservation&& other) noexcept {
    swap(other);
    return *this;
  }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation() {
    if (budget_) budget_->release(bytes_);
  }

 private:
  void swap(Reservation& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
  }
  MemoryBudget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace feldspar
