// A file that gets its name only when it is complete. Until then it is NAME.partial in the same folder,
// locked against other runs and removed when given up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace feldspar::io {

/// Makes the names in a folder durable, where the file system can.
void sync_folder_of(const std::filesystem::path& file) noexcept;

/// Makes a file with this content, which gets its name when it is complete. Throws Error(io), as when it
/// exists and `overwrite` is false.
void write_file(const std::filesystem::path& path, std::string_view content, bool overwrite);

/// Makes a file that was not there, in a folder that is the writer's own: nothing else gives it its name.
/// Throws Error(io).
void write_new_file(const std::filesystem::path& path, std::string_view content);

/// How a file begins and how long it is, at one moment.
struct FileHead {
  std::uint64_t size = 0;  ///< bytes of the whole file
  std::string bytes = {};  ///< the first of them
};

/// A file in the making, of one run at a time.
class PartialFile {
 public:
  /// What becomes of the content that a killed run left behind.
  enum class Start { empty, as_left };

  /// Makes and locks `<path>.partial`, taking over one that a killed run left behind: emptied, or as it is.
  /// Links are never followed. Throws Error(io) when it cannot be made, when something stands there that no
  /// run of this user can have left (a link, no regular file, another owner's, one with a second name), when
  /// another run is writing it, or when `path` exists and `overwrite` is false.
  PartialFile(std::filesystem::path path, bool overwrite, Start start = Start::empty);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  /// The name it gets.
  [[nodiscard]] const std::filesystem::path& final_path() const noexcept { return path_; }
  /// The name it has until then.
  [[nodiscard]] const std::filesystem::path& temporary_path() const noexcept { return temporary_; }

  /// Bytes this user may still write on that disk.
  [[nodiscard]] std::uint64_t room() const;

  /// Open for reading and writing, until it is published or given up.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  /// Writes all of these bytes. What could not be written is remembered: error() is not 0 from then on, and
  /// neither sync() nor publish() can succeed.
  void write(std::uint64_t offset, const void* bytes, std::size_t count) noexcept;
  /// Cuts it, or lengthens it with zeros, to this size. Remembers failures as write() does.
  void resize(std::uint64_t size) noexcept;
  /// Reads all of these bytes; what lies behind the end reads as zeros. False when it cannot be read.
  [[nodiscard]] bool read(std::uint64_t offset, void* bytes, std::size_t count) const noexcept;
  [[nodiscard]] std::uint64_t size() const noexcept;  ///< bytes, now

  /// The errno of the first write that failed; 0 as long as none has.
  [[nodiscard]] int error() const noexcept { return error_; }

  /// Brings the content to the disk, renames it and makes the name durable. Throws Error(io), also when an
  /// earlier write failed.
  void publish();

  /// Leaves the file under its temporary name when it is given up, for a later run to go on with.
  void keep(bool wanted) noexcept { keep_ = wanted; }
  [[nodiscard]] bool kept() const noexcept { return keep_; }  ///< as keep() said last

  /// Brings what was written so far to the disk. Throws Error(io), also when an earlier write failed.
  void sync();

  /// Its first `count` bytes. Throws Error(io).
  [[nodiscard]] FileHead head(std::uint64_t count) const;

  /// Makes it begin so and cuts it to that length, durably. False, and nothing is done, when it is shorter:
  /// then it is another file. Throws Error(io).
  [[nodiscard]] bool restore(const FileHead& head);

  /// Removes the file (unless it is to be kept) and frees its room at once, even while other descriptors are
  /// open.
  void give_up() noexcept;

 private:
  void open_locked();
  [[nodiscard]] int open_left_over() const;
  void refuse_existing() const;
  [[nodiscard]] bool still_ours() const noexcept;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  bool overwrite_;
  bool keep_ = false;
  int descriptor_ = -1;
  int error_ = 0;
};

}  // namespace feldspar::io
