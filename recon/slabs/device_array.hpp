// Blocks of values where a backend works.
#pragma once

#include <memory>
#include <string_view>

#include "base/view3.hpp"
#include "kernels/backend.hpp"

namespace feldspar::recon {

/// Owned values on a backend. Its shape may shrink and grow again within what was allocated.
template <class T>
class DeviceArray3 {
 public:
  DeviceArray3(kernels::Backend& backend, std::size_t values, std::string_view purpose)
      : backend_(&backend), buffer_(backend.allocate(values * sizeof(T), purpose)) {}

  [[nodiscard]] kernels::DeviceView3<T> view(int nx, int ny, int nz) const {
    return {static_cast<T*>(buffer_->data()), nx, ny, nz};
  }
  /// Only where Backend::uses_host_memory().
  [[nodiscard]] View3<T> host_view(int nx, int ny, int nz) const {
    return {static_cast<T*>(buffer_->data()), nx, ny, nz};
  }

  void fill_zero(std::size_t values) { backend_->fill_zero(buffer_->data(), values * sizeof(T)); }
  void upload(const void* host, std::size_t values) {
    backend_->upload(host, buffer_->data(), values * sizeof(T));
  }
  void download(void* host, std::size_t values) const {
    backend_->download(buffer_->data(), host, values * sizeof(T));
  }
  void download_beside(void* host, std::size_t values) const {
    backend_->download_beside(buffer_->data(), host, values * sizeof(T));
  }

 private:
  kernels::Backend* backend_;
  std::unique_ptr<kernels::Buffer> buffer_;
};

}  // namespace feldspar::recon
