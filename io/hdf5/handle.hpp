// Owners of HDF5 identifiers, and the one way a failed call of the library becomes an exception.
#pragma once

#include <hdf5.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

namespace feldspar::io::hdf5 {

/// A call of the HDF5 library failed. It knows no file: whoever does turns it into an Error.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Keeps the library from printing its errors. It remembers this for each thread by itself, so every thread
/// calls this before its first call of the library; repeated calls cost nothing.
void silence() noexcept;

/// Throws Failure with `what` and the innermost error of the library.
[[noreturn]] void fail(const std::string& what);

/// Passes a status, identifier or size through; negative ones throw Failure.
template <class T>
T check(T status, const char* what) {
  if (status < 0) fail(what);
  return status;
}

/// How often an identifier could not be closed by an Owner that ended. Closing an object may write, and what
/// it could not write is lost: a file during whose making the count grew is not whole (see OutputFile).
[[nodiscard]] long failed_closings() noexcept;
void note_failed_closing() noexcept;

/// Closes an identifier with the function that belongs to its kind.
template <herr_t (*close_id)(hid_t)>
class Owner {
 public:
  Owner() = default;
  Owner(hid_t id, const char* what) : id_(check(id, what)) {}
  Owner(Owner&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Owner& operator=(Owner&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() {
    if (id_ >= 0 && close_id(id_) < 0) note_failed_closing();
  }

  /// Closes now, for objects whose closing writes; throws Failure.
  void close(const char* what) { check(close_id(std::exchange(id_, H5I_INVALID_HID)), what); }

  operator hid_t() const noexcept { return id_; }  // NOLINT(google-explicit-constructor)

 private:
  hid_t id_ = H5I_INVALID_HID;
};

using File = Owner<H5Fclose>;
using Group = Owner<H5Gclose>;
using Dataset = Owner<H5Dclose>;
using Attribute = Owner<H5Aclose>;
using Space = Owner<H5Sclose>;
using Type = Owner<H5Tclose>;
using Properties = Owner<H5Pclose>;

/// The file that holds an object, which external links may have led to. Throws Failure.
[[nodiscard]] std::filesystem::path file_of(hid_t object);

/// Opens a dataset to read it. Throws Failure with `what`, also for one that is stored in one piece of fewer
/// bytes than its values need: HDF5 1.10 does not notice, and reads beyond what it holds.
[[nodiscard]] Dataset open_dataset(hid_t place, const char* name, const char* what);

}  // namespace feldspar::io::hdf5
