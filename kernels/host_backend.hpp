// What backends that compute in host memory share: buffers are blocks of it, transfers are copies, and
// nothing is ever pending.
#pragma once

#include <cstring>
#include <memory>

#include "kernels/backend.hpp"

namespace feldspar::kernels {

/// A buffer in host memory.
class HostBuffer final : public Buffer {
 public:
  /// Owns the block.
  explicit HostBuffer(Block block) : block_(std::move(block)) {}
  [[nodiscard]] void* data() const noexcept override { return block_.data(); }
  [[nodiscard]] std::size_t bytes() const noexcept override { return block_.bytes(); }

 private:
  Block block_;
};

/// A backend that computes in host memory and finishes before it returns.
class HostBackend : public Backend {
 public:
  /// Its buffers count against `budget`, which may be null.
  explicit HostBackend(MemoryBudget* budget) : budget_(budget) {}

  [[nodiscard]] bool uses_host_memory() const noexcept override { return true; }
  [[nodiscard]] std::unique_ptr<Buffer> allocate(std::size_t bytes, std::string_view purpose) override {
    return std::make_unique<HostBuffer>(Block(bytes, purpose, budget_));
  }
  [[nodiscard]] std::unique_ptr<Buffer> allocate_staging(std::size_t bytes,
                                                         std::string_view purpose) override {
    return allocate(bytes, purpose);
  }
  void upload(const void* host, void* device, std::size_t bytes) override {
    std::memcpy(device, host, bytes);
  }
  void download(const void* device, void* host, std::size_t bytes) override {
    std::memcpy(host, device, bytes);
  }
  void fill_zero(void* device, std::size_t bytes) override { std::memset(device, 0, bytes); }
  void wait() override {}

 protected:
  [[nodiscard]] MemoryBudget* budget() const noexcept { return budget_; }  ///< may be null

 private:
  MemoryBudget* budget_;
};

}  // namespace feldspar::kernels
