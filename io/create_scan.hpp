// The formats that scans are written in, by the names people give them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/output_rule.hpp"
#include "io/scan_sink.hpp"

namespace feldspar::io {

/// "nikon", "nxtomo", "dxchange", "tiff", "zeiss".
[[nodiscard]] const std::vector<std::string>& scan_formats();

/// The format that `path` looks like; empty when nothing tells.
[[nodiscard]] std::string format_of(const std::filesystem::path& path);

/// Where a scan is to be written, and how.
struct ScanTarget {
  std::string format;          ///< one of scan_formats()
  std::filesystem::path path;  ///< a file, or the folder of a Nikon scan or a stack
  std::string name;            ///< of the files of a Nikon scan
  bool overwrite = false;      ///< what is there may be replaced, as check_outputs() says
};

/// What create_scan() makes, for check_outputs().
[[nodiscard]] std::vector<Output> outputs_of(const ScanTarget& target);

/// Makes the files that `content`'s views are written to. What the format cannot say exactly is warned of;
/// what it cannot hold throws Error(unsupported), other errors as the format's writer.
[[nodiscard]] std::unique_ptr<ScanSink> create_scan(const ScanTarget& target, const ScanContent& content);

}  // namespace feldspar::io
