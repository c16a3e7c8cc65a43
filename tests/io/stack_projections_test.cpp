// Projections of a stack that are absent, damaged, or cut off: the angles of the others stay right.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <fstream>
#include <functional>
#include <numbers>

#include "base/units.hpp"
#include "io/open_scan.hpp"
#include "io/tiff/tiff_file.hpp"
#include "tests/io/tiff/tiff_bytes.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::io::stack {
namespace {

using testing::count_with;
using testing::expect_error;
using testing::TiffBytes;
using testing::TiffSpec;

class StackProjections : public ::testing::Test {
 protected:
  /// The only count of an image is `view`.
  void write_view(const std::string& name, int view) {
    const auto count = static_cast<std::uint16_t>(view);
    write_tiff(folder_ / name, View3<const std::uint16_t>{&count, 1, 1, 1});
  }
  template <class Name>
  void write_views(int views, const Name& name) {
    for (int view = 0; view < views; ++view) write_view(name(view), view);
  }
  void write_views(int views) {
    write_views(views, [](int view) { return fmt::format("p_{:04}.tif", view); });
  }
  static std::string pages(int count) {
    TiffSpec spec{.columns = 1, .rows = 1, .rows_per_strip = 1, .images = count};
    spec.strips = {std::string("\1\0", 2)};
    return TiffBytes(spec).bytes();
  }
  auto open(bool allow_missing, const std::string& images = "",
            const std::string& angles = "range = \"360 deg\"", const std::string& pattern = "*.tif") {
    std::ofstream(folder_ / "scan.toml") << fmt::format(
        "feldspar_scan = 1\nbeam = \"parallel\"\n[images]\nprojections = \"{}\"\nwhite_level = 1000\n{}\n"
        "[detector]\npixel_size = \"200 um\"\n[angles]\nturn = \"counter-clockwise\"\n{}\n",
        pattern, images, angles);
    return open_scan(folder_ / "scan.toml", {.allow_missing = allow_missing});
  }
  /// Every view's count is its place, and its angle that place's of `of` places.
  static void expect_places(const ScanSource& source, int views, int of) {
    ASSERT_EQ(source.scan().angles.size(), static_cast<std::size_t>(views));
    for (int view = 0; view < views; ++view) {
      std::uint16_t count = 0;
      source.read(std::span(&view, 1), {{0, 1}, {0, 1}}, &count);
      EXPECT_NEAR(source.scan().angles[static_cast<std::size_t>(view)], count * 2 * std::numbers::pi / of,
                  1e-12);
    }
  }
  testing::TempFolder folder_;
};

TEST_F(StackProjections, AreMissedWhateverThePatternAndTheNames) {
  const std::vector<std::pair<std::string, std::function<std::string(int)>>> ways{
      {"*.tif", [](int n) { return fmt::format("p_{:04}.tif", n); }},
      {"p_????.tif", [](int n) { return fmt::format("p_{:04}.tif", n); }},
      {"p*_*.tif", [](int n) { return fmt::format("p_{:04}_{}.tif", n, 101200 + n * n % 37); }},
      {"p_*.tif", [](int n) { return fmt::format("p_{}.tif", 4 * n - 40); }},
      {"p_*.tif", [](int n) { return fmt::format("p_{:03x}.tif", n); }}};
  for (const auto& [pattern, name] : ways) {
    SCOPED_TRACE(pattern + " " + name(1));
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      std::filesystem::remove(entry.path());
    write_views(30, name);
    std::filesystem::remove(folder_ / name(7));

    expect_error(ErrorKind::bad_file,
                 {"scan.toml", "missing", "allow-missing", name(pattern[1] == '*' ? 6 : 7)},
                 [&] { (void)open(false, "", "range = \"360 deg\"", pattern); });
    expect_places(*open(true, "", "range = \"360 deg\"", pattern), 29, 30);
  }
}

TEST_F(StackProjections, AreNotHiddenByACopy) {
  write_views(30);
  write_view("p_0003 - Copy.tif", 3);
  const auto all = open(false);
  EXPECT_EQ(count_with(all->findings(), {"left out", "p_0003 - Copy.tif"}), 1);
  expect_places(*all, 30, 30);

  std::filesystem::remove(folder_ / "p_0007.tif");
  expect_error(ErrorKind::bad_file, {"missing: p_0007.tif"}, [&] { (void)open(false); });
  expect_error(ErrorKind::bad_file, {"missing: p_0007.tif"}, [&] { (void)open(false, "count = 30"); });
  expect_places(*open(true), 29, 30);
}

TEST_F(StackProjections, OfTwoKindsOrWithoutNumbersHaveToBeListed) {
  write_views(3, [](int n) { return std::string(n == 0 ? "first" : n == 1 ? "second" : "third") + ".tif"; });
  expect_error(ErrorKind::bad_file, {"scan.toml", "*.tif", "list the files"}, [&] { (void)open(true); });
}

TEST_F(StackProjections, WhoseNumbersDoNotCountNeedTheirCount) {
  write_views(12, [](int n) { return fmt::format("p_{}.tif", 1000 + 10 * n * n); });

  expect_error(ErrorKind::bad_file, {"do not count", "images.count"}, [&] { (void)open(true); });
  expect_places(*open(false, "count = 12"), 12, 12);
  expect_error(ErrorKind::bad_file, {"images.count"}, [&] { (void)open(true, "count = 13"); });
}

TEST_F(StackProjections, ThatCountInStepsAreComplete) {
  write_views(12, [](int n) { return fmt::format("p_{}.tif", 30 * n); });

  const auto source = open(false);
  EXPECT_EQ(count_with(source->findings(), {"steps of 30"}), 1);
  expect_places(*source, 12, 12);
  expect_error(ErrorKind::bad_file, {"steps of 30", "angles.step", "images.count"},
               [&] { (void)open(true, "", "step = \"30 deg\""); });
  expect_places(*open(false, "count = 12", "step = \"30 deg\""), 12, 12);
}

TEST_F(StackProjections, AbsentBeforeTheFirstAreKnownByTheCount) {
  write_views(12, [](int n) { return fmt::format("p_{}.tif", n + 1); });
  for (const char* name : {"p_1.tif", "p_2.tif", "p_3.tif"}) std::filesystem::remove(folder_ / name);

  EXPECT_EQ(count_with(open(false)->findings(), {"begin at 4", "images.count"}), 1);
  expect_error(ErrorKind::bad_file, {"12 images are stated"}, [&] { (void)open(false, "count = 12"); });
  expect_places(*open(true, "count = 12"), 9, 12);
  expect_error(ErrorKind::bad_file, {"first is number 4", "list the files"},
               [&] { (void)open(true, "count = 10"); });
}

TEST_F(StackProjections, ThatAreDamagedAreLeftOut) {
  TiffSpec undecodable{.columns = 1, .rows = 1, .rows_per_strip = 1};
  undecodable.tags = {{259, 8}};
  undecodable.strips = {"rubbish"};
  const auto whole = [] {
    TiffSpec spec{.columns = 1, .rows = 1, .rows_per_strip = 1};
    spec.strips = {std::string("\1\0", 2)};
    return TiffBytes(spec).bytes();
  }();
  for (const int view : {0, 4, 8})
    for (const std::string& bytes : {std::string(), std::string("not a tif file"), whole.substr(0, 60),
                                     TiffBytes(undecodable).bytes(), pages(3).substr(0, 150)}) {
      write_views(9);
      testing::write_bytes(folder_ / fmt::format("p_{:04}.tif", view), bytes);

      const auto source = open(true);

      expect_places(*source, 8, 9);
      EXPECT_EQ(
          count_with(source->findings(), {"1 projections cannot be used", fmt::format("p_{:04}.tif", view)}),
          1);
    }
}

TEST_F(StackProjections, AreAsMostOfThem) {
  write_views(9);
  const std::vector<std::uint16_t> larger(6);
  write_tiff(folder_ / "p_0000.tif", View3<const std::uint16_t>{larger.data(), 3, 2, 1});

  expect_error(ErrorKind::bad_file, {"p_0000.tif", "3 x 2", "allow-missing"}, [&] { (void)open(false); });
  expect_places(*open(true), 8, 9);
}

TEST_F(StackProjections, NoneOfWhichIsWholeAreNoScan) {
  for (const char* name : {"p1.tif", "p2.tif", "p3.tif"}) std::ofstream(folder_ / name);

  expect_error(ErrorKind::bad_file, {"p1.tif", "no projection can be used"}, [&] { (void)open(true); });
}

TEST_F(StackProjections, OfAListMayBeAbsent) {
  write_views(4);
  std::filesystem::remove(folder_ / "p_0002.tif");
  const std::string list = "p_0000.tif\", \"p_0001.tif\", \"p_0002.tif\", \"p_0003.tif";
  const auto opened = [&](bool allow) {
    std::ofstream(folder_ / "scan.toml") << fmt::format(
        "feldspar_scan = 1\nbeam = \"parallel\"\n[images]\nprojections = [\"{}\"]\nwhite_level = 1000\n"
        "[detector]\npixel_size = \"200 um\"\n[angles]\nturn = \"counter-clockwise\"\nrange = \"360 deg\"\n",
        list);
    return open_scan(folder_ / "scan.toml", {.allow_missing = allow});
  };

  expect_error(ErrorKind::io, {"p_0002.tif", "allow-missing"}, [&] { (void)opened(false); });
  expect_places(*opened(true), 3, 4);
}

TEST_F(StackProjections, OfAStackThatIsCutOffKeepTheirAngles) {
  const std::string whole = pages(90);
  testing::write_bytes(folder_ / "s.tif", whole.substr(0, whole.size() * 2 / 3));
  std::ofstream angles(folder_ / "angles.txt");
  for (int n = 0; n < 90; ++n) angles << 4 * n << "\n";
  angles.close();

  expect_error(ErrorKind::bad_file, {"s.tif", "truncated", "allow-missing"}, [&] { (void)open(false); });
  expect_error(ErrorKind::bad_file, {"images.count", "s.tif"}, [&] { (void)open(true); });
  for (const auto& [images, way] :
       std::vector<std::pair<std::string, std::string>>{{"count = 90", "range = \"360 deg\""},
                                                        {"", "step = \"4 deg\""},
                                                        {"", "file = \"angles.txt\"\nunit = \"deg\""}}) {
    const auto source = open(true, images, way);
    ASSERT_EQ(source->scan().angles.size(), 59U);
    EXPECT_NEAR(source->scan().angles.back(), 58 * 4 * radians_per_degree, 1e-12);
    EXPECT_GE(count_with(source->findings(), {"s.tif", "truncated", "left out"}), 1);
  }
}

TEST_F(StackProjections, OfAnImageJStackThatIsCutOffKeepTheirAngles) {
  TiffSpec spec{.columns = 1, .rows = 1, .rows_per_strip = 1};
  spec.description = "ImageJ=1.53t\nimages=8\nslices=8\n";
  spec.strips = {std::string(400, '\1')};
  spec.tags[279] = 2;
  std::string bytes = TiffBytes(spec).bytes();
  // The planes at the end of the file, as ImageJ has them; five are left.
  TiffSpec with_end = spec;
  with_end.tags[273] = bytes.size();
  bytes = TiffBytes(with_end).bytes() + std::string(10, '\1');
  testing::write_bytes(folder_ / "s.tif", bytes);

  expect_error(ErrorKind::bad_file, {"s.tif", "8 images", "holds 5"}, [&] { (void)open(false); });
  const auto source = open(true);
  ASSERT_EQ(source->scan().angles.size(), 5U);
  EXPECT_NEAR(source->scan().angles.back(), std::numbers::pi, 1e-12);
}

TEST_F(StackProjections, OfManyPagesAreReachedWithoutWalkingToThem) {
  const auto reads = [] {
    std::ifstream stream("/proc/self/io");
    std::string key;
    long long value = 0;
    while (stream >> key >> value)
      if (key == "syscr:") return value;
    return -1LL;
  };
  if (reads() < 0) GTEST_SKIP() << "this system does not count reads";
  const auto reads_of = [&](int views) {
    testing::write_bytes(folder_ / "s.tif", pages(views));
    const long long before = reads();
    const auto source = open(false);
    for (int view = 0; view < views; ++view) {
      std::uint16_t count = 0;
      source->read(std::span(&view, 1), {{0, 1}, {0, 1}}, &count);
    }
    return reads() - before;
  };
  (void)reads_of(10);

  const long long few = reads_of(100), many = reads_of(400);

  EXPECT_LT(many, 5 * few);  // four times as many pages: with their square it would be 16 times
}

TEST_F(StackProjections, OfUnstatedPixelsHaveToSayWhatTheyAre) {
  TiffSpec spec{.columns = 1, .rows = 1, .rows_per_strip = 1};
  spec.tags = {{258, 32}};
  spec.strips = {TiffBytes::encoded(std::bit_cast<std::uint32_t>(500.5F), 4, false)};
  for (const char* name : {"p0.tif", "p1.tif"}) testing::write_bytes(folder_ / name, TiffBytes(spec).bytes());
  const auto count_of = [&](const std::string& images) {
    const int view = 1;
    float count = 0;
    open(false, images)->read(std::span(&view, 1), {{0, 1}, {0, 1}}, &count);
    return count;
  };

  expect_error(ErrorKind::bad_file, {"p0.tif", "SampleFormat", "images.pixels"}, [&] { (void)open(true); });
  EXPECT_EQ(count_of("pixels = \"float32\""), 500.5F);
  EXPECT_EQ(count_of("pixels = \"uint32\""), static_cast<float>(std::bit_cast<std::uint32_t>(500.5F)));
}

TEST_F(StackProjections, ThatRunInACircleAreSaidToBe) {
  std::string bytes = pages(2);
  const std::size_t last = bytes.size() - 4;
  bytes.replace(last, 4, bytes.substr(4, 4));  // the second page's next is the first
  testing::write_bytes(folder_ / "s.tif", bytes);

  expect_error(ErrorKind::bad_file, {"s.tif", "page 3", "a page before it"}, [&] { (void)open(false); });
}

}  // namespace
}  // namespace feldspar::io::stack
