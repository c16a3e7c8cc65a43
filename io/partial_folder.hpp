// A folder that gets its name only when all of its files are there. Until then it is NAME.partial beside it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace feldspar::io {

/// A folder in the making.
class PartialFolder {
 public:
  /// Whether an earlier product may have a file of this name.
  using IsOurs = std::function<bool(const std::filesystem::path& file)>;

  /// Makes `<path>.partial`. With `overwrite`, a folder at `path` may be replaced whose files are all ours;
  /// without, it must be absent or empty. Throws Error(io) when it holds anything else or cannot be made.
  PartialFolder(const std::filesystem::path& path, bool overwrite, IsOurs is_ours);
  /// Removes what was not published.
  ~PartialFolder();
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;

  /// Where its files are to be made, and lie: `<path>.partial`, `path` once it is published.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return published_ ? path_ : temporary_; }

  /// Makes a file in it that was not there. Throws Error(io).
  void write_text(const std::string& name, const std::string& text) const;

  /// Brings all to the disk and gives the folder its name; what had it goes only then. Throws Error(io).
  void publish();

 private:
  void refuse_what_is_not_ours() const;
  void swap() const;
  void remove_replaced() const;

  std::filesystem::path path_, temporary_;
  IsOurs is_ours_;
  bool overwrite_;
  bool published_ = false;
};

}  // namespace feldspar::io
