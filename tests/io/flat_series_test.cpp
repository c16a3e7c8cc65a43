// Flats of several times: the counts of each view are those it would have had under the mean of all flats.
#include "io/flat_series.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <fstream>
#include <string>
#include <vector>

#include "io/described_scan.hpp"
#include "io/open_scan.hpp"
#include "io/tiff/tiff_file.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;

constexpr int views = 4, pixels = 2;
constexpr float dark = 100;

/// The open beam falls from 1100 to 500 counts in the left pixel while it stands at 2100 in the right one;
/// half of it comes through in every view.
float beam(double views_before, int pixel) {
  return pixel == 0 ? 1100 - 150 * static_cast<float>(views_before) : 2100;
}
float count(int view, int pixel) { return dark + 0.5F * (beam(view + 0.5, pixel) - dark); }
constexpr float mean_white[] = {800, 2100};

void expect_half_of_the_mean_flat(const ScanSource& source) {
  ASSERT_EQ(source.count_type(), CountType::float32);
  EXPECT_EQ(testing::count_with(source.findings(), {"2 groups", "interpolated"}), 1);
  for (int view = 0; view < views; ++view) {
    float counts[pixels];
    source.read(std::span(&view, 1), {{0, pixels}, {0, 1}}, counts);
    for (int pixel = 0; pixel < pixels; ++pixel) {
      EXPECT_FLOAT_EQ(source.references().white[pixel], mean_white[pixel]);
      EXPECT_NEAR(counts[pixel], dark + 0.5F * (mean_white[pixel] - dark), 1e-3) << view;  // rounding
    }
    float right = 0;
    source.read(std::span(&view, 1), {{1, pixels}, {0, 1}}, &right);
    EXPECT_EQ(right, counts[1]);
  }
}

void put(hid_t file, const char* name, const std::vector<hsize_t>& size, const std::vector<float>& values) {
  const hid_t space = H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr);
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t set = H5Dcreate2(file, name, H5T_IEEE_F32LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(set), H5Pclose(links), H5Sclose(space);
}

std::vector<float> all_views() {
  std::vector<float> counts;
  for (int view = 0; view < views; ++view)
    for (int pixel = 0; pixel < pixels; ++pixel) counts.push_back(count(view, pixel));
  return counts;
}

/// Two flats before (with a dark between them) and two after, each group a little apart.
TEST(FlatSeries, OfAnNxtomoFileGoByTheProjectionsBetweenThem) {
  const testing::TempFolder folder;
  const hid_t file = H5Fcreate((folder / "a.nxs").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const std::vector<float> keys{1, 2, 1, 0, 0, 0, 0, 1, 1};
  std::vector<float> frames{beam(0, 0) + 7, beam(0, 1), dark, dark, beam(0, 0) - 7, beam(0, 1)};
  for (const float value : all_views()) frames.push_back(value);
  for (const float off : {3.0F, -3.0F}) frames.push_back(beam(4, 0) + off), frames.push_back(beam(4, 1));
  put(file, "/entry/instrument/detector/data", {9, 1, 2}, frames);
  put(file, "/entry/instrument/detector/image_key", {9}, keys);
  put(file, "/entry/sample/rotation_angle", {9}, {0, 0, 0, 0, 45, 90, 135, 135, 135});
  put(file, "/entry/instrument/detector/x_pixel_size", {1}, {1e-6F});
  H5Fclose(file);

  const auto source = open_scan(folder / "a.nxs");

  expect_half_of_the_mean_flat(*source);
  const auto other = open_scan(folder / "a.nxs", {.white_level = 5000});
  EXPECT_EQ(testing::count_with(other->findings(), {"interpolated"}), 0);
}

TEST(FlatSeries, OfADataExchangeFileGoByTheirAngles) {
  for (const float sense : {1.0F, -1.0F}) {
    const testing::TempFolder folder;
    const hid_t file = H5Fcreate((folder / "a.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put(file, "/exchange/data", {4, 1, 2}, all_views());
    put(file, "/exchange/data_white", {2, 1, 2}, {beam(0, 0), beam(0, 1), beam(4, 0), beam(4, 1)});
    put(file, "/exchange/data_dark", {1, 1, 2}, {dark, dark});
    put(file, "/exchange/theta", {4}, {0, 45 * sense, 90 * sense, 135 * sense});
    put(file, "/exchange/theta_white", {2}, {0, 180 * sense});
    H5Fclose(file);

    expect_half_of_the_mean_flat(*open_scan(folder / "a.h5"));
  }
}

TEST(FlatSeries, OfTiffsAreThoseBeforeAndAfter) {
  const testing::TempFolder folder;
  const auto image = [&](const std::string& name, float left, float right) {
    const float counts[] = {left, right};
    write_tiff(folder / name, View3<const float>{counts, 2, 1, 1});
  };
  for (int view = 0; view < views; ++view)
    image(fmt::format("p{}.tif", view), count(view, 0), count(view, 1));
  image("before.tif", beam(0, 0), beam(0, 1));
  image("after.tif", beam(4, 0), beam(4, 1));
  image("dark.tif", dark, dark);
  const std::string text =
      "feldspar_scan = 1\nbeam = \"parallel\"\n[images]\nprojections = \"p*.tif\"\nflats_after = "
      "\"after.tif\"\n"
      "darks = \"dark.tif\"\n[detector]\npixel_size = \"1 um\"\n[angles]\nturn = \"clockwise\"\nrange = "
      "\"180 deg\"\n";
  std::ofstream(folder / "scan.toml") << text;
  testing::expect_failure(testing::failure_of([&] { (void)open_scan(folder.path()); }), ErrorKind::bad_file,
                          {"images.flats_after", "no flats before"});
  std::ofstream(folder / "scan.toml")
      << std::string(text).insert(text.find("flats_after"), "flats = \"before.tif\"\n");

  expect_half_of_the_mean_flat(*open_scan(folder.path()));
}

/// One view, one pixel, integers that may be full.
class Full final : public DescribedScan {
 public:
  explicit Full(std::uint16_t value) : value_(value) {
    scan_.detector = {.columns = 1, .rows = 1, .column_pitch = 1, .row_pitch = 1};
    scan_.angles = {0};
    references_ = {{1000}, {}, 65535};
  }
  [[nodiscard]] CountType count_type() const override { return CountType::uint16; }
  [[nodiscard]] std::vector<fs::path> files() const override { return {}; }
  void read(std::span<const int>, const geometry::PixelWindow&, void* counts) const override {
    *static_cast<std::uint16_t*>(counts) = value_;
  }

 private:
  std::uint16_t value_;
};

TEST(FlatSeries, KeepFullPixelsFullAndOthersNot) {
  const auto read = [](std::uint16_t value, float flat) {
    const auto source = with_flats_in_time(std::make_unique<Full>(value), {{0, {flat}, 1}, {1, {flat}, 1}});
    const int view = 0;
    float got = 0;
    source->read(std::span(&view, 1), {{0, 1}, {0, 1}}, &got);
    return got;
  };

  EXPECT_EQ(read(65535, 2000), 65535);
  EXPECT_LT(read(65534, 500), 65535);
  EXPECT_EQ(read(600, 2000), 300);
  EXPECT_EQ(read(600, 0), 600);  // a dead pixel of the flat
}

}  // namespace
}  // namespace feldspar::io
