// Hashes of input files, so that a volume says which bytes it was made from.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.hpp"

namespace feldspar::io {

/// A hash of bytes that come in pieces.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  /// Adds the next bytes.
  void add(const void* bytes, std::size_t count);
  /// "xxh3-128:<hex>" of all that came.
  [[nodiscard]] std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "xxh3-128:<hex>" of a file's content. Throws Error(io) naming the file.
[[nodiscard]] std::string content_hash(const std::filesystem::path& file);

/// The same of a text.
[[nodiscard]] std::string text_hash(std::string_view text);

/// One line that changes when any of these files does, or their order: a hash of their names, sizes, times of
/// change and samples of their content, which takes little reading: the first and the last 4 KiB of each, and
/// as much every 2 MiB or so between, 256 times at most. Throws Error(io) naming the file.
[[nodiscard]] std::string files_fingerprint(const std::vector<std::filesystem::path>& files,
                                            ThreadPool& pool);

}  // namespace feldspar::io
