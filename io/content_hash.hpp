// Hashes of input files, so that a volume says which bytes it was made from.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.hpp"

namespace feldspar::io {

/// "xxh3-128:<hex>" of a file's content. Throws Error(io) naming the file.
[[nodiscard]] std::string content_hash(const std::filesystem::path& file);

/// The same of a text.
[[nodiscard]] std::string text_hash(std::string_view text);

/// One line that changes when any of these files does, or their order: a hash of their names, sizes and
/// times of change, which takes no reading. Throws Error(io) naming the file.
[[nodiscard]] std::string files_fingerprint(const std::vector<std::filesystem::path>& files);

/// The hashes of many files at once, in their order.
[[nodiscard]] std::vector<std::string> content_hashes(const std::vector<std::filesystem::path>& files,
                                                      ThreadPool& pool);

}  // namespace feldspar::io
