// A simulated scan written as .txrm is the same scan when it is opened.
#include "io/zeiss/zeiss_writer.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "base/parallel.hpp"
#include "io/open_scan.hpp"
#include "simulate/presets.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::simulate {
namespace {

using io::ZeissWriter;

VirtualScan small_versa(const char* name) {
  VirtualScan made = preset(name);
  scale_detector(made.scan.detector, 1.0 / 64);
  made.scan.angles = full_turn(5);
  settle(made);
  return made;
}

TEST(zeiss_writer, presets_come_back_exactly) {
  for (const char* const name : {"versa-10um", "versa-1.97um"}) {
    const testing::TempFolder folder;
    const VirtualScan made = small_versa(name);
    const auto& d = made.scan.detector;
    std::vector<std::vector<std::uint16_t>> views;
    {
      ZeissWriter writer(folder / "a.txrm", made.scan, made.notes);
      for (int n = 0; n < 5; ++n) {
        std::vector<std::uint16_t>& view = views.emplace_back(static_cast<std::size_t>(d.columns * d.rows));
        for (std::size_t p = 0; p < view.size(); ++p)
          view[p] = static_cast<std::uint16_t>(p * 7 + views.size());
        writer.write_view(n, {view.data(), d.columns, d.rows, 1});
      }
      writer.finish();
    }
    const auto source = io::open_scan(folder / "a.txrm");
    // The file holds floats: 2^-24 of each number.
    EXPECT_NEAR(source->scan().source_detector_distance, made.scan.source_detector_distance, 2e-5);
    EXPECT_NEAR(source->scan().detector.column_pitch / d.column_pitch, 1, 3e-7);
    for (std::size_t n = 0; n < 5; ++n) EXPECT_NEAR(source->scan().angles[n], made.scan.angles[n], 4e-7);
    EXPECT_EQ(source->references().white.front(), 60000);
    EXPECT_EQ(source->description().voltage_kv, 159);
    for (int n = 0; n < 5; ++n) {
      std::vector<std::uint16_t> read(views.front().size());
      source->read(std::span(&n, 1), {{0, d.columns}, {0, d.rows}}, read.data());
      EXPECT_EQ(read, views[static_cast<std::size_t>(n)]);
    }
  }
}

TEST(zeiss_writer, what_the_format_cannot_hold_is_refused) {
  const testing::TempFolder folder;
  VirtualScan made = small_versa("versa-10um");
  made.scan.detector.column_offset = 0.1;
  testing::expect_error(ErrorKind::unsupported, {"detector offset"},
                        [&] { ZeissWriter(folder / "a.txrm", made.scan, made.notes); });
}

TEST(zeiss_writer, an_earlier_file_stays_unless_told) {
  const testing::TempFolder folder;
  const VirtualScan made = small_versa("versa-10um");
  { std::ofstream(folder / "a.txrm") << "mine"; }
  testing::expect_error(ErrorKind::io, {"a.txrm", "overwrite"},
                        [&] { ZeissWriter(folder / "a.txrm", made.scan, made.notes); });
  EXPECT_EQ(std::filesystem::file_size(folder / "a.txrm"), 4u);
}

}  // namespace
}  // namespace feldspar::simulate
