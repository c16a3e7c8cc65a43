// The seam between algorithms and machines: a device to choose, memory on it, and the operators it makes.
//
// Work on a backend is queued: operators and transfers return at once where the device allows it, in
// order, and Backend::wait() returns when all of it is done. Host backends finish before returning.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory.hpp"
#include "base/view3.hpp"

namespace feldspar::kernels {

class Attenuation;
class BackProjector;
class Correction;
class Filter;
class ForwardProjector;
class Rectifier;
class RowExtender;
struct AttenuationSpec;
struct BackProjectorSpec;
struct CorrectionSpec;
struct FilterSpec;

/// A block of values where a backend works. Like View3, but only operators may look inside: the memory
/// need not be the host's.
template <class T>
struct DeviceView3 {
  T* data = nullptr;  ///< the first value, where the backend works
  int nx = 0;         ///< values along the first index, which runs fastest
  int ny = 0;         ///< along the second
  int nz = 0;         ///< along the third
  /// Number of values.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return View3<T>{data, nx, ny, nz}.size(); }
  /// The same values, not to be changed.
  constexpr operator DeviceView3<const T>() const noexcept  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<T>) {
    return {data, nx, ny, nz};
  }
};

/// Owned memory where a backend works, uninitialised.
class Buffer {
 public:
  virtual ~Buffer() = default;
  [[nodiscard]] virtual void* data() const noexcept = 0;         ///< where the backend works
  [[nodiscard]] virtual std::size_t bytes() const noexcept = 0;  ///< its size
};

/// A place in a backend's queue.
class Marker {
 public:
  virtual ~Marker() = default;
  /// Behind all that has been queued so far.
  virtual void set() = 0;
  /// Returns when all before the place last set is done; at once when none was.
  virtual void wait() = 0;
};

/// A device with its queue, and what makes operators for it.
class Backend {
 public:
  virtual ~Backend() = default;

  /// As open_backend takes it: "cpu:avx512", "cuda:0", "reference".
  [[nodiscard]] virtual std::string name() const = 0;

  /// True when buffers are host memory that the caller may read and write between operators.
  [[nodiscard]] virtual bool uses_host_memory() const noexcept = 0;

  /// Throws Error(out_of_memory) when the device or the budget has no room, naming `purpose`.
  [[nodiscard]] virtual std::unique_ptr<Buffer> allocate(std::size_t bytes, std::string_view purpose) = 0;

  /// Copies bytes from the host into a buffer. `host` must stay as it is until wait().
  virtual void upload(const void* host, void* device, std::size_t bytes) = 0;
  /// Copies bytes of a buffer to the host, where they are after wait().
  virtual void download(const void* device, void* host, std::size_t bytes) = 0;
  /// Sets bytes of a buffer to 0.
  virtual void fill_zero(void* device, std::size_t bytes) = 0;
  /// Returns when all that was queued is done. Throws Error(device) when some of it failed.
  virtual void wait() = 0;
  /// Not set yet.
  [[nodiscard]] virtual std::unique_ptr<Marker> make_marker();

  /// Copies beside what is queued, from any thread, and returns when the copy is done. Nothing that is queued
  /// or running may touch `device`.
  virtual void upload_beside(const void* host, void* device, std::size_t bytes) {
    upload(host, device, bytes);
    wait();
  }
  /// The same from the device: nothing that is queued or running may write to `device`.
  virtual void download_beside(const void* device, void* host, std::size_t bytes) {
    download(device, host, bytes);
    wait();
  }

  /// Bytes that allocate() can still give of a memory of the device's own; 0 where buffers are host memory.
  [[nodiscard]] virtual std::size_t device_memory_left() const { return 0; }

  /// Host memory that upload and download are fastest with. Throws as allocate() does.
  [[nodiscard]] virtual std::unique_ptr<Buffer> allocate_staging(std::size_t bytes,
                                                                 std::string_view purpose) = 0;

  /// True when back-projectors of this backend can merge neighbouring views (kernels/view_merging.hpp).
  [[nodiscard]] virtual bool merges_views() const noexcept { return false; }

  /// Counts to line integrals.
  [[nodiscard]] virtual std::unique_ptr<Attenuation> make_attenuation(const AttenuationSpec& spec) = 0;
  /// Corrections of line integrals.
  [[nodiscard]] virtual std::unique_ptr<Correction> make_correction(const CorrectionSpec& spec) = 0;
  /// Resampling onto an upright detector.
  [[nodiscard]] virtual std::unique_ptr<Rectifier> make_rectifier() = 0;
  /// Weighting and ramp filter.
  [[nodiscard]] virtual std::unique_ptr<Filter> make_filter(const FilterSpec& spec) = 0;
  /// Projections into a volume.
  [[nodiscard]] virtual std::unique_ptr<BackProjector> make_back_projector(const BackProjectorSpec& spec) = 0;
  /// A volume into projections.
  [[nodiscard]] virtual std::unique_ptr<ForwardProjector> make_forward_projector() = 0;
  /// Continuation of truncated rows.
  [[nodiscard]] virtual std::unique_ptr<RowExtender> make_row_extender() = 0;
};

/// A device that could be opened, or why it cannot.
struct DeviceInfo {
  std::string name;         ///< as open_backend takes it
  std::string description;  ///< for people: model, memory, instruction set
  int preference = 0;       ///< the largest is "auto"; 0 is never chosen automatically
  std::size_t memory = 0;   ///< bytes of its own memory; 0 for host backends
  std::string unavailable;  ///< empty when it can be opened, else the reason
};

/// What a backend may take.
struct BackendOptions {
  int threads = 0;                 ///< of host backends; 0 takes what the process may use
  MemoryBudget* budget = nullptr;  ///< host memory that buffers count against
  std::size_t device_memory = 0;   ///< bytes to use of a device's own at most; 0 for what the driver has free
};

/// All devices of this build, the preferred first. Never throws: what cannot be used says why.
[[nodiscard]] std::vector<DeviceInfo> list_devices();

/// Opens "auto", "cpu", "cpu:avx512", "cpu:avx2", "cpu:baseline", "cuda", "cuda:1" or "reference".
/// Throws Error(usage) for an unknown name, Error(unsupported) when this build or machine lacks it,
/// Error(device) when it fails.
[[nodiscard]] std::unique_ptr<Backend> open_backend(std::string_view name,
                                                    const BackendOptions& options = {});

/// Opens devices that share one task: one name as above, several as "cuda:0,cuda:2", or with "cuda" all that
/// can be, with a warning of others. Throws as open_backend does, and Error(usage) for a mixture of kinds.
[[nodiscard]] std::vector<std::unique_ptr<Backend>> open_backends(std::string_view names,
                                                                  const BackendOptions& options = {});

}  // namespace feldspar::kernels
