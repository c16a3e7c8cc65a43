// TIFF images: strips, tiles, pages and ImageJ's planes.
#include "io/tiff/tiff_file.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/io/tiff/tiff_bytes.hpp"

namespace {

using feldspar::testing::TiffBytes;
using feldspar::testing::TiffSpec;

void read_corners(const std::filesystem::path& path, feldspar::io::TiffPage page) {
  const feldspar::io::TiffInfo info = feldspar::io::read_tiff_info(path, page);
  const int rows = info.rows < 16 ? info.rows : 16;
  std::vector<char> counts(static_cast<std::size_t>(info.columns) * static_cast<std::size_t>(rows) *
                           feldspar::io::bytes_of(info.count_type));
  feldspar::io::read_tiff_rows(path, info, {0, rows}, counts.data(), page);
  feldspar::io::read_tiff_rows(path, info, {info.rows - rows, info.rows}, counts.data(), page);
}

}  // namespace

std::vector<std::string> feldspar::fuzz::seeds() {
  std::vector<std::uint16_t> counts(20 * 10);
  for (std::size_t n = 0; n < counts.size(); ++n) counts[n] = static_cast<std::uint16_t>(n * 300);
  io::write_tiff(scratch() / "seed.tif", {counts.data(), 20, 10, 1});
  TiffSpec stack{.columns = 6, .rows = 4, .rows_per_strip = 4, .big_endian = true};
  stack.description = "ImageJ=1.53t\nimages=3\nslices=3\n";
  stack.strips = {std::string(3 * 2 * 6 * 4, 'x')};
  TiffSpec pages{.columns = 6, .rows = 4, .rows_per_strip = 2, .big_tiff = true, .images = 3};
  pages.strips = {std::string(24, 'a'), std::string(24, 'b')};
  TiffSpec tiled{.columns = 6, .rows = 4, .rows_per_strip = 4};
  tiled.strips = {std::string(2 * 16 * 16, 't')};
  tiled.tags = {{322, 16}, {323, 16}, {324, 8}, {325, 2 * 16 * 16}};
  return {content_of(scratch() / "seed.tif"), TiffBytes(stack).bytes(), TiffBytes(pages).bytes(),
          TiffBytes(tiled).bytes()};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace feldspar;
  const auto path = fuzz::write_scratch("a.tif", data, size);
  fuzz::expect_errors_only([&] { read_corners(path, io::the_only_image); });
  fuzz::expect_errors_only([&] {
    const std::vector<io::TiffPage> pages = io::tiff_pages(path).pages;
    read_corners(path, pages.front());
    read_corners(path, pages.back());
    io::check_tiff_pixels(path, pages.back());
  });
  return 0;
}
