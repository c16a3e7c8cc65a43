// Xradia scans: written and read back, with every oddity that real files have, real files, and damaged ones.
#include "io/zeiss/txrm_source.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "io/zeiss/compound_layout.hpp"
#include "io/zeiss/txrm_writer.hpp"
#include "tests/io/zeiss/compound_files.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/test_data.hpp"

namespace feldspar::io::zeiss {
namespace {

using namespace testing;
using Streams = std::map<std::string, Bytes>;

template <class Number>
Bytes bytes_of_numbers(std::initializer_list<Number> numbers) {
  Bytes bytes(numbers.size() * sizeof(Number));
  std::size_t at = 0;
  for (const Number number : numbers) cfb::put(bytes.data(), at, number), at += sizeof(Number);
  return bytes;
}
Bytes integers(std::initializer_list<std::int32_t> values) { return bytes_of_numbers(values); }
Bytes floats(std::initializer_list<float> values) { return bytes_of_numbers(values); }
Bytes shorts(std::initializer_list<std::uint16_t> values) { return bytes_of_numbers(values); }

/// Three views of 3 x 2 pixels: SOD 20 mm, SDD 60 mm, 10 um voxels, so 30 um at the detector.
Streams small_scan() {
  return {{"ImageInfo/ImageWidth", integers({3})},
          {"ImageInfo/ImageHeight", integers({2})},
          {"ImageInfo/NoOfImages", integers({3})},
          {"ImageInfo/ImagesTaken", integers({3})},
          {"ImageInfo/DataType", integers({5})},
          {"ImageInfo/AcquisitionMode", integers({0})},
          {"ImageInfo/XrayGeometry", integers({1})},
          {"ImageInfo/PixelSize", floats({10})},
          {"ImageInfo/StoRADistance", floats({-20, -20, -20})},
          {"ImageInfo/DtoRADistance", floats({40, 40, 40})},
          {"ImageInfo/Angles", floats({-90, 0, 90})},
          {"ImageInfo/ExpTimes", floats({2, 2, 2})},
          {"ReferenceData/Image", floats({100, 200, 300, 400, 500, 600})},
          {"ReferenceData/DataType", integers({10})},
          {"ReferenceData/ExpTime", floats({2})},
          {"ImageData1/Image1", shorts({11, 12, 13, 14, 15, 16})},
          {"ImageData1/Image2", shorts({21, 22, 23, 24, 25, 26})},
          {"ImageData1/Image3", shorts({31, 32, 33, 34, 35, 65535})}};
}

class txrm : public ::testing::Test {
 protected:
  std::unique_ptr<ScanSource> open(const Streams& streams, const OpenOptions& options = {}) {
    write_compound(path_, streams, 512);
    return open_scan(path_, options);
  }
  std::unique_ptr<ScanSource> open_with(const Streams& changes, const OpenOptions& options = {}) {
    Streams streams = small_scan();
    for (const auto& [name, bytes] : changes) streams[name] = bytes;
    return open(streams, options);
  }
  std::unique_ptr<ScanSource> open_without(const char* name, const OpenOptions& options = {}) {
    Streams streams = small_scan();
    streams.erase(name);
    return open(streams, options);
  }
  static bool found(const ScanSource& source, std::string_view words) {
    return testing::count_with(source.findings(), {std::string(words)}) > 0;
  }
  template <class Count>
  static std::vector<Count> read(const ScanSource& source, std::vector<int> views,
                                 geometry::PixelWindow window) {
    std::vector<Count> counts(views.size() *
                              static_cast<std::size_t>(window.columns.count() * window.rows.count()));
    source.read(views, window, counts.data());
    return counts;
  }

  TempFolder folder_;
  std::filesystem::path path_ = folder_ / "no-telling-name.dat";
};

constexpr geometry::PixelWindow all{{0, 3}, {0, 2}};

TEST_F(txrm, geometry_is_converted_to_the_worlds) {
  const auto source = open(small_scan());
  const geometry::CircularScan& scan = source->scan();
  EXPECT_EQ(scan.beam, geometry::Beam::cone);
  EXPECT_DOUBLE_EQ(scan.source_object_distance, 20);
  EXPECT_DOUBLE_EQ(scan.source_detector_distance, 60);
  EXPECT_NEAR(scan.detector.column_pitch, 0.030, 1e-12);
  EXPECT_NEAR(scan.angles[2], std::numbers::pi / 2, 1e-12);
  EXPECT_TRUE(scan.shifts.empty());
  ASSERT_EQ(source->findings().size(), 1u);
  EXPECT_TRUE(source->findings().front().code == "axis.unstated");
}

TEST_F(txrm, rows_are_stored_from_the_lowest_and_columns_from_the_left) {
  const auto source = open(small_scan());
  EXPECT_EQ(source->count_type(), CountType::uint16);
  EXPECT_EQ(read<std::uint16_t>(*source, {2, 0}, all),
            (std::vector<std::uint16_t>{31, 32, 33, 34, 35, 65535, 11, 12, 13, 14, 15, 16}));
  EXPECT_EQ(read<std::uint16_t>(*source, {1}, {{1, 3}, {0, 2}}),
            (std::vector<std::uint16_t>{22, 23, 25, 26}));
  EXPECT_EQ(read<std::uint16_t>(*source, {1}, {{0, 3}, {1, 2}}), (std::vector<std::uint16_t>{24, 25, 26}));
}

TEST_F(txrm, shifts_are_kept_as_fractions_with_the_opposite_sign) {
  const auto source = open_with({{"alignment/x-shifts", floats({0.25f, -1.5f, 0})},
                                 {"alignment/y-shifts", floats({0, 0.5f, 0, 99, 99})}});
  const auto& shifts = source->scan().shifts;
  ASSERT_EQ(shifts.size(), 3u);
  EXPECT_NEAR(shifts[0].column, -0.25 * 0.030, 1e-12);
  EXPECT_NEAR(shifts[1].column, +1.5 * 0.030, 1e-12);
  EXPECT_NEAR(shifts[1].row, -0.5 * 0.030, 1e-12);
  EXPECT_TRUE(found(*source, "1.50 and 0.50 pixels"));
}

TEST_F(txrm, reference_is_scaled_to_the_images_exposure) {
  const auto source = open_with({{"ReferenceData/ExpTime", floats({4})}});
  EXPECT_EQ(source->references().white, (std::vector<float>{50, 100, 150, 200, 250, 300}));
  EXPECT_EQ(source->count_type(), CountType::uint16);
  EXPECT_TRUE(found(*source, "multiplied by 0.50000"));
}

TEST_F(txrm, views_of_other_exposures_are_scaled_to_the_first) {
  const auto source = open_with({{"ImageInfo/ExpTimes", floats({2, 4, 1})}});
  EXPECT_EQ(source->count_type(), CountType::float32);
  EXPECT_EQ(source->references().white.front(), 100);
  EXPECT_EQ(read<float>(*source, {1, 2}, {{0, 1}, {0, 1}}), (std::vector<float>{10.5f, 62.0f}));
}

TEST_F(txrm, several_references_are_averaged) {
  Streams streams = small_scan();
  streams.erase("ReferenceData/Image"), streams.erase("ReferenceData/DataType"),
      streams.erase("ReferenceData/ExpTime");
  streams["MultiReferenceData/DataType"] = integers({5});
  streams["MultiReferenceData/Image1"] = shorts({10, 10, 10, 10, 10, 20});
  streams["MultiReferenceData/Image2"] = shorts({20, 20, 20, 20, 20, 40});
  streams["MultiReferenceData/ImageInfo/ExpTimes"] = floats({2, 2});
  const auto source = open(streams);
  EXPECT_EQ(source->references().white, (std::vector<float>{15, 15, 15, 15, 15, 30}));
  EXPECT_TRUE(found(*source, "2 references"));
}

TEST_F(txrm, corrected_transmissions_become_counts) {
  const Bytes half = floats({0.5f, 1, 1, 1, 1, 1});
  const auto source = open_with({{"ImageInfo/OriginalDataRefCorrected", integers({1})},
                                 {"ImageInfo/DataType", integers({10})},
                                 {"ImageData1/Image1", half},
                                 {"ImageData1/Image2", half},
                                 {"ImageData1/Image3", half}});
  const auto counts = read<float>(*source, {0}, all);
  ASSERT_EQ(source->references().white.size(), 1u);
  EXPECT_FLOAT_EQ(counts[0] / source->references().white[0], 0.5f);
  EXPECT_GT(counts[0], 1000);  // the kernels take a count or less for a dead pixel
}

TEST_F(txrm, fewer_images_than_planned_are_trusted) {
  const auto source = open_with({{"ImageInfo/ImagesTaken", integers({2})}});
  EXPECT_EQ(source->scan().angles.size(), 2u);
  EXPECT_TRUE(found(*source, "3 images were planned"));
}

TEST_F(txrm, missing_images_are_refused_or_left_out) {
  expect_error(ErrorKind::bad_file, {"ImageData1/Image2", "allow-missing"},
               [&] { open_without("ImageData1/Image2"); });
  const auto source = open_without("ImageData1/Image2", {.allow_missing = true});
  ASSERT_EQ(source->scan().angles.size(), 2u);
  EXPECT_NEAR(source->scan().angles[1], std::numbers::pi / 2, 1e-12);
  EXPECT_EQ(read<std::uint16_t>(*source, {1}, {{0, 1}, {0, 1}}), std::vector<std::uint16_t>{31});
}

TEST_F(txrm, what_is_no_scan_is_refused_by_name_but_described) {
  struct Case {
    const char *stream, *said;
    Bytes bytes;
  };
  for (const Case& each : {Case{"ImageInfo/AcquisitionMode", "single image", integers({2})},
                           Case{"ImageInfo/AcquisitionMode", "focus series", integers({4})},
                           Case{"ImageInfo/FileType", "reconstruction", integers({3})},
                           Case{"ImageInfo/MosiacMode", "mosaic", integers({1})},
                           Case{"ImageInfo/DataType", "4 (int16)", integers({4})},
                           Case{"ImageInfo/HorizontalBin", "HorizontalBin", integers({2})}}) {
    expect_error(ErrorKind::unsupported, {"no-telling-name.dat", each.said}, [&] {
      open_with({{each.stream, each.bytes}});
    });
    const auto source = open_with({{each.stream, each.bytes}}, {.headers_only = true});
    EXPECT_TRUE(found(*source, each.said));
    EXPECT_EQ(source->scan().detector.columns, 3);
  }
}

TEST_F(txrm, impossible_values_are_refused_by_their_stream) {
  for (const auto& [stream, bytes] : Streams{{"ImageInfo/ImageWidth", integers({0})},
                                             {"ImageInfo/ImageHeight", integers({-2})},
                                             {"ImageInfo/ImagesTaken", integers({2'000'000'000})},
                                             {"ImageInfo/PixelSize", floats({-1})},
                                             {"ImageInfo/StoRADistance", floats({0})},
                                             {"ImageInfo/DtoRADistance", floats({NAN})},
                                             {"ImageInfo/Angles", floats({1, 2})},
                                             {"Alignment/X-Shifts", floats({1, INFINITY, 1})},
                                             {"Alignment/Y-Shifts", floats({1, 5, 1})},
                                             {"ImageInfo/DataType", Bytes(3)},
                                             {"ReferenceData/Image", Bytes(7)},
                                             {"ImageData1/Image1", Bytes(4)}}) {
    const std::string name = stream.substr(stream.find('/') + 1);
    expect_error(ErrorKind::bad_file, {"no-telling-name.dat", name}, [&, s = stream, b = bytes] {
      open_with({{s, b}});
    });
  }
}

TEST_F(txrm, without_a_reference_the_white_level_is_asked_for) {
  expect_error(ErrorKind::bad_file, {"ReferenceData", "white-level"},
               [&] { open_without("ReferenceData/Image"); });
  EXPECT_EQ(open_without("ReferenceData/Image", {.white_level = 500})->references().white,
            std::vector<float>{500});
}

Bytes text_of_260(const std::string& text) {
  Bytes bytes(260);
  std::copy(text.begin(), text.end(), bytes.begin());
  return bytes;
}

TEST_F(txrm, the_reference_may_be_a_file_beside_the_scan) {
  Streams streams = small_scan(), beam = small_scan();
  streams.erase("ReferenceData/Image");
  streams["ImageInfo/ReferenceFile"] = text_of_260("D:\\cycle3\\Open_Beam.xrm");
  expect_error(ErrorKind::bad_file, {"Open_Beam.xrm beside the scan", "white-level"}, [&] { open(streams); });
  for (const char* name : {"NoOfImages", "ImagesTaken"})
    beam[std::string("ImageInfo/") + name] = integers({2});
  beam["ImageInfo/AcquisitionMode"] = integers({2});
  beam["ImageInfo/ExpTimes"] = floats({1, 1});
  write_compound(folder_ / "open_beam.XRM", beam, 4096);

  const auto source = open(streams);

  // The mean of its two images, 16 ... 21, twice for an exposure twice as long.
  EXPECT_EQ(source->references().white, (std::vector<float>{32, 34, 36, 38, 40, 42}));
  EXPECT_TRUE(found(*source, "the mean of the 2 images of open_beam.XRM"));
  EXPECT_EQ(source->files().size(), 2U);
}

TEST_F(txrm, an_external_reference_of_another_size_is_refused) {
  Streams streams = small_scan(), beam = small_scan();
  streams.erase("ReferenceData/Image");
  streams["ImageInfo/ReferenceFile"] = text_of_260("beam.xrm");
  beam["ImageInfo/ImageWidth"] = integers({2});
  beam["ImageInfo/ImageHeight"] = integers({3});
  write_compound(folder_ / "beam.xrm", beam, 512);

  expect_error(ErrorKind::bad_file, {"beam.xrm", "2 x 3", "3 x 2"}, [&] { open(streams); });
}

TEST_F(txrm, older_distances_in_micrometres_are_used_where_the_newer_are_absent) {
  Streams streams = small_scan();
  streams.erase("ImageInfo/StoRADistance"), streams.erase("ImageInfo/DtoRADistance");
  streams["AutoRecon/StoRADistance"] = floats({-20000});
  streams["AutoRecon/DtoRADistance"] = floats({40000});
  const auto source = open(streams);
  EXPECT_DOUBLE_EQ(source->scan().source_detector_distance, 60);
  EXPECT_TRUE(found(*source, "AutoRecon"));
}

TEST_F(txrm, other_geometries_are_parallel) {
  const auto source = open_with({{"ImageInfo/XrayGeometry", integers({2})}});
  EXPECT_EQ(source->scan().beam, geometry::Beam::parallel);
  EXPECT_DOUBLE_EQ(source->scan().source_object_distance, 0);
  EXPECT_NEAR(source->scan().detector.column_pitch, 0.010, 1e-12);
}

TEST_F(txrm, every_stream_is_listed_and_contradictions_are_named) {
  const auto source = open_with(
      {{"ConfigureBackup/Deep/Thing", Bytes{'a', 'b', 0, 9}}, {"ImageInfo/XrayMagnification", floats({2})}});
  const auto use_of = [&](const char* section, const char* name) {
    for (const SourceField& field : source->fields())
      if (field.section == section && field.name == name) return std::string(name_of(field.use));
    return std::string("absent");
  };
  EXPECT_EQ(source->fields().size(), small_scan().size() + 2 - 3 + 1);  // three images are one line
  EXPECT_EQ(use_of("ImageInfo", "Angles"), "used");
  EXPECT_EQ(use_of("ReferenceData", "Image"), "used");
  EXPECT_EQ(use_of("ImageInfo", "XrayMagnification"), "contradicted");
  EXPECT_EQ(use_of("ConfigureBackup/Deep", "Thing"), "informative");
}

/// Views of float or 16-bit noise, written and read back to the bit.
TEST_F(txrm, a_written_scan_is_read_back_exactly) {
  geometry::CircularScan scan;
  scan.source_object_distance = 40, scan.source_detector_distance = 135;
  scan.detector = {.columns = 37, .rows = 23, .column_pitch = 0.03375, .row_pitch = 0.03375};
  for (int n = 0; n < 205; ++n) {  // more than two folders of images
    scan.angles.push_back(std::numbers::pi * (1 - 2.0 * n / 205));
    scan.shifts.push_back({0.01 * std::sin(n), 0.02 * std::cos(n)});
  }
  for (const PixelType type : {PixelType::uint16, PixelType::float32}) {
    const std::size_t size = 37 * 23 * bytes_of(type);
    {
      TxrmWriter writer(path_, scan,
                        {.type = type,
                         .voltage_kv = 159,
                         .current_ua = 63,
                         .exposure_s = 2,
                         .reference_exposure_s = 2,
                         .filter = "LE3"},
                        true);
      for (int n = 204; n >= 0; --n) {
        Bytes image = noise(size, static_cast<unsigned>(n));
        writer.write_view(n, image.data());
      }
      writer.write_reference(std::vector<float>(37 * 23, 60000.0f));
      writer.finish();
    }
    const auto source = open_scan(path_);
    const auto& got = source->scan();
    EXPECT_FLOAT_EQ(static_cast<float>(got.source_object_distance), 40);
    EXPECT_FLOAT_EQ(static_cast<float>(got.source_detector_distance), 135);
    ASSERT_EQ(got.angles.size(), 205u);
    for (std::size_t n = 0; n < 205; ++n) {  // the file has floats: 2^-24 of each value
      EXPECT_NEAR(got.angles[n], scan.angles[n], 4e-7);
      EXPECT_NEAR(got.shifts[n].column, scan.shifts[n].column, 2e-8);
      EXPECT_NEAR(got.shifts[n].row, scan.shifts[n].row, 2e-8);
    }
    EXPECT_EQ(source->references().white.at(17), 60000);
    EXPECT_EQ(source->description().voltage_kv, 159);
    EXPECT_EQ(source->description().filter, "LE3");
    for (const int n : {0, 99, 100, 204}) {
      Bytes image(size);
      source->read(std::span(&n, 1), {{0, 37}, {0, 23}}, image.data());
      EXPECT_EQ(image, noise(size, static_cast<unsigned>(n))) << n;
    }
  }
}

TEST_F(txrm, the_last_view_of_a_thirteen_gigabyte_scan_is_read) {
  geometry::CircularScan scan;
  scan.source_object_distance = 40, scan.source_detector_distance = 135;
  scan.detector = {.columns = 2048, .rows = 2048, .column_pitch = 0.03375, .row_pitch = 0.03375};
  for (int n = 0; n < 1601; ++n) scan.angles.push_back(0.0039 * n);
  std::vector<std::uint16_t> image(2048 * 2048);
  for (std::size_t n = 0; n < image.size(); ++n) image[n] = static_cast<std::uint16_t>(n * 31);
  {
    TxrmWriter writer(path_, scan, {});
    writer.write_view(1600, image.data());
    writer.write_reference(std::vector<float>(image.size(), 50000.0f));
    writer.finish();
  }
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  ASSERT_GT(status.st_size, 13'000'000'000);
  const auto source = open_scan(path_);
  const auto rows = read<std::uint16_t>(*source, {1600}, {{5, 2000}, {2040, 2048}});
  EXPECT_EQ(rows.front(), image[2040 * 2048 + 5]);
  EXPECT_EQ(rows.back(), image[2047 * 2048 + 1999]);
}

/// Whatever bytes are damaged, there is an Error or a scan, and nothing is read beyond the memory given.
TEST_F(txrm, damaged_files_are_errors_or_scans) {
  for (const std::uint32_t sector : {512u, 4096u}) {
    write_compound(path_, small_scan(), sector);
    const Bytes good = load(path_);
    std::mt19937 random(sector);
    int refused = 0;
    for (int n = 0; n < 2500; ++n) {
      Bytes bad = good;
      const unsigned changes = 1 + random() % 8;
      for (unsigned k = 0; k < changes; ++k) {
        const std::size_t at = random() % (bad.size() - 4);
        if (random() % 2)
          bad[at] = static_cast<unsigned char>(random());
        else
          cfb::put(bad.data(), at & ~std::size_t{3},
                   random() % 3 ? static_cast<std::uint32_t>(random() % 64) : 0xFFFFFFFEu);
      }
      save(path_, bad);
      try {
        const auto source = open_scan(path_, {.allow_missing = n % 2 == 0, .headers_only = n % 3 == 0});
        const auto& d = source->scan().detector;
        ASSERT_LT(std::int64_t{d.columns} * d.rows, 10'000'000);
        std::vector<float> counts(static_cast<std::size_t>(d.columns) * static_cast<std::size_t>(d.rows));
        const int first = 0;
        source->read(std::span(&first, 1), {{0, d.columns}, {0, d.rows}}, counts.data());
      } catch (const Error& error) {
        EXPECT_NE(error.kind(), ErrorKind::internal) << error.what();
        ++refused;
      }
    }
    EXPECT_GT(refused, 200);
    EXPECT_LT(refused, 2500);
  }
}

TEST(txrm_samples, a_real_parallel_scan_says_what_its_streams_say) {
  FELDSPAR_NEEDS_DATA("zeiss/chip_tomo.txrm");
  const auto source = open_scan(test_data() / "zeiss/chip_tomo.txrm", {.white_level = 2000});
  const auto& scan = source->scan();
  EXPECT_EQ(scan.beam, geometry::Beam::parallel);
  EXPECT_NEAR(scan.detector.column_pitch, 0.155789e-3, 1e-9);
  ASSERT_EQ(scan.angles.size(), 7u);
  for (std::size_t n = 0; n < 7; ++n)  // the stage rests within 0.05 degrees of where it should
    EXPECT_NEAR(scan.angles[n] * 180 / std::numbers::pi, -45 + 15.0 * static_cast<double>(n), 0.05);
  ASSERT_EQ(scan.shifts.size(), 7u);
  EXPECT_NEAR(scan.shifts[0].column / scan.detector.column_pitch, -0.25915927, 1e-7);
  std::uint16_t first[3] = {};
  const int view = 0;
  source->read(std::span(&view, 1), {{0, 3}, {0, 1}}, first);
  EXPECT_EQ(std::vector<std::uint16_t>(first, first + 3), (std::vector<std::uint16_t>{10, 11, 16}));
}

TEST(txrm_samples, a_real_single_image_is_refused_and_described) {
  FELDSPAR_NEEDS_DATA("zeiss/chip_single.xrm");
  const auto path = test_data() / "zeiss/chip_single.xrm";
  expect_error(ErrorKind::unsupported, {"chip_single.xrm", "single image"}, [&] { (void)open_scan(path); });
  const auto source = open_scan(path, {.headers_only = true});
  EXPECT_EQ(source->scan().detector.columns, 512);
  EXPECT_NEAR(source->description().exposure_s, 39.8847, 1e-4);
}

TEST(txrm_samples, a_real_stopped_focus_series_is_refused) {
  FELDSPAR_NEEDS_DATA("zeiss/chip_focus_aborted.txrm");
  const auto path = test_data() / "zeiss/chip_focus_aborted.txrm";
  expect_error(ErrorKind::unsupported, {"focus series"}, [&] { (void)open_scan(path); });
  EXPECT_EQ(open_scan(path, {.headers_only = true})->scan().angles.size(), 7u);
}

}  // namespace
}  // namespace feldspar::io::zeiss
