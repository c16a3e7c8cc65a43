// An HDF5 file that others wrote, asked for what may be there: objects through links, numbers, texts, units.
// Failed calls of the library throw Failure; what the file says wrongly throws Error naming file and field.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "io/hdf5/dataset_storage.hpp"
#include "io/hdf5/handle.hpp"

namespace feldspar::io::hdf5 {

/// True when the file begins as HDF5, whatever is in it.
[[nodiscard]] bool looks_like_hdf5(const std::filesystem::path& path);

class InputFile {
 public:
  /// Throws Error(bad_file), and Error(io) for a file that another program is writing.
  explicit InputFile(std::filesystem::path path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Runs `work` and turns Failure into Error(bad_file) that names the file. Every use of the other members
  /// stands inside one.
  void guarded(const std::function<void()>& work) const;

  [[noreturn]] void refuse(ErrorKind kind, const std::string& what, const Remedies& remedies = {}) const;

  /// True when the object can be reached, through links of any kind.
  [[nodiscard]] bool has(const std::string& object) const;
  [[nodiscard]] bool is_dataset(const std::string& object) const;

  /// Why has() is false: "is absent", or the first link on the way that leads nowhere, with its file.
  [[nodiscard]] std::string why_absent(const std::string& object) const;

  /// Names of everything in a group that can be reached; empty when it is none.
  [[nodiscard]] std::vector<std::string> members(const std::string& group) const;

  /// Throws Error(bad_file) where values are missing (dataset_storage.hpp).
  [[nodiscard]] Dataset open(const std::string& dataset) const;

  /// The same, with what is missing along `dimension` in `storage`, for the caller to judge.
  [[nodiscard]] Dataset open(const std::string& dataset, int dimension, DatasetStorage& storage) const;

  /// All numbers of a dataset, empty when there is none. Throws Error(bad_file) for more than `most`.
  [[nodiscard]] std::vector<double> numbers(const std::string& dataset, std::size_t most = 1'000'000) const;

  /// The first text of a dataset, UTF-8; empty when there is none.
  [[nodiscard]] std::string text(const std::string& dataset) const;

  /// The texts of an attribute; empty when there is none.
  [[nodiscard]] std::vector<std::string> attribute(const std::string& object, const char* name) const;
  [[nodiscard]] std::string units(const std::string& dataset) const;

 private:
  void refuse_busy(const std::string& reason) const;

  std::filesystem::path path_;
  File file_;
};

}  // namespace feldspar::io::hdf5
