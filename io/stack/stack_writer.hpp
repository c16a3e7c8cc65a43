// Writes scans as TIFF images with a description in TOML.
#pragma once

#include <filesystem>
#include <vector>

#include "io/partial_folder.hpp"
#include "io/scan_sink.hpp"

namespace feldspar::io::stack {

/// A folder with proj_00000.tif ..., flat.tif and dark.tif, angles.txt, shifts.txt and scan.toml, all exact.
/// It is FOLDER.partial until finish().
class StackWriter final : public ScanSink {
 public:
  /// `folder` must be absent or empty. Throws Error(io) when it is not, or FOLDER.partial cannot be made.
  StackWriter(const std::filesystem::path& folder, ScanContent content);

  void write_view(int view, const void* counts) override;
  void finish() override;

 private:
  template <class Count>
  void write_image(const std::filesystem::path& name, const Count* counts) const;
  void write_references() const;
  void write_lists() const;
  [[nodiscard]] std::string description() const;

  PartialFolder folder_;
  ScanContent content_;
  std::vector<bool> written_;
};

}  // namespace feldspar::io::stack
