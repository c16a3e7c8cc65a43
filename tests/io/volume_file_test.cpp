// Volume files: what is written comes back, whatever the cut, the order and the type, and says what it is.
#include <gtest/gtest.h>
#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "base/error.hpp"
#include "io/hdf5/volume_file.hpp"
#include "tests/io/volumes.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

using testing::grid_of;
using testing::Slab;
using testing::slab_at;
using testing::slabs_of;
using testing::TempFolder;
using testing::value_at;
using testing::write_volume;

/// Voxels of the whole volume further than `tolerance` from what was written.
std::size_t wrong_voxels(const io::VolumeReader& volume, double tolerance) {
  const geometry::VolumeGrid& grid = volume.grid();
  const Array3<float> read = volume.read(0, grid.nx, 0, grid.ny, 0, grid.nz);
  std::size_t wrong = 0;
  for (int z = 0; z < grid.nz; ++z)
    for (int y = 0; y < grid.ny; ++y)
      for (int x = 0; x < grid.nx; ++x)
        wrong += !(std::abs(static_cast<double>(read(x, y, z)) - value_at(grid, x, y, z)) <= tolerance);
  return wrong;
}

struct Case {
  const char* name;
  geometry::VolumeGrid grid;
  int slab;
  int deflate;
  bool shuffled;
};

class VolumeFile : public ::testing::TestWithParam<Case> {};

TEST_P(VolumeFile, ComesBackAsItWasWritten) {
  const auto& [name, grid, height, deflate, shuffled] = GetParam();
  const TempFolder folder;
  std::vector<Slab> slabs = slabs_of(grid.nz, height);
  if (shuffled) std::ranges::shuffle(slabs, std::mt19937(7));

  write_volume(folder / "v.h5", grid, {.deflate = deflate, .threads = 3}, slabs);

  const io::VolumeReader volume(folder / "v.h5");
  EXPECT_EQ(volume.grid(), grid);
  EXPECT_EQ(wrong_voxels(volume, 0), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Cuts, VolumeFile,
    ::testing::Values(Case{"one_voxel", grid_of(1, 1, 1), 1, 0, false},
                      Case{"one_slice_deflated", grid_of(200, 3, 1), 1, 4, false},
                      Case{"odd_sizes", grid_of(131, 129, 37), 37, 0, false},
                      Case{"whole_layers", grid_of(256, 128, 64), 32, 1, false},
                      Case{"slabs_across_layers", grid_of(131, 257, 101), 37, 0, false},
                      Case{"slabs_across_layers_deflated", grid_of(131, 257, 101), 37, 1, false},
                      Case{"slices_in_any_order", grid_of(150, 40, 333), 1, 0, true},
                      Case{"slices_in_any_order_deflated", grid_of(150, 40, 333), 1, 9, true},
                      Case{"slabs_in_any_order_deflated", grid_of(64, 131, 333), 7, 1, true}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(VolumeFileReading, GivesAnyBoxOfIt) {
  const TempFolder folder;
  const auto grid = grid_of(140, 150, 40);
  write_volume(folder / "v.h5", grid, {.deflate = 1}, slabs_of(40, 11));

  const Array3<float> box = io::VolumeReader(folder / "v.h5").read(120, 15, 127, 3, 14, 20);

  ASSERT_EQ(box.view().nx, 15);
  for (int z = 0; z < 20; ++z)
    for (int y = 0; y < 3; ++y)
      for (int x = 0; x < 15; ++x) ASSERT_EQ(box(x, y, z), value_at(grid, 120 + x, 127 + y, 14 + z));
}

TEST(VolumeFileReading, RefusesABoxThatLeavesTheVolume) {
  const TempFolder folder;
  write_volume(folder / "v.h5", grid_of(5, 6, 7), {}, slabs_of(7, 7));
  const io::VolumeReader volume(folder / "v.h5");

  EXPECT_THROW((void)volume.read(0, 5, 0, 6, 1, 7), Error);
  EXPECT_THROW((void)volume.read(-1, 2, 0, 6, 0, 7), Error);
  EXPECT_THROW((void)volume.read(0, std::numeric_limits<int>::max(), 0, 6, 0, 7), Error);
}

TEST(VolumeFileInSixteenBits, IsHalfAStepFromTheTruth) {
  const TempFolder folder;
  const auto grid = grid_of(130, 70, 50);
  const io::VolumeFileOptions options{
      .type = io::VoxelType::uint16, .lowest = -0.1, .highest = 0.4, .deflate = 1};
  write_volume(folder / "v.h5", grid, options, slabs_of(50, 9));

  // Half a step of the code, and the rounding of a float below 0.5.
  const double bound = 0.5 / 65535 / 2 + 0x1p-26;
  EXPECT_EQ(wrong_voxels(io::VolumeReader(folder / "v.h5"), bound), 0u);
}

TEST(VolumeFileInSixteenBits, ClipsAndCountsWhatIsBeyondItsRange) {
  const TempFolder folder;
  Array3<float> slab(4, 1, 2);
  const float values[] = {-0.01f,
                          0.0f,
                          0.5f,
                          1.0f,
                          1.5f,
                          std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity(),
                          0.25f};
  std::ranges::copy(values, slab.data());
  io::VolumeWriter writer(folder / "v.h5", grid_of(4, 1, 2),
                          {.type = io::VoxelType::uint16, .lowest = 0, .highest = 1});

  writer.write(0, slab.view());
  writer.finish({});

  EXPECT_EQ(writer.clipped(), 4);
  const Array3<float> read = io::VolumeReader(folder / "v.h5").read(0, 4, 0, 1, 0, 2);
  const float stored[] = {0, 0, 0.5f, 1, 1, 0, 1, 0.25f};
  for (int i = 0; i < 8; ++i) EXPECT_NEAR(read.data()[i], stored[i], 0.5 / 65535 + 0x1p-25) << i;
}

TEST(VolumeFileInSixteenBits, CountsEachClippedVoxelOnceInAnyOrder) {
  const TempFolder folder;
  const auto grid = grid_of(20, 20, 200);
  Array3<float> slice(20, 20, 1);
  slice.fill(2);
  std::vector<Slab> slices = slabs_of(200, 1);
  std::ranges::shuffle(slices, std::mt19937(3));
  io::VolumeWriter writer(folder / "v.h5", grid, {.type = io::VoxelType::uint16, .lowest = 0, .highest = 1});

  for (const Slab& slab : slices) writer.write(slab.first, slice.view());

  EXPECT_EQ(writer.clipped(), 20 * 20 * 200);
}

TEST(VolumeFileInSixteenBits, NeedsARange) {
  const TempFolder folder;
  EXPECT_THROW(io::VolumeWriter(folder / "v.h5", grid_of(4, 4, 4), {.type = io::VoxelType::uint16}), Error);
}

TEST(VolumeFileRecord, IsKept) {
  const TempFolder folder;
  const io::VolumeRecord record{
      .title = "cell 7",
      .sample_name = "18650",
      .instrument = {{"voltage", "190 kV"}},
      .scan = {{"XTekCT/SrcToObject", "176.9 (used)"}, {"XTekCT/Units", "mm"}},
      .reconstruction = {{"version", "0.1.0"}},
      .inputs = {{"/data/a.tif", "xxh3-128:00"}, {"/data/b.tif", "xxh3-128:11"}},
      .configuration = "[filter]\nwindow = \"hann\"\n",
      .findings = {{"pixels.dead", "3 bad pixels"},
                   {"axis.contradicted", "axis moved", "axis", {{"axis-offset", "auto"}}}}};

  write_volume(folder / "v.h5", grid_of(3, 3, 3), {}, slabs_of(3, 3), record);

  const io::VolumeReader volume(folder / "v.h5");
  EXPECT_EQ(volume.title(), "cell 7");
  EXPECT_EQ(volume.text("sample/name"), "18650");
  EXPECT_EQ(volume.text("instrument/voltage"), "190 kV");
  EXPECT_EQ(volume.text("scan/XTekCT/SrcToObject"), "176.9 (used)");
  EXPECT_EQ(volume.text("reconstruction/version"), "0.1.0");
  EXPECT_EQ(volume.text("reconstruction/configuration"), record.configuration);
  EXPECT_EQ(volume.text("reconstruction/findings"), "3 bad pixels\naxis moved");
  EXPECT_EQ(
      findings_in_lines(volume.text("reconstruction/findings"), volume.text("reconstruction/finding_data")),
      record.findings);
  EXPECT_EQ(volume.text("reconstruction/inputs/path"), "/data/a.tif\n/data/b.tif");
  EXPECT_EQ(volume.text("reconstruction/inputs/hash"), "xxh3-128:00\nxxh3-128:11");
  EXPECT_EQ(volume.text("reconstruction"), "");
  EXPECT_EQ(volume.text("no/such/thing"), "");
}

TEST(VolumeFileRecord, SurvivesDirtyNamesAndTexts) {
  const TempFolder folder;
  io::VolumeRecord record;
  record.scan = {{"Temp",
                  "21 \xB0"
                  "C"},
                 {"Temp", "again"},
                 {"Temp/Inner", "below a value"},
                 {"", "nameless"},
                 {".", "dot"},
                 {"//a", "slashes"},
                 {"b\xB5", ""}};

  write_volume(folder / "v.h5", grid_of(3, 3, 3), {}, slabs_of(3, 3), record);

  const io::VolumeReader volume(folder / "v.h5");
  EXPECT_EQ(volume.text("scan/Temp"),
            "21 \xC2\xB0"
            "C");
  EXPECT_EQ(volume.text("scan/Temp (2)"), "again");
  EXPECT_EQ(volume.text("scan/Temp (3)/Inner"), "below a value");
  EXPECT_EQ(volume.text("scan/_"), "nameless");
  EXPECT_EQ(volume.text("scan/_ (2)"), "dot");
  EXPECT_EQ(volume.text("scan/_ (3)/_/a"), "slashes");
}

/// What VTK's reader of image data asks a file for.
struct VtkImage {
  explicit VtkImage(const std::filesystem::path& path)
      : file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)) {}
  VtkImage(const VtkImage&) = delete;
  VtkImage& operator=(const VtkImage&) = delete;
  ~VtkImage() { H5Fclose(file); }

  template <class Value>
  [[nodiscard]] std::vector<Value> numbers(const char* name) const {
    const hid_t attribute = H5Aopen_by_name(file, "/VTKHDF", name, H5P_DEFAULT, H5P_DEFAULT);
    std::vector<Value> values(static_cast<std::size_t>(H5Aget_storage_size(attribute)) / sizeof(Value));
    H5Aread(attribute, std::is_same_v<Value, double> ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64, values.data());
    H5Aclose(attribute);
    return values;
  }
  /// Only ASCII of a fixed length is read as a text.
  [[nodiscard]] std::string type() const {
    const hid_t attribute = H5Aopen_by_name(file, "/VTKHDF", "Type", H5P_DEFAULT, H5P_DEFAULT),
                type = H5Aget_type(attribute);
    std::string text(H5Tget_size(type), ' ');
    const bool fixed = H5Tis_variable_str(type) == 0;
    if (fixed) H5Aread(attribute, type, text.data());
    H5Tclose(type), H5Aclose(attribute);
    return fixed ? text : "of variable length";
  }
  [[nodiscard]] std::string array() const {
    std::string name(200, '\0');
    name.resize(static_cast<std::size_t>(H5Lget_name_by_idx(
        file, "/VTKHDF/PointData", H5_INDEX_NAME, H5_ITER_INC, 0, name.data(), name.size(), H5P_DEFAULT)));
    return name;
  }
  /// Values of the array, which is reached by its link.
  [[nodiscard]] std::vector<float> values() const {
    const hid_t array_of = H5Dopen2(file, ("/VTKHDF/PointData/" + array()).c_str(), H5P_DEFAULT),
                space = H5Dget_space(array_of);
    std::vector<float> all(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    H5Dread(array_of, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data());
    H5Sclose(space), H5Dclose(array_of);
    return all;
  }

  hid_t file;
};

TEST(VolumeFileVtk, IsImageDataWithThePlaceOfTheVolume) {
  const TempFolder folder;
  const geometry::VolumeGrid grid = grid_of(3, 4, 5);
  write_volume(folder / "v.h5", grid, {}, slabs_of(5, 5));

  const VtkImage image(folder / "v.h5");

  EXPECT_EQ(image.type(), "ImageData");
  EXPECT_EQ(image.numbers<std::int64_t>("Version"), (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(image.numbers<std::int64_t>("WholeExtent"), (std::vector<std::int64_t>{0, 2, 0, 3, 0, 4}));
  EXPECT_EQ(image.numbers<double>("Origin"), (std::vector{grid.origin.x, grid.origin.y, grid.origin.z}));
  EXPECT_EQ(image.numbers<double>("Spacing"), (std::vector{grid.spacing.x, grid.spacing.y, grid.spacing.z}));
  EXPECT_EQ(image.numbers<double>("Direction"), (std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(image.array(), "attenuation (mm^-1)");
  const Array3<float> voxels = io::VolumeReader(folder / "v.h5").read(0, 3, 0, 4, 0, 5);
  EXPECT_EQ(image.values(), std::vector<float>(voxels.data(), voxels.data() + voxels.size()));
}

TEST(VolumeFileVtk, IsLeftOutOfOneSliceWhichVtkCouldNotRead) {
  const TempFolder folder;
  write_volume(folder / "v.h5", grid_of(3, 4, 1), {}, slabs_of(1, 1));

  EXPECT_EQ(H5Lexists(VtkImage(folder / "v.h5").file, "/VTKHDF", H5P_DEFAULT), 0);
}

TEST(VolumeFileVtk, SaysWhatCodesMean) {
  const TempFolder folder;
  write_volume(folder / "v.h5", grid_of(3, 4, 5),
               {.type = io::VoxelType::uint16, .lowest = -0.25, .highest = 1.061}, slabs_of(5, 5));

  EXPECT_EQ(VtkImage(folder / "v.h5").array(), "code (mm^-1 = code * 2.0004577706569008e-05 + -0.25)");
}

/// Bytes of the chunk at (z, y, x) in the file, 0 where there is none.
hsize_t stored_bytes(const std::filesystem::path& path, hsize_t z, hsize_t y, hsize_t x) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t voxels = H5Dopen2(file, "/entry/data/data", H5P_DEFAULT);
  const hsize_t offset[3] = {z, y, x};
  hsize_t bytes = 0;
  H5Dget_chunk_storage_size(voxels, offset, &bytes);
  H5Dclose(voxels);
  H5Fclose(file);
  return bytes;
}

TEST(VolumeFileCompression, StoresEachChunkOnceWhateverTheSlabs) {
  const TempFolder folder;
  const auto grid = grid_of(256, 256, 64);
  write_volume(folder / "whole.h5", grid, {.deflate = 1}, slabs_of(64, 64));
  write_volume(folder / "cut.h5", grid, {.deflate = 1}, slabs_of(64, 5));

  EXPECT_LT(stored_bytes(folder / "cut.h5", 16, 128, 0), 16u * 128 * 128 * 4);
  EXPECT_EQ(std::filesystem::file_size(folder / "cut.h5"), std::filesystem::file_size(folder / "whole.h5"));
}

}  // namespace
}  // namespace feldspar
