// Nikon scans written by the tests: the text of an .xtekct with any key changed, and projections whose every
// pixel tells where it is from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "io/tiff/tiff_file.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::testing {

/// The text of an .xtekct in order; keys of another section are given as "Xrays/XraykV".
class XtekctText {
 public:
  /// A plausible scan: 8 views of 6 x 4 pixels over a full turn, magnification 4.
  XtekctText() {
    const char* const plain[][2] = {{"Name", "scan"},
                                    {"InputSeparator", "_"},
                                    {"InputFolderName", ""},
                                    {"VoxelSizeX", "0.05"},
                                    {"SrcToObject", "100"},
                                    {"SrcToDetector", "400"},
                                    {"DetectorPixelsX", "6"},
                                    {"DetectorPixelSizeX", "0.2"},
                                    {"DetectorOffsetX", "0"},
                                    {"DetectorPixelsY", "4"},
                                    {"DetectorPixelSizeY", "0.2"},
                                    {"DetectorOffsetY", "0"},
                                    {"Units", "mm"},
                                    {"Projections", "8"},
                                    {"InitialAngle", "0"},
                                    {"AngularStep", "45"},
                                    {"WhiteLevel", "60000"},
                                    {"ObjectOffsetX", "0.01"},
                                    {"ObjectTilt", "0"},
                                    {"ObjectRoll", "0"}};
    for (const auto& [key, value] : plain) values_.emplace_back(key, value);
  }

  XtekctText& set(const std::string& key, const std::string& value) {
    for (auto& [name, old] : values_)
      if (name == key) return old = value, *this;
    values_.emplace_back(key, value);
    return *this;
  }
  XtekctText& drop(const std::string& key) {
    std::erase_if(values_, [&](const auto& entry) { return entry.first == key; });
    return *this;
  }
  [[nodiscard]] std::string text() const {
    std::string text, section = "XTekCT";
    text = "[XTekCT]\r\n";
    for (const auto& [name, value] : values_) {
      const auto slash = name.find('/');
      const std::string wanted = slash == name.npos ? "XTekCT" : name.substr(0, slash);
      if (wanted != section) text += "[" + wanted + "]\r\n", section = wanted;
      text += (slash == name.npos ? name : name.substr(slash + 1)) + "=" + value + "\r\n";
    }
    return text;
  }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// A folder with such a scan.
class NikonSet {
 public:
  static constexpr int columns = 6, rows = 4, views = 8;

  /// What is stored in row `row` from the top and column `column` from the left of projection `number` (from
  /// 1).
  static constexpr std::uint16_t stored(int column, int row, int number) {
    return static_cast<std::uint16_t>(1000 * number + 10 * row + column);
  }
  /// The same pixel in our order: row 0 lowest, column 0 leftmost seen from the source, views from 0.
  static constexpr std::uint16_t count(int column, int row, int view) {
    return stored(columns - 1 - column, rows - 1 - row, view + 1);
  }

  NikonSet() {
    write_xtekct();
    for (int number = 1; number <= views; ++number) write_projection(number);
  }

  XtekctText text;
  void write_xtekct(const std::string& name = "scan.xtekct") const { write_text(folder / name, text.text()); }

  void write_projection(int number, const std::string& name = {}, int width = columns,
                        int height = rows) const {
    std::vector<std::uint16_t> counts(static_cast<std::size_t>(width * height));
    for (int n = 0; n < width * height; ++n) counts[n] = stored(n % width, n / width, number);
    io::write_tiff(name.empty() ? projection(number) : folder / name, {counts.data(), width, height, 1});
  }
  [[nodiscard]] std::filesystem::path projection(int number) const {
    return folder / ("scan_000" + std::to_string(number) + ".tif");
  }
  [[nodiscard]] std::filesystem::path xtekct() const { return folder / "scan.xtekct"; }

  TempFolder folder;
};

}  // namespace feldspar::testing
