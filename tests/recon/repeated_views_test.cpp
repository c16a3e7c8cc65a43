// Views that repeat another bit by bit, or hold one count, are named; scans without them are left alone.
#include "recon/measure/repeated_views.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "io/described_scan.hpp"
#include "recon/measure/inspection.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/resources.hpp"

namespace feldspar::recon {
namespace {

using testing::count_with;

constexpr int columns = 20, rows = 6;

/// Counts that differ in every pixel and view, of the frames that `frame` gives; negative ones are constant.
class Repeating final : public io::DescribedScan {
 public:
  Repeating(int views, std::function<int(int)> frame, io::CountType type)
      : frame_(std::move(frame)), type_(type) {
    scan_.detector = {.columns = columns, .rows = rows, .column_pitch = 1, .row_pitch = 1};
    scan_.angles.resize(static_cast<std::size_t>(views));
    references_.white = {4000};
  }
  [[nodiscard]] io::CountType count_type() const override { return type_; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    std::size_t at = 0;
    for (const int view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row)
        for (int column = window.columns.first; column < window.columns.end; ++column, ++at) {
          const int frame = frame_(view);
          const int count = frame < 0 ? -frame - 1 : 3000 + (frame * 911 + row * 37 + column * 101) % 997;
          if (type_ == io::CountType::uint16)
            static_cast<std::uint16_t*>(counts)[at] = static_cast<std::uint16_t>(count);
          else
            static_cast<float*>(counts)[at] = static_cast<float>(count);
        }
  }

 private:
  std::function<int(int)> frame_;
  io::CountType type_;
};

Findings found(int views, const std::function<int(int)>& frame, io::CountType type = io::CountType::uint16) {
  std::vector<int> all(static_cast<std::size_t>(views));
  std::iota(all.begin(), all.end(), 0);
  return find_repeated_views(Repeating(views, frame, type), all);
}

TEST(RepeatedViews, OfAGoodScanThereAreNone) {
  EXPECT_TRUE(found(200, [](int view) { return view; }).empty());
  EXPECT_TRUE(found(1, [](int view) { return view; }).empty());
}

TEST(RepeatedViews, NamesNeighboursAndOthers) {
  for (const auto type : {io::CountType::uint16, io::CountType::float32}) {
    const Findings findings = found(
        200, [](int view) { return view == 17 || view == 18 ? 16
                                   : view == 130            ? 3
                                                            : view; }, type);

    EXPECT_EQ(count_with(findings, {"2 pairs of neighbouring views", "16 and 17", "17 and 18"}), 1);
    EXPECT_EQ(count_with(findings, {"1 views repeat", "3 and 130"}), 1);
    EXPECT_EQ(findings.size(), 2U);
  }
}

TEST(RepeatedViews, NamesConstantOnes) {
  for (const auto type : {io::CountType::uint16, io::CountType::float32}) {
    const Findings findings = found(
        360, [](int view) { return view >= 200 && view < 210 ? -1 : view; }, type);

    EXPECT_EQ(count_with(findings, {"10 views have one count", "200 (0)", "209 (0)"}), 1);
    EXPECT_EQ(findings.size(), 1U);
  }
}

TEST(RepeatedViews, SymmetryWithoutNoiseIsNoFault) {
  EXPECT_TRUE(found(100, [](int view) { return view % 50; }).empty());
}

TEST(RepeatedViews, ADetectorThatStoodStillIs) {
  EXPECT_EQ(count_with(found(300, [](int) { return 5; }), {"neighbouring", "more than 100 looked at"}), 1);
}

TEST(RepeatedViews, AreFoundByTheInspection) {
  std::vector<int> all(60);
  std::iota(all.begin(), all.end(), 0);
  const Repeating source(
      60, [](int view) { return view == 31 ? 30 : view; }, io::CountType::uint16);

  EXPECT_EQ(count_with(inspect(source, all, testing::all_resources()).findings, {"30 and 31"}), 1);
}

}  // namespace
}  // namespace feldspar::recon
