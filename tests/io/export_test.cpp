// Volumes in formats of other programs: what stands in the files, bit by bit. What other programs make of
// them is asked by tests/cli/export_judges.py.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "io/export/export_volume.hpp"
#include "io/tiff/tiff_file.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

using testing::expect_error;
using testing::TempFolder;

constexpr geometry::VolumeGrid grid{
    .nx = 5, .ny = 4, .nz = 37, .spacing = {0.03, 0.04, 0.05}, .origin = {-1.5, 2.25, -0.5}};

float value_at(int x, int y, int z) { return 0.001f * static_cast<float>(x + 10 * y + 100 * z) - 0.2f; }

void make_volume(const std::filesystem::path& path, const io::VolumeFileOptions& options = {}) {
  Array3<float> voxels(grid.nx, grid.ny, grid.nz, "a volume");
  for (int z = 0; z < grid.nz; ++z)
    for (int y = 0; y < grid.ny; ++y)
      for (int x = 0; x < grid.nx; ++x) voxels(x, y, z) = value_at(x, y, z);
  io::VolumeWriter writer(path, grid, options);
  writer.write(0, voxels.view());
  io::VolumeRecord record;
  record.title = "a cell";
  writer.finish(record);
}

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// The values of type T that a file holds from byte `at` on.
template <class T>
std::vector<T> values_of(const std::filesystem::path& path, std::size_t at) {
  const std::string bytes = content_of(path).substr(at);
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

std::vector<float> all_values() {
  std::vector<float> values;
  for (int z = 0; z < grid.nz; ++z)
    for (int y = 0; y < grid.ny; ++y)
      for (int x = 0; x < grid.nx; ++x) values.push_back(value_at(x, y, z));
  return values;
}

io::ExportOptions to_codes(double lowest, double highest) {
  io::ExportOptions options;
  options.type = io::VoxelType::uint16, options.range = {lowest, highest};
  return options;
}
io::ExportOptions of_region(geometry::Range x, geometry::Range y, geometry::Range z, int bin = 1) {
  io::ExportOptions options;
  options.region = {x, y, z}, options.bin = bin;
  return options;
}
io::ExportOptions as(const char* format) {
  io::ExportOptions options;
  options.format = format, options.overwrite = true;
  return options;
}

class Export : public ::testing::Test {
 protected:
  void SetUp() override { make_volume(folder_ / "v.h5"); }
  io::Exported run(const std::string& output, const io::ExportOptions& options = {},
                   const std::string& input = "v.h5") {
    Progress progress;
    return io::export_volume(folder_ / input, folder_ / output, options, progress);
  }
  [[nodiscard]] std::string text(const std::string& name) const { return content_of(folder_ / name); }
  TempFolder folder_;
};

TEST_F(Export, TiffHasAPageForEverySliceInOneBlock) {
  (void)run("v.tif");

  const io::TiffPages pages = io::tiff_pages(folder_ / "v.tif");
  ASSERT_EQ(pages.pages.size(), 37U);
  for (int z = 0; z < grid.nz; ++z) {
    const io::TiffPage page = pages.pages[static_cast<std::size_t>(z)];
    const io::TiffInfo info = io::read_tiff_info(folder_ / "v.tif", page);
    ASSERT_TRUE(info.columns == 5 && info.rows == 4 && info.count_type == io::CountType::float32);
    std::vector<float> slice(20);
    io::read_tiff_rows(folder_ / "v.tif", info, {0, 4}, slice.data(), page);
    EXPECT_EQ(slice[7], value_at(2, 1, z));
  }
  const std::string bytes = text("v.tif");
  EXPECT_EQ(values_of<float>(folder_ / "v.tif", bytes.size() - 4 * grid.voxels()), all_values());
  for (const char* words : {"ImageJ=1.54f\nimages=37\nslices=37\nunit=mm\nspacing=0.05\n", "vunit=1/mm\n"})
    EXPECT_NE(bytes.find(words), std::string::npos) << words;
}

TEST_F(Export, TiffAbove4GiBIsABigTiff) {
  io::ExportedVolume volume;
  volume.grid = grid;
  volume.grid.nx = volume.grid.ny = 2000;
  volume.grid.nz = 200;
  EXPECT_EQ(io::volume_format_of("v.tif", "").lay_out("v.tif", volume).head.substr(0, 4),
            std::string("II*\0", 4));

  volume.grid.nz = 2000;
  const std::string head = io::volume_format_of("v.tif", "").lay_out("v.tif", volume).head;

  EXPECT_EQ(head.substr(0, 4), std::string("II+\0", 4));
  EXPECT_EQ(head.size() % 4096, 0U);
  std::uint64_t at = 0, pages = 0, offset = 0;
  std::memcpy(&at, head.data() + 8, 8);
  while (at != 0) {
    std::uint64_t entries = 0;
    ASSERT_LT(at + 8, head.size());
    std::memcpy(&entries, head.data() + at, 8);
    for (std::uint64_t n = 0; n < entries; ++n) {
      std::uint16_t tag = 0;
      std::memcpy(&tag, head.data() + at + 8 + 20 * n, 2);
      if (tag == 273) std::memcpy(&offset, head.data() + at + 8 + 20 * n + 12, 8);
    }
    EXPECT_EQ(offset, head.size() + pages * 16000000);
    std::memcpy(&at, head.data() + at + 8 + 20 * entries, 8);
    ++pages;
  }
  EXPECT_EQ(pages, 2000U);
}

TEST_F(Export, NrrdSaysWhereItIs) {
  (void)run("v.nrrd");
  (void)run("w.nhdr");

  const std::string bytes = text("v.nrrd"), header = bytes.substr(0, bytes.find("\n\n") + 2);
  for (const char* line : {"NRRD0004\n", "type: float\n", "space: left-posterior-superior\n",
                           "sizes: 5 4 37\n", "space directions: (0.03,0,0) (0,0.04,0) (0,0,0.05)\n",
                           "space origin: (-1.5,2.25,-0.5)\n", "content: a cell\n", "encoding: raw\n"})
    EXPECT_NE(header.find(line), std::string::npos) << line;
  EXPECT_EQ(values_of<float>(folder_ / "v.nrrd", header.size()), all_values());
  EXPECT_NE(text("w.nhdr").find("data file: w.raw\n"), std::string::npos);
  EXPECT_EQ(values_of<float>(folder_ / "w.raw", 0), all_values());
}

TEST_F(Export, MetaImageAndRawDo) {
  (void)run("v.mha");
  (void)run("w.mhd");
  const io::Exported raw = run("u.vol");

  const std::string bytes = text("v.mha"), last = "ElementDataFile = LOCAL\n";
  EXPECT_NE(bytes.find("Offset = -1.5 2.25 -0.5\n"), std::string::npos);
  EXPECT_NE(bytes.find("ElementSpacing = 0.03 0.04 0.05\nDimSize = 5 4 37\n"), std::string::npos);
  EXPECT_EQ(values_of<float>(folder_ / "v.mha", bytes.find(last) + last.size()), all_values());
  EXPECT_NE(text("w.mhd").find("ElementDataFile = w.raw\n"), std::string::npos);
  EXPECT_EQ(values_of<float>(folder_ / "u.vol", 0), all_values());
  EXPECT_NE(text("u.vgi").find("size = 5 4 37\ndatatype = float\n"), std::string::npos);
  EXPECT_NE(text("u.vgi").find("resolution = 0.03 0.04 0.05\nunit = mm\n"), std::string::npos);
  EXPECT_NE(text("u.txt").find("5 x 4 x 37 (x fastest"), std::string::npos);
  EXPECT_EQ(raw.files.size(), 3U);
}

TEST_F(Export, NiftiTurnsXAndYRound) {
  (void)run("v.nii");

  EXPECT_EQ(values_of<float>(folder_ / "v.nii", 352), all_values());
  const auto rows = values_of<float>(folder_ / "v.nii", 280);
  const std::vector<float> wanted{-0.03f, 0, 0, 1.5f, 0, -0.04f, 0, -2.25f, 0, 0, 0.05f, -0.5f};
  EXPECT_EQ(std::vector<float>(rows.begin(), rows.begin() + 12), wanted);
  io::ExportedVolume wide;
  wide.grid = grid;
  wide.grid.nx = 40000;
  expect_error(ErrorKind::unsupported, {"v.nii", "32767", "NRRD"},
               [&] { (void)io::volume_format_of("v.nii", "").lay_out("v.nii", wide); });
}

TEST_F(Export, CodesHaveOneSlopeAndWhatIsClippedIsCounted) {
  const io::Exported made = run("v.nrrd", to_codes(-0.1, 0.5));

  const std::string bytes = text("v.nrrd");
  const auto codes = values_of<std::uint16_t>(folder_ / "v.nrrd", bytes.find("\n\n") + 2);
  ASSERT_EQ(codes.size(), grid.voxels());
  std::int64_t outside = 0;
  const std::vector<float> values = all_values();
  for (std::size_t n = 0; n < values.size(); ++n) {
    const double code = std::round((double{values[n]} + 0.1) / made.volume.slope);
    const bool inside = code >= 0 && code <= 65535;
    outside += !inside;
    if (!inside) continue;
    EXPECT_NEAR(codes[n] * made.volume.slope + made.volume.intercept, values[n], 0.51 * made.volume.slope);
  }
  EXPECT_GT(outside, 100);
  EXPECT_EQ(made.clipped, outside);
  EXPECT_NE(bytes.find("intercept:=-0.1\n"), std::string::npos);
}

TEST_F(Export, CodesOfAVolumeStayWhatTheyAre) {
  io::VolumeFileOptions coded;
  coded.type = io::VoxelType::uint16, coded.lowest = -0.3, coded.highest = 4;
  make_volume(folder_ / "c.h5", coded);
  const io::VolumeReader volume(folder_ / "c.h5");

  const io::Exported made = run("c.raw", {}, "c.h5");

  EXPECT_EQ(made.clipped, 0);
  const auto codes = values_of<std::uint16_t>(folder_ / "c.raw", 0);
  const Array3<float> voxels = volume.read(0, 5, 0, 4, 0, 37);
  for (std::size_t n = 0; n < codes.size(); ++n)
    EXPECT_EQ(static_cast<float>(codes[n] * made.volume.slope + made.volume.intercept), voxels.data()[n]);
}

TEST_F(Export, RegionsAndBinsKeepTheirPlace) {
  const io::Exported made = run("v.raw", of_region({1, 5}, {0, 4}, {3, 36}, 2));

  const geometry::VolumeGrid& g = made.volume.grid;
  EXPECT_TRUE(g.nx == 2 && g.ny == 2 && g.nz == 16) << "an incomplete bin is left out";
  EXPECT_EQ(g.spacing, 2.0 * grid.spacing);
  EXPECT_NEAR(g.origin.x, grid.origin.x + 1.5 * 0.03, 1e-12);
  EXPECT_NEAR(g.origin.z, grid.origin.z + 3.5 * 0.05, 1e-12);
  const auto means = values_of<float>(folder_ / "v.raw", 0);
  ASSERT_EQ(means.size(), 64U);
  for (int z = 0; z < 16; ++z)
    EXPECT_NEAR(means[static_cast<std::size_t>(4 * z + 3)],
                0.001 * (3.5 + 10 * 2.5 + 100 * (3.5 + 2 * z)) - 0.2, 1e-6);
}

TEST_F(Export, RefusesWhatCannotBe) {
  const std::vector<std::pair<io::ExportOptions, const char*>> wrong{
      {of_region({0, 6}, {0, 4}, {0, 37}), "0:6 along x"},
      {of_region({0, 5}, {3, 3}, {0, 37}), "3:3 along y"},
      {of_region({0, 5}, {0, 4}, {-1, 37}), "-1:37 along z"},
      {to_codes(0.5, 0.5), "no extent"},
      {of_region({0, 5}, {0, 4}, {0, 37}, 5), "along y"},
      {as("jpeg"), "tiff, nrrd, mha, nifti, raw"}};
  for (const auto& [options, words] : wrong)
    expect_error(ErrorKind::usage, {words}, [&, &asked = options] { (void)run("v.nrrd", asked); });
  expect_error(ErrorKind::usage, {"v.xyz", ".nrrd"}, [&] { (void)run("v.xyz"); });
  std::ofstream(folder_ / "there.vgi") << "another's";
  expect_error(ErrorKind::io, {"there.vgi"}, [&] { (void)run("there.raw"); });
  expect_error(ErrorKind::usage, {"v.h5"}, [&] { (void)run("v.h5", as("raw")); });
  EXPECT_EQ(text("there.vgi"), "another's");
  for (const char* name : {"v.nrrd", "v.xyz", "there.raw", "v.nrrd.partial"})
    EXPECT_FALSE(std::filesystem::exists(folder_ / name)) << name;
}

}  // namespace
}  // namespace feldspar
