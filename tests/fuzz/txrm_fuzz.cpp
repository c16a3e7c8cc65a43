// Compound files and the Xradia scans in them.
#include "io/zeiss/txrm_writer.hpp"
#include "tests/fuzz/fuzz_target.hpp"

std::vector<std::string> feldspar::fuzz::seeds() {
  std::vector<std::string> files;
  for (const std::uint32_t sector : {512u, 4096u}) {
    geometry::CircularScan scan;
    scan.source_object_distance = 100;
    scan.source_detector_distance = 400;
    scan.detector = {.columns = 20, .rows = 10, .column_pitch = 0.1, .row_pitch = 0.1};
    scan.angles = {0, 1.5, 3, 4.5};
    const std::vector<std::uint16_t> counts(20 * 10, 777);
    io::zeiss::TxrmWriter writer(scratch() / "seed.txrm", scan, {.sector_bytes = sector});
    for (int view = 0; view < 4; ++view) writer.write_view(view, counts.data());
    writer.write_reference(std::vector<float>(20 * 10, 60000));
    writer.finish();
    files.push_back(content_of(scratch() / "seed.txrm"));
    std::filesystem::remove(scratch() / "seed.txrm");
  }
  return files;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace feldspar;
  const auto path = fuzz::write_scratch("a.txrm", data, size);
  fuzz::expect_errors_only([&] { fuzz::read_scan(path); });
  return 0;
}
