// RTK scans: its projection matrices against our views, its images, and what is refused.
#include "io/rtk/rtk_source.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <fstream>
#include <random>

#include "base/units.hpp"
#include "geometry/coverage.hpp"
#include "io/rtk/circular_geometry.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::io::rtk {
namespace {

namespace fs = std::filesystem;
using geometry::Vec3;
using testing::count_with;
using testing::expect_failure;
using testing::failure_of;

using Matrix = std::array<std::array<double, 4>, 4>;

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t k = 0; k < 4; ++k) c[i][j] += a[i][k] * b[k][j];
  return c;
}

/// Rotation about axis 0, 1 or 2 by `degrees`.
Matrix turn(std::size_t axis, double degrees) {
  const double c = std::cos(degrees * radians_per_degree), s = std::sin(degrees * radians_per_degree);
  Matrix m{};
  m[3][3] = m[axis][axis] = 1;
  const std::size_t i = (axis + 1) % 3, j = (axis + 2) % 3;
  m[i][i] = m[j][j] = c, m[i][j] = -s, m[j][i] = s;
  return m;
}

/// Detector coordinates of a point as RTK's documentation has them: the object is turned by the gantry, out
/// of the plane and in it; the source stands at (SourceOffsetX, SourceOffsetY, SID), the detector at z = SID
/// - SDD.
std::array<double, 2> shadow(const Projection& g, const Vec3& p) {
  const Matrix m = product(product(turn(2, -g.in_plane), turn(0, -g.out_of_plane)), turn(1, -g.gantry));
  const std::array<double, 4> from{p.x, p.y, p.z, 1};
  std::array<double, 3> at{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t k = 0; k < 4; ++k) at[i] += m[i][k] * from[k];
  const double scale = g.source_to_detector == 0 ? 1 : g.source_to_detector / (g.source_to_isocenter - at[2]);
  return {g.source_x + scale * (at[0] - g.source_x) - g.detector_x,
          g.source_y + scale * (at[1] - g.source_y) - g.detector_y};
}

/// Every view projects every point to the pixel that RTK's geometry gives, to rounding of 1000 mm in 53 bits.
void expect_same_pixels(const std::vector<Projection>& all, const PixelGrid& grid) {
  const auto views = geometry::make_views(to_scan(all, grid, "g.xml"));
  const double height = height_of_source(all.front());
  std::mt19937 random(4);
  std::uniform_real_distribution<double> place(-40, 40);
  for (std::size_t n = 0; n < all.size(); ++n)
    for (int repeat = 0; repeat < 5; ++repeat) {
      const Vec3 p{place(random), place(random), place(random)};
      const auto [u, v] = shadow(all[n], p);
      const auto at = geometry::project(views[n], {p.x, -p.z, p.y - height});
      EXPECT_NEAR(at.column, (u - grid.origin_x) / grid.spacing_x, 1e-8);
      EXPECT_NEAR(at.row, (v - grid.origin_y) / grid.spacing_y, 1e-8);
    }
}

constexpr PixelGrid grid{
    .columns = 60, .rows = 50, .origin_x = -25, .origin_y = -31, .spacing_x = 0.8, .spacing_y = 1.1};

TEST(RtkGeometry, ProjectsAsRtkDoes) {
  std::mt19937 random(3);
  const auto between = [&](double low, double high) {
    return std::uniform_real_distribution(low, high)(random);
  };
  for (int kind = 0; kind < 20; ++kind) {
    SCOPED_TRACE(kind);
    Projection fixed{.source_to_isocenter = between(300, 600), .source_to_detector = between(700, 1200)};
    if (kind % 5 == 4) fixed.source_to_detector = 0;
    if (kind > 0) fixed.source_x = fixed.source_to_detector ? between(-5, 5) : 0;
    if (kind > 1) fixed.source_y = fixed.source_to_detector ? between(-5, 5) : 0;
    if (kind > 2) fixed.in_plane = between(-4, 4);
    if (kind > 3) fixed.out_of_plane = between(-4, 4);
    std::vector<Projection> all(7, fixed);
    for (Projection& view : all) {
      view.gantry = between(0, 360);
      view.detector_x = between(-6, 6), view.detector_y = between(-6, 6);
    }
    expect_same_pixels(all, grid);
  }
}

TEST(RtkGeometry, ReadsWhatIsCommonAndWhatIsOfOneView) {
  const auto all = parse_geometry(
      "<?xml version=\"1.0\"?>\n<!DOCTYPE RTKGEOMETRY>\n<RTKThreeDCircularGeometry version=\"3\">\n"
      "  <SourceToIsocenterDistance>1000</SourceToIsocenterDistance>\n"
      "  <SourceToDetectorDistance>1536</SourceToDetectorDistance>\n  <!-- <GantryAngle>7</GantryAngle> -->\n"
      "  <Projection>\n    <GantryAngle>10.5</GantryAngle>\n    <Matrix>\n 1 2 3 4\n 5 6 7 8\n 9 1 2 "
      "3\n</Matrix>\n"
      "  </Projection>\n  <Projection>\n    <GantryAngle>-3e1</GantryAngle>\n"
      "    <ProjectionOffsetX> 2 </ProjectionOffsetX>\n  </Projection>\n</RTKThreeDCircularGeometry>\n",
      "g.xml");

  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].gantry, 10.5);
  EXPECT_EQ(all[0].source_to_detector, 1536);
  EXPECT_EQ(all[1].gantry, -30);
  EXPECT_EQ(all[1].detector_x, 2);
  EXPECT_EQ(all[0].detector_x, 0);
}

TEST(RtkGeometry, RefusesByTheTag) {
  const auto parse = [](const std::string& text) {
    return failure_of([&] { (void)parse_geometry(text, "g.xml"); });
  };
  expect_failure(parse("<Projection><GantryAngle>x</GantryAngle></Projection>"), ErrorKind::bad_file,
                 {"g.xml", "GantryAngle of projection 1", "\"x\""});
  expect_failure(parse("<a></a>"), ErrorKind::bad_file, {"g.xml", "no <Projection>"});
  expect_failure(parse("<Projection><Gantry"), ErrorKind::bad_file, {"g.xml", "within a tag"});
  const auto convert = [](double Projection::*value) {
    std::vector<Projection> all(2, {.source_to_isocenter = 100, .source_to_detector = 200});
    all[1].*value += 1;
    return failure_of([&] { (void)to_scan(all, grid, "g.xml"); });
  };
  expect_failure(convert(&Projection::source_y), ErrorKind::unsupported, {"SourceOffsetY", "helix"});
  expect_failure(convert(&Projection::source_to_isocenter), ErrorKind::unsupported,
                 {"SourceToIsocenterDistance"});
  expect_failure(convert(&Projection::in_plane), ErrorKind::unsupported, {"InPlaneAngle"});
}

/// A scan of 2 views of 3 x 2 pixels; the value is 0.1 view + 0.01 row + 0.001 column, rows from below.
class RtkScan : public ::testing::Test {
 protected:
  RtkScan() {
    write(
        "g.xml",
        "<RTKThreeDCircularGeometry version=\"3\"><SourceToIsocenterDistance>100</SourceToIsocenterDistance>"
        "<SourceToDetectorDistance>200</SourceToDetectorDistance><Projection><GantryAngle>0</GantryAngle>"
        "</Projection><Projection><GantryAngle>90</GantryAngle></Projection></RTKThreeDCircularGeometry>");
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  static float value(int view, int row, int column) {
    return 0.1F * static_cast<float>(view) + 0.01F * static_cast<float>(row) +
           0.001F * static_cast<float>(column);
  }
  static std::string pixels(bool big_endian) {
    std::string bytes;
    for (int view = 0; view < 2; ++view)
      for (int row = 0; row < 2; ++row)
        for (int column = 0; column < 3; ++column)
          for (int byte = 0; byte < 4; ++byte)
            bytes += static_cast<char>(std::bit_cast<std::uint32_t>(value(view, row, column)) >>
                                       (8 * (big_endian ? 3 - byte : byte)));
    return bytes;
  }
  static std::string header(const std::string& data, const std::string& more = {}) {
    return "ObjectType = Image\nNDims = 3\nBinaryData = True\nCompressedData = False\n" + more +
           "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = -0.5 -0.25 0\nElementSpacing = 0.5 0.5 1\n"
           "DimSize = 3 2 2\nElementType = MET_FLOAT\nElementDataFile = " +
           data + "\n";
  }
  [[nodiscard]] testing::Failure opening(const OpenOptions& options = {}) const {
    return failure_of([&] { (void)open_scan(folder_ / "g.xml", options); });
  }
  testing::TempFolder folder_;
};

TEST_F(RtkScan, LineIntegralsBecomeCountsOfAKnownBeam) {
  for (const bool big_endian : {false, true}) {
    const std::string order = fmt::format("BinaryDataByteOrderMSB = {}\n", big_endian ? "True" : "False");
    write("g.mha", header("LOCAL", order) + pixels(big_endian));

    const auto source = open_scan(folder_.path());

    EXPECT_EQ(source->scan().source_detector_distance, 200);
    EXPECT_EQ(source->scan().detector.column_offset, 0);
    EXPECT_EQ(source->references().white, std::vector<float>{1e30F});
    EXPECT_EQ(count_with(source->findings(), {"g.mha", "line integrals", "white-level"}), 1);
    std::vector<float> counts(4);
    const int view = 1;
    source->read(std::span(&view, 1), {{1, 3}, {0, 2}}, counts.data());
    for (int n = 0; n < 4; ++n)
      EXPECT_NEAR(-std::log(counts[static_cast<std::size_t>(n)] / 1e30F), value(1, n / 2, 1 + n % 2), 2e-7);
  }
}

TEST_F(RtkScan, FindsPixelsInAFileOfTheirOwn) {
  write("p.mhd", header("p.raw", "HeaderSize = -1\n"));
  write("p.raw", "something before" + pixels(false));

  const auto source = open_scan(folder_.path(), {.white_level = 2});

  EXPECT_EQ(source->files().size(), 3U);
  std::vector<float> counts(6);
  const int view = 0;
  source->read(std::span(&view, 1), {{0, 3}, {0, 2}}, counts.data());
  EXPECT_EQ(counts[5], value(0, 1, 2));
  EXPECT_EQ(source->references().white, std::vector<float>{2});
}

TEST_F(RtkScan, NamesWhatIsWrongWithItsImages) {
  expect_failure(opening(), ErrorKind::io, {"g.xml", "no .mha or .mhd", "g.mha"});
  const auto with = [&](const std::string& text) { write("g.mha", text + pixels(false)), (void)0; };
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = header("LOCAL");
    return text.replace(text.find(from), from.size(), to);
  };
  with(changed("MET_FLOAT", "MET_SHORT"));
  expect_failure(opening(), ErrorKind::unsupported, {"g.mha", "ElementType", "MET_SHORT"});
  with(changed("CompressedData = False", "CompressedData = True"));
  expect_failure(opening(), ErrorKind::unsupported, {"g.mha", "CompressedData"});
  with(changed("3 2 2", "3 2 4"));
  expect_failure(opening(), ErrorKind::bad_file, {"g.mha", "truncated", "96 bytes"});
  with(changed("3 2 2", "3 2 1"));
  expect_failure(opening(), ErrorKind::bad_file, {"g.xml", "2 projections", "holds 1"});
  with(changed("MET_FLOAT", "MET_USHORT"));
  expect_failure(opening(), ErrorKind::bad_file, {"g.mha", "MET_USHORT", "white-level"});
  with("ObjectType = Image\n");
  expect_failure(opening(), ErrorKind::bad_file, {"g.mha", "ElementDataFile"});
}

}  // namespace
}  // namespace feldspar::io::rtk
