// The targets' common part.
#include "tests/fuzz/fuzz_target.hpp"

#include <algorithm>
#include <fstream>

#include "tests/support/temp_folder.hpp"

namespace feldspar::fuzz {

const std::filesystem::path& scratch() {
  static const testing::TempFolder folder;
  return folder.path();
}

std::filesystem::path write_scratch(const std::string& name, const std::uint8_t* data, std::size_t size) {
  std::filesystem::path path = scratch() / name;
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  return path;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string content(std::filesystem::file_size(path), '\0');
  stream.read(content.data(), static_cast<std::streamsize>(content.size()));
  return content;
}

void read_scan(const std::filesystem::path& path, const io::OpenOptions& options) {
  const auto source = io::open_scan(path, options);
  const auto& scan = source->scan();
  const auto views = static_cast<int>(scan.angles.size());
  if (views == 0) return;
  const int columns = std::min(64, scan.detector.columns), rows = std::min(64, scan.detector.rows);
  const geometry::PixelWindow low{{0, columns}, {0, rows}};
  const geometry::PixelWindow high{{scan.detector.columns - columns, scan.detector.columns},
                                   {scan.detector.rows - rows, scan.detector.rows}};
  const std::vector<int> some{0, views / 2, views - 1};
  std::vector<char> counts(some.size() * static_cast<std::size_t>(columns * rows) *
                           io::bytes_of(source->count_type()));
  source->read(some, low, counts.data());
  source->read(some, high, counts.data());
}

}  // namespace feldspar::fuzz
