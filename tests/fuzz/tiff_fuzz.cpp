// TIFF images.
#include "io/tiff/tiff_file.hpp"
#include "tests/fuzz/fuzz_target.hpp"

std::vector<std::string> feldspar::fuzz::seeds() {
  std::vector<std::uint16_t> counts(20 * 10);
  for (std::size_t n = 0; n < counts.size(); ++n) counts[n] = static_cast<std::uint16_t>(n * 300);
  io::write_tiff(scratch() / "seed.tif", {counts.data(), 20, 10, 1});
  return {content_of(scratch() / "seed.tif")};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace feldspar;
  const auto path = fuzz::write_scratch("a.tif", data, size);
  fuzz::expect_errors_only([&] {
    const io::TiffInfo info = io::read_tiff_info(path);
    const int rows = info.rows < 16 ? info.rows : 16;
    std::vector<char> counts(static_cast<std::size_t>(info.columns) * rows * io::bytes_of(info.count_type));
    io::read_tiff_rows(path, info, {0, rows}, counts.data());
    io::read_tiff_rows(path, info, {info.rows - rows, info.rows}, counts.data());
  });
  return 0;
}
