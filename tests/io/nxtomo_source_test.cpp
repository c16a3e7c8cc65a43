// NXtomo files of cone and parallel beams, on real scans.
#include "io/hdf5/nxtomo_source.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/units.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failure.hpp"
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
  EXPECT_EQ(testing::count_with(source->findings(), {"counter-clockwise", "reverse-rotation"}), 1);
  EXPECT_EQ(testing::count_with(source->findings(), {"no rotation axis"}), 1);
}

TEST(NxtomoSource, TakesScansWithoutDistancesForParallelOnes) {
  FELDSPAR_NEEDS_DATA("nexus/neutron_ct_nxtomo.nxs");
  const auto source = open_scan(testing::test_data() / "nexus/neutron_ct_nxtomo.nxs");
  const auto& scan = source->scan();

  EXPECT_EQ(scan.beam, geometry::Beam::parallel);
  ASSERT_EQ(scan.angles.size(), 376U);  // of 396 frames
  EXPECT_NEAR(scan.angles[1] - scan.angles[0], -0.96 * radians_per_degree, 1e-9);
  EXPECT_NEAR(scan.detector.column_pitch, 0.135, 1e-12);
  EXPECT_EQ(source->count_type(), CountType::uint16);
  EXPECT_EQ(source->references().white.size(), 835U * 128U);
  EXPECT_EQ(source->references().dark.size(), 835U * 128U);
}

// Its detector EtherCAT lies in a file that is missing on purpose, and its angles lie beside the NXtomo
// place.
TEST(NxtomoSource, FollowsExternalLinksAndNamesTheMissingFile) {
  FELDSPAR_NEEDS_DATA("nexus/k11_diad/k11-18014.nxs");
  const auto source = open_scan(testing::test_data() / "nexus/k11_diad/k11-18014.nxs");

  EXPECT_EQ(source->scan().angles.size(), 3001U);
  EXPECT_EQ(source->scan().detector.columns, 26);
  EXPECT_EQ(testing::count_with(source->findings(), {"k11-18014-EtherCAT.h5", "missing"}), 1);
  EXPECT_EQ(testing::count_with(source->findings(), {"gts_theta_value", "rotation_angle is absent"}), 1);
  ASSERT_EQ(source->files().size(), 2U);
  EXPECT_EQ(source->files()[1].filename(), "k11-18014-imaging.h5");
}

TEST(NxtomoSource, WindowsOfAnyViewsAreThoseOfWholeFrames) {
  FELDSPAR_NEEDS_DATA("nexus/i13_24737_nxtomo.nxs");
  const auto source = open_scan(testing::test_data() / "nexus/i13_24737_nxtomo.nxs");
  const std::vector<int> views{4, 6, 8, 9, 2};  // an even run, a break, and one that goes back
  const geometry::PixelWindow window{{31, 77}, {5, 130}}, whole{{0, 160}, {0, 135}};
  std::vector<std::uint16_t> part(views.size() * 46 * 125), frame(160 * 135);
  source->read(views, window, part.data());

  const std::uint16_t* at = part.data();
  for (const int view : views) {
    source->read(std::span(&view, 1), whole, frame.data());
    for (int row = 5; row < 130; ++row)
      for (int column = 31; column < 77; ++column)
        ASSERT_EQ(*at++, frame[static_cast<std::size_t>(row) * 160 + column])
            << view << ' ' << row << ' ' << column;
  }
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
