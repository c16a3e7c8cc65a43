// Cone-beam NXtomo files, on the real laboratory scans and on real files that are none.
#include "io/hdf5/nxtomo_source.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/units.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/test_data.hpp"

namespace feldspar::io {
namespace {

constexpr const char* scan_file = "fan_htc2022/htc2022_ta_cone_nxtomo.nxs";

TEST(NxtomoSource, ReadsGeometryAndFramesOfARealScan) {
  FELDSPAR_NEEDS_DATA(scan_file);
  const auto source = open_scan(testing::test_data() / scan_file);
  const auto& scan = source->scan();

  EXPECT_NEAR(scan.source_object_distance, 410.66, 1e-9);
  EXPECT_NEAR(scan.source_detector_distance, 553.74, 1e-9);
  EXPECT_EQ(scan.detector.columns, 560);
  EXPECT_EQ(scan.detector.rows, 1);
  EXPECT_NEAR(scan.detector.column_pitch, 0.2, 1e-12);
  ASSERT_EQ(scan.angles.size(), 721U);
  EXPECT_NEAR(scan.angles[1] - scan.angles[0], -0.5 * radians_per_degree, 1e-12);
  EXPECT_NEAR(scan.angles[720], -360 * radians_per_degree, 1e-9);
  std::vector<float> row(560);
  const int view = 3;
  source->read(std::span(&view, 1), {{0, 560}, {0, 1}}, row.data());
  EXPECT_NEAR(row[2] / source->references().white[2], 1, 0.05);  // air beside the disc
  EXPECT_LT(row[280] / source->references().white[280], 0.5);    // 70 mm of acrylic
}

TEST(NxtomoSource, SaysWhatItAssumesAndLetsItBeReversed) {
  FELDSPAR_NEEDS_DATA(scan_file);
  const auto source = open_scan(testing::test_data() / scan_file, {.reverse_rotation = true});

  EXPECT_GT(source->scan().angles[1], source->scan().angles[0]);
  ASSERT_FALSE(source->findings().empty());
  EXPECT_NE(source->findings()[0].find("counter-clockwise"), std::string::npos);
}

TEST(NxtomoSource, RefusesParallelBeams) {
  FELDSPAR_NEEDS_DATA("nexus/i13_24737_nxtomo.nxs");
  testing::expect_error(ErrorKind::unsupported, {"i13_24737_nxtomo.nxs", "parallel"},
                        [] { (void)open_scan(testing::test_data() / "nexus/i13_24737_nxtomo.nxs"); });
}

TEST(NxtomoSource, RefusesDamagedFiles) {
  FELDSPAR_NEEDS_DATA(scan_file);
  const testing::TempFolder folder;
  std::ifstream in(testing::test_data() / scan_file, std::ios::binary);
  std::string bytes(std::size_t{100000}, ' ');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  std::ofstream(folder / "cut.nxs", std::ios::binary) << bytes;

  testing::expect_error(ErrorKind::bad_file, {"cut.nxs"}, [&] { (void)open_scan(folder / "cut.nxs"); });
}

}  // namespace
}  // namespace feldspar::io
