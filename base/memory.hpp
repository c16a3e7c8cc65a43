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
  static constexpr std::size_t unlimited = ~std::size_t{0};

  explicit MemoryBudget(std::size_t limit = unlimited) : limit_(limit) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Counts `bytes` for `purpose`; throws Error(out_of_memory) naming need, use and limit.
  void reserve(std::size_t bytes, std::string_view purpose);
  void release(std::size_t bytes) noexcept { used_ -= bytes; }

  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }
  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  [[nodiscard]] std::size_t peak() const noexcept { return peak_; }

 private:
  std::size_t limit_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> peak_{0};
};

/// An owned, 64-byte aligned, uninitialised block of bytes, counted against a budget if one is given.
class Block {
 public:
  Block() = default;
  Block(std::size_t bytes, std::string_view purpose, MemoryBudget* budget = nullptr);
  Block(Block&& other) noexcept { swap(other); }
  Block& operator=(Block&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Block();

  [[nodiscard]] void* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

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
  Array3(int nx, int ny, int nz, std::string_view purpose = "array", MemoryBudget* budget = nullptr)
      : view_{nullptr, nx, ny, nz}, block_(view_.bytes(), purpose, budget) {
    view_.data = static_cast<T*>(block_.data());
  }
  Array3(Array3&& other) noexcept : view_(std::exchange(other.view_, {})), block_(std::move(other.block_)) {}
  Array3& operator=(Array3&& other) noexcept {
    std::swap(view_, other.view_);
    block_ = std::move(other.block_);
    return *this;
  }
  [[nodiscard]] View3<T> view() const noexcept { return view_; }
  [[nodiscard]] T* data() const noexcept { return view_.data; }
  [[nodiscard]] T& operator()(int x, int y, int z) const noexcept { return view_(x, y, z); }
  [[nodiscard]] std::size_t size() const noexcept { return view_.size(); }
  void fill(T value) const {
    for (T& element : view_.values()) element = value;
  }

 private:
  View3<T> view_;
  Block block_;
};

}  // namespace feldspar
