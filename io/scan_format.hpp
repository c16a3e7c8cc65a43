// What a reader tells the registry in open_scan.cpp: its name, how it knows its files, and how it opens them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/open_scan.hpp"

namespace feldspar::io {

/// A file as a format first sees it.
struct FileStart {
  std::filesystem::path path;  ///< of the file
  std::string bytes;           ///< its first 4096 bytes, or all there are
};

/// What a reader offers: to say which files are its own, and to open them.
struct ScanFormat {
  /// For people: "Nikon X-Tek CT (.xtekct)".
  const char* name;

  /// True when `file` is what describes a scan of this format. It looks at the bytes (and may open the file
  /// to look deeper), says yes to damaged files of its kind, and throws nothing.
  bool (*recognises)(const FileStart& file);

  /// Opens the scan that `file` describes. Errors as open_scan.
  std::unique_ptr<ScanSource> (*open)(const std::filesystem::path& file, const OpenOptions& options);

  /// Chooses among several files of one folder, the shortest name first; absent when only people can.
  std::unique_ptr<ScanSource> (*choose)(const std::vector<std::filesystem::path>& files,
                                        const OpenOptions& options) = nullptr;
};

}  // namespace feldspar::io
