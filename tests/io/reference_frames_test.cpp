// Flats and darks that do not agree are found by name, and good ones with noise, drift and dust are not.
#include "io/reference_frames.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>

#include "io/open_scan.hpp"
#include "io/tiff/tiff_file.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::io {
namespace {

using testing::count_with;
using testing::expect_error;

constexpr int columns = 48, rows = 40;
using Frame = std::vector<float>;

class References_ : public ::testing::Test {
 protected:
  /// A beam that falls to a third towards the edges, with Poisson's noise and a gain for each pixel.
  Frame flat(double level, double shift = 0) {
    Frame frame;
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) {
        const double x = (column - 23.5 - shift) / 24, y = (row - 19.5) / 20;
        const double beam =
            level * std::exp(-0.6 * (x * x + y * y)) * (1 + 0.05 * std::sin(column * 17 + row * 29));
        frame.push_back(static_cast<float>(std::round(100 + beam + std::sqrt(beam) * normal_(random_))));
      }
    return frame;
  }
  Frame dark() {
    Frame frame(columns * rows);
    for (float& count : frame) count = static_cast<float>(std::round(100 + 3 * normal_(random_)));
    frame[777] = 60000;  // a hot pixel
    return frame;
  }
  /// With an object that lets `transmission` through over a tenth of the width.
  static Frame with_object(Frame frame, double transmission) {
    for (int row = 0; row < rows; ++row)
      for (int column = 20; column < 25; ++column)
        frame[static_cast<std::size_t>(row * columns + column)] *= static_cast<float>(transmission);
    return frame;
  }
  ReferenceMean mean(const std::vector<Frame>& frames, bool open_beam,
                     std::vector<std::vector<int>> groups = {}) {
    if (groups.empty()) {
      groups.resize(1);
      for (std::size_t n = 0; n < frames.size(); ++n) groups[0].push_back(static_cast<int>(n));
    }
    findings_.clear();
    const ReferenceFrames references{.kind = open_beam ? "flats" : "darks",
                                     .open_beam = open_beam,
                                     .columns = columns,
                                     .rows = rows,
                                     .read =
                                         [&](std::span<const int> which, float* counts) {
                                           for (const int n : which) {
                                             const Frame& frame = frames[static_cast<std::size_t>(n)];
                                             counts = std::copy(frame.begin(), frame.end(), counts);
                                           }
                                         },
                                     .name = [](int n) { return fmt::format("f{}.tif", n); },
                                     .source = "scan.toml"};
    return means_of(references, groups, findings_)[0];
  }
  static Frame plain_mean(const std::vector<Frame>& frames) {
    Frame mean;
    for (std::size_t p = 0; p < frames[0].size(); ++p) {
      double sum = 0;
      for (const Frame& frame : frames) sum += static_cast<double>(frame[p]);
      mean.push_back(static_cast<float>(sum / static_cast<double>(frames.size())));
    }
    return mean;
  }
  std::mt19937 random_{3};
  std::normal_distribution<double> normal_;
  Findings findings_;
};

TEST_F(References_, GoodSetsAreUntouched) {
  for (const double level : {30.0, 500.0, 20000.0})
    for (const int count : {1, 2, 3, 10, 40})
      for (const double drift : {0.0, 0.05, 0.15}) {
        SCOPED_TRACE(fmt::format("{} flats of {} that drift by {}", count, level, drift));
        std::vector<Frame> flats, darks;
        for (int n = 0; n < count; ++n) {
          flats.push_back(flat(level * (1 - drift * n / count), 0.3 * normal_(random_)));
          darks.push_back(dark());
        }

        EXPECT_EQ(mean(flats, true).counts, plain_mean(flats));
        EXPECT_EQ(count_with(findings_, {""}), 0);
        EXPECT_EQ(mean(darks, false).counts, plain_mean(darks));
        EXPECT_EQ(count_with(findings_, {""}), 0);
      }
}

TEST_F(References_, AnObjectOrABlackFrameAmongFlatsIsLeftOut) {
  for (const int count : {3, 5, 20})
    for (int wrong = 0; wrong < 4; ++wrong) {
      SCOPED_TRACE(fmt::format("{} flats, {}", count, wrong));
      std::vector<Frame> flats;
      for (int n = 0; n < count; ++n) flats.push_back(flat(20000));
      const std::vector<Frame> good(flats.begin() + 1, flats.end());
      flats[0] = wrong == 0   ? with_object(flats[0], 0.1)
                 : wrong == 1 ? with_object(flats[0], 0.75)
                 : wrong == 2 ? dark()
                              : Frame(flats[0].size());

      EXPECT_EQ(mean(flats, true).counts, plain_mean(good));
      EXPECT_EQ(count_with(findings_, {"1 of the flats", "left out", "f0.tif"}), 1);
    }
}

TEST_F(References_, AFlatAmongDarksIsLeftOut) {
  std::vector<Frame> darks{dark(), dark(), flat(500), dark()};

  const ReferenceMean found = mean(darks, false);

  darks.erase(darks.begin() + 2);
  EXPECT_EQ(found.counts, plain_mean(darks));
  EXPECT_EQ(found.frames, 3);
  EXPECT_EQ(count_with(findings_, {"1 of the darks", "f2.tif"}), 1);
  darks = {Frame(columns * rows), Frame(columns * rows), flat(500)};
  EXPECT_EQ(mean(darks, false).frames, 2);
}

TEST_F(References_, WithoutAMajorityTheyAreRefused) {
  expect_error(ErrorKind::bad_file, {"scan.toml", "flats", "do not agree", "f0.tif", "f1.tif", "white-level"},
               [&] {
                 (void)mean({flat(20000), with_object(flat(20000), 0.1)}, true);
               });
  expect_error(ErrorKind::bad_file, {"flats", "do not agree"}, [&] {
    (void)mean({flat(20000), dark(), flat(20000), dark()}, true);
  });
  expect_error(ErrorKind::bad_file, {"scan.toml", "darks", "f0.tif", "f1.tif"}, [&] {
    (void)mean({dark(), flat(500)}, false);
  });
  expect_error(ErrorKind::bad_file, {"darks"}, [&] {
    (void)mean({dark(), flat(500), dark(), flat(500)}, false);
  });
}

TEST_F(References_, ABlackGroupIsLeftOut) {
  const std::vector<Frame> flats{flat(20000), flat(20000), dark(), dark(), flat(15000)};

  const ReferenceMean first = mean(flats, true, {{0, 1}, {2, 3}, {4}});

  EXPECT_EQ(first.frames, 2);
  EXPECT_EQ(count_with(findings_, {"2 of the flats", "f2.tif", "f3.tif"}), 1);
}

TEST_F(References_, AnOpenBeamIsAboveTheDark) {
  const Frame white = flat(20000);
  EXPECT_NO_THROW(expect_beam({white, dark(), 0}, "a"));
  EXPECT_NO_THROW(expect_beam({white, {}, 0}, "a"));
  expect_error(ErrorKind::bad_file, {"scan.toml", "open beam", "dark"}, [&] {
    expect_beam({white, flat(20000), 0}, "scan.toml");
  });
  expect_error(ErrorKind::bad_file, {"scan.toml"}, [&] { expect_beam({dark(), white, 0}, "scan.toml"); });
}

TEST_F(References_, OfAStackAreNamedByTheirFiles) {
  const testing::TempFolder folder;
  const auto write = [&](const std::string& name, const Frame& frame) {
    write_tiff(folder / name, View3<const float>{frame.data(), columns, rows, 1});
  };
  for (int n = 0; n < 4; ++n) write(fmt::format("flat_{}.tif", n), flat(20000));
  for (int n = 0; n < 3; ++n) write(fmt::format("dark_{}.tif", n), dark());
  write("flat_2.tif", dark());
  write("dark_1.tif", flat(20000));
  write("p_0.tif", flat(10000)), write("p_1.tif", flat(10000));
  std::ofstream(folder / "scan.toml")
      << "feldspar_scan = 1\nbeam = \"parallel\"\n[images]\nprojections = \"p_*.tif\"\nflats = "
         "\"flat_*.tif\"\n"
         "darks = \"dark_*.tif\"\n[detector]\npixel_size = \"1 um\"\n[angles]\nturn = \"clockwise\"\nrange = "
         "\"180 deg\"\n";

  const auto source = open_scan(folder.path());

  EXPECT_EQ(count_with(source->findings(), {"1 of the flats", "flat_2.tif"}), 1);
  EXPECT_EQ(count_with(source->findings(), {"1 of the darks", "dark_1.tif"}), 1);
  const auto& white = source->references().white;
  EXPECT_NEAR(*std::max_element(white.begin(), white.end()), 21000, 1000);  // 5 % of gain, and noise
}

}  // namespace
}  // namespace feldspar::io
