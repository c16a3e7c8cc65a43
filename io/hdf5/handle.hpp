// Owners of HDF5 identifiers, and the one place where the library's failures become Errors.
#pragma once

#include <hdf5.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace feldspar::io {

/// Throws Error(io) with what HDF5's own error stack says first, after `doing` ("cannot write FILE").
[[noreturn]] void fail_hdf5(std::string_view doing);

/// Stops HDF5 from printing its error stack to stderr; once is enough.
void silence_hdf5();

/// An identifier that is closed by `close` when its owner goes.
class Hdf5Id {
 public:
  using Close = herr_t (*)(hid_t);
  Hdf5Id() = default;
  /// Throws as fail_hdf5 when `id` is not valid.
  Hdf5Id(hid_t id, Close close, std::string_view doing) : id_(id), close_(close) {
    if (id < 0) fail_hdf5(doing);
  }
  Hdf5Id(Hdf5Id&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Id& operator=(Hdf5Id&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Id() { reset(); }
  void reset() noexcept {
    if (id_ >= 0) (void)close_(id_);
    id_ = -1;
  }
  operator hid_t() const noexcept { return id_; }  // NOLINT(google-explicit-constructor)

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

inline void check_hdf5(herr_t status, std::string_view doing) {
  if (status < 0) fail_hdf5(doing);
}

/// Groups, text values and attributes as NeXus wants them.
[[nodiscard]] Hdf5Id make_group(hid_t parent, const std::string& name, const std::string& nx_class);
void write_text(hid_t parent, const std::string& name, const std::string& value);
void write_attribute(hid_t object, const std::string& name, const std::string& value);
void write_attribute(hid_t object, const std::string& name, const std::vector<std::string>& values);
void write_attribute(hid_t object, const std::string& name, const std::vector<double>& values);
void write_attribute(hid_t object, const std::string& name, int value);

/// Empty when there is no such text.
[[nodiscard]] std::string read_text(hid_t parent, const std::string& path);

}  // namespace feldspar::io
