// Finds the reader for a scan by looking at what it is, not at its name.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/scan_source.hpp"

namespace feldspar::io {

/// What a reader cannot know by itself.
struct OpenOptions {
  bool allow_missing = false;  ///< drop missing or unreadable projections instead of refusing
  /// "nominal" (start and step), "file" (measured), where both exist; "auto" as the scan itself says.
  std::string angles = "auto";
  double white_level = 0;         ///< replaces the source's when positive
  double pixel_pitch = 0;         ///< mm, replaces what the source states or lacks; 0 for the source's
  bool reverse_rotation = false;  ///< the object turned the other way than the format's convention
  bool headers_only = false;      ///< describe the scan even if its projections are absent
};

/// `path` is a file of the scan or its folder. Throws Error(io) when it cannot be read, Error(bad_file)
/// when it is damaged, Error(unsupported) when no reader knows it, naming those that exist.
[[nodiscard]] std::unique_ptr<ScanSource> open_scan(const std::filesystem::path& path,
                                                    const OpenOptions& options = {});

}  // namespace feldspar::io
