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
  /// Room for so many values. Throws as Backend::allocate.
  DeviceArray3(kernels::Backend& backend, std::size_t values, std::string_view purpose)
      : backend_(&backend), buffer_(backend.allocate(values * sizeof(T), purpose)) {}

  /// The first nx * ny * nz values.
  [[nodiscard]] kernels::DeviceView3<T> view(int nx, int ny, int nz) const {
    return {static_cast<T*>(buffer_->data()), nx, ny, nz};
  }
  /// Only where Backend::uses_host_memory().
  [[nodiscard]] View3<T> host_view(int nx, int ny, int nz) const {
    return {static_cast<T*>(buffer_->data()), nx, ny, nz};
  }

  /// Queues zeros for the first `values`.
  void fill_zero(std::size_t values) { backend_->fill_zero(buffer_->data(), values * sizeof(T)); }
  /// Queues a copy of `values` from the host, as Backend::upload.
  void upload(const void* host, std::size_t values) {
    backend_->upload(host, buffer_->data(), values * sizeof(T));
  }
  /// Queues a copy of the first `values` to the host, as Backend::download.
  void download(void* host, std::size_t values) const {
    backend_->download(buffer_->data(), host, values * sizeof(T));
  }
  /// The same beside what is queued, as Backend::download_beside.
  void download_beside(void* host, std::size_t values) const {
    backend_->download_beside(buffer_->data(), host, values * sizeof(T));
  }

 private:
  kernels::Backend* backend_;
  std::unique_ptr<kernels::Buffer> buffer_;
};

}  // namespace feldspar::recon
