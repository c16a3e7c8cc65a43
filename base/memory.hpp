// Memory under a budget: blocks that are counted while they live, so that a plan which was too
// hopeful ends in a clear error instead of a killed process.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "base/view3.hpp"

namespace feldspar {

/// Bytes that may be allocated at one time. Thread-safe.
class MemoryBudget {
 public:
  static constexpr std::size_t unlimited = ~std::size_t{0};  ///< bytes: no limit at all

  /// Of `limit` bytes.
  explicit MemoryBudget(std::size_t limit = unlimited) : limit_(limit) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;
  ~MemoryBudget() = default;

  /// Counts `bytes` for `purpose`; throws Error(out_of_memory) naming need, use and limit.
  void reserve(std::size_t bytes, std::string_view purpose);
  /// Gives back what was reserved.
  void release(std::size_t bytes) noexcept { used_ -= bytes; }

  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }  ///< bytes
  [[nodiscard]] std::size_t used() const noexcept { return used_; }    ///< bytes, now
  [[nodiscard]] std::size_t peak() const noexcept { return peak_; }    ///< bytes, at most so far

 private:
  std::size_t limit_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> peak_{0};
};

/// An owned, 64-byte aligned, uninitialised block of bytes, counted against a budget if one is given.
class Block {
 public:
  Block() = default;
  /// Throws Error(out_of_memory) naming `purpose` when the budget or the system has no room.
  Block(std::size_t bytes, std::string_view purpose, MemoryBudget* budget = nullptr);
  /// Leaves the other one empty.
  Block(Block&& other) noexcept { swap(other); }
  /// The other one gets what this one had.
  Block& operator=(Block&& other) noexcept {
    swap(other);
    return *this;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block();

  [[nodiscard]] void* data() const noexcept { return data_; }          ///< null when it is empty
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }  ///< its size

 private:
  void swap(Block& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(budget_, other.budget_);
  }
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
  MemoryBudget* budget_ = nullptr;
};

/// An owned block of values with three indices, x fastest; uninitialised until filled.
template <class T>
class Array3 {
 public:
  Array3() = default;
  /// Of nx x ny x nz values. Throws as Block.
  Array3(int nx, int ny, int nz, std::string_view purpose = "array", MemoryBudget* budget = nullptr)
      : view_{nullptr, nx, ny, nz}, block_(view_.bytes(), purpose, budget) {
    view_.data = static_cast<T*>(block_.data());
  }
  /// Leaves the other one empty.
  Array3(Array3&& other) noexcept : view_(std::exchange(other.view_, {})), block_(std::move(other.block_)) {}
  /// The other one gets what this one had.
  Array3& operator=(Array3&& other) noexcept {
    std::swap(view_, other.view_);
    block_ = std::move(other.block_);
    return *this;
  }
  Array3(const Array3&) = delete;
  Array3& operator=(const Array3&) = delete;
  ~Array3() = default;
  [[nodiscard]] View3<T> view() const noexcept { return view_; }  ///< valid as long as the array is
  [[nodiscard]] T* data() const noexcept { return view_.data; }   ///< the first value
  [[nodiscard]] T& operator()(int x, int y, int z) const noexcept { return view_(x, y, z); }  ///< not checked
  [[nodiscard]] std::size_t size() const noexcept { return view_.size(); }  ///< number of values
  /// Sets every value.
  void fill(T value) const {
    for (T& element : view_.values()) element = value;
  }

 private:
  View3<T> view_;
  Block block_;
};

}  // namespace feldspar
