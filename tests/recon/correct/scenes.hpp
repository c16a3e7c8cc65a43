// Good scans of objects that change along the axis, and the faults that are planted in them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/virtual_scan.hpp"

namespace feldspar::testing {

/// Counts that are kept, whatever made them.
class RecordedScan final : public io::DescribedScan {
 public:
  using Change = std::function<double(double count, int view, int column, int row)>;

  explicit RecordedScan(const VirtualScan& from) {
    scan_ = from.scan();
    references_ = from.references();
    description_.format = "recorded";
    counts_.resize(scan_.angles.size() * plane());
    std::vector<int> views;
    for (int n = 0; n < std::ssize(scan_.angles); ++n) views.push_back(n);
    from.read(views, {{0, scan_.detector.columns}, {0, scan_.detector.rows}}, counts_.data());
  }
  [[nodiscard]] io::CountType count_type() const override { return io::CountType::float32; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    auto* out = static_cast<float*>(counts);
    for (const int view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row)
        for (int column = window.columns.first; column < window.columns.end; ++column)
          *out++ = counts_[static_cast<std::size_t>(view) * plane() +
                           static_cast<std::size_t>(row * scan_.detector.columns + column)];
  }

  /// The same scan with every count changed.
  [[nodiscard]] RecordedScan changed(const Change& change) const {
    RecordedScan result = *this;
    std::size_t n = 0;
    for (int view = 0; view < std::ssize(scan_.angles); ++view)
      for (int row = 0; row < scan_.detector.rows; ++row)
        for (int column = 0; column < scan_.detector.columns; ++column, ++n)
          result.counts_[n] = static_cast<float>(change(counts_[n], view, column, row));
    return result;
  }
  /// The same counts, said to be of another scan.
  [[nodiscard]] RecordedScan claimed(geometry::CircularScan scan) const {
    RecordedScan result = *this;
    result.scan_ = std::move(scan);
    return result;
  }

 private:
  [[nodiscard]] std::size_t plane() const {
    return static_cast<std::size_t>(scan_.detector.columns) * static_cast<std::size_t>(scan_.detector.rows);
  }
  std::vector<float> counts_;
};

/// Nearly normal numbers of deviation 1 that are the same for the same place.
inline double normal_at(std::uint64_t seed, std::uint64_t place) {
  std::uint64_t bits = seed * 0x2545f4914f6cdd1d + place * 12 * 0x9e3779b97f4a7c15;
  double sum = -6;
  for (int n = 0; n < 12; ++n) {
    bits += 0x9e3779b97f4a7c15;  // splitmix64
    std::uint64_t mixed = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    sum += static_cast<double>((mixed ^ (mixed >> 31)) >> 11) * 0x1p-53;
  }
  return sum;
}

/// Noise of counts that are photons.
inline RecordedScan with_noise(const RecordedScan& clean, std::uint64_t seed) {
  return clean.changed([seed](double count, int view, int column, int row) {
    const auto place = (static_cast<std::uint64_t>(view) * 4096 + static_cast<std::uint64_t>(row)) * 4096;
    return count +
           std::sqrt(std::max(count, 1.0)) * normal_at(seed, place + static_cast<std::uint64_t>(column));
  });
}

/// A scan by its name.
struct Scene {
  std::string name;
  geometry::CircularScan scan;
  std::vector<Body> bodies;
  double value = 0.05;    ///< 1/mm, of the body that changes are told in
  bool full_turn = true;  ///< so that rings can be taken away
};

/// 100 mm to the axis, 400 to the detector; 0.1 mm at the axis a pixel.
inline geometry::CircularScan bench(int columns, int rows, int views, double turn = 2 * std::numbers::pi) {
  geometry::CircularScan scan{
      .source_object_distance = 100,
      .source_detector_distance = 400,
      .detector = {.columns = columns, .rows = rows, .column_pitch = 0.4, .row_pitch = 0.4},
      .axis = {},
      .angles = {},
      .shifts = {}};
  for (int n = 0; n < views; ++n) scan.angles.push_back(turn * n / views);
  return scan;
}

inline Body ball(Vec3 at, double radius, double value) {
  return {at, {radius, radius, radius}, 0, value, false};
}
inline Body disc(Vec3 at, double radius, double half_height, double value) {
  return {at, {radius, radius, half_height}, 0, value, true};
}

inline std::vector<Body> beads(double scale = 1) {
  std::vector<Body> bodies{ball({0, 0, 0}, 5.2 * scale, 0.05)};
  const Vec3 places[] = {{2.6, .4, 1.2}, {-1.2, 2.4, -1.4}, {1.3, -2.6, .4}, {-2.6, -1., -.5}};
  for (const Vec3 at : places) bodies.push_back(ball(scale * at, 0.7 * scale, 0.12));
  return bodies;
}

inline std::vector<Body> many_beads(int count, double radius, double height, std::uint64_t seed) {
  std::vector<Body> bodies{disc({0, 0, 0}, radius, height, 0.05)};
  for (int n = 0; n < count; ++n) {
    const double turn = 2.4 * n, at = 0.85 * radius * std::sqrt((n + 0.5) / count);
    bodies.push_back(
        ball({at * std::cos(turn), at * std::sin(turn), height * (2 * std::fmod(0.618 * n, 1.0) - 1)},
             0.05 * radius * (2 + 0.3 * normal_at(seed, static_cast<std::uint64_t>(n))), 0.06));
  }
  return bodies;
}

inline std::vector<Body> spiral(double radius) {
  std::vector<Body> bodies{disc({0, 0, 0}, radius, 30, 0.05)};
  for (int n = 0; n < 40; ++n)
    bodies.push_back(
        ball({0.6 * radius * std::cos(0.5 * n), 0.6 * radius * std::sin(0.5 * n), 0.2 * (n - 20)},
             0.12 * radius, 0.04));
  return bodies;
}

/// Objects with structure along z: round and not, centred and not, few rows and many, wide and narrow.
inline std::vector<Scene> scenes() {
  std::vector<Scene> all;
  all.push_back({"beads in a ball, 128 x 96", bench(128, 96, 240), beads()});
  all.push_back({"beads in a ball, 48 x 24", bench(48, 24, 180), beads(0.38)});
  all.push_back({"60 beads, 96 x 64", bench(96, 64, 180), many_beads(60, 4, 2.5, 1)});
  all.push_back({"20 beads, 96 x 24", bench(96, 24, 180), many_beads(20, 4, 2, 2)});
  all.push_back({"ball, 96 x 64", bench(96, 64, 120), {ball({0, 0, 0}, 4, 0.05)}});
  all.push_back({"ball off the axis, 96 x 64", bench(96, 64, 180), {ball({1.1, 0.4, 0.3}, 3, 0.05)}});
  all.push_back({"stack of balls, 64 x 128",
                 bench(64, 128, 120),
                 {ball({0, 0, -3.6}, 2.2, 0.05), ball({0, 0, 0}, 2.2, 0.05), ball({0, 0, 3.6}, 2.2, 0.05)}});
  all.push_back(
      {"discs, 96 x 64",
       bench(96, 64, 120),
       {disc({0, 0, 0}, 2.5, 3, 0.05), disc({0, 0, 0}, 4, 0.4, 0.05), disc({0, 0, 2}, 3.5, 0.2, 0.05)}});
  all.push_back(
      {"ellipsoids, 96 x 64",
       bench(96, 64, 240),
       {{{0.3, -.2, 0}, {4, 1.5, 2.6}, 0.4, 0.05, false}, {{-1, .5, .4}, {1.2, .4, .5}, 1, 0.05, false}}});
  all.push_back({"spiral, 96 x 64", bench(96, 64, 180), spiral(4)});
  all.push_back({"spiral, 128 x 32", bench(128, 32, 240), spiral(5)});
  all.push_back(
      {"plate, 96 x 64",
       bench(96, 64, 240),
       {{{0, 0, 0}, {4.2, 0.5, 2}, 0.1, 0.05, true}, ball({2, 0, .5}, .3, .1), ball({-2, 0, -.9}, .3, .1)}});
  all.push_back({"as wide as the detector, 96 x 64", bench(96, 64, 180), many_beads(30, 4.7, 2.5, 3)});
  std::vector<Body> roll;
  for (int n = 0; n < 5; ++n) {
    roll.push_back(disc({0, 0, 0}, 4 - 0.7 * n, 2.3, 0.05));
    roll.push_back(disc({0, 0, 0}, 3.65 - 0.7 * n, 2.3, -0.05));
  }
  all.push_back({"windings with ends, 96 x 64", bench(96, 64, 180), roll});
  Scene parallel{"parallel beam, 96 x 64", bench(96, 64, 180), many_beads(30, 4, 2.5, 4)};
  parallel.scan.beam = geometry::Beam::parallel;
  parallel.scan.source_object_distance = parallel.scan.source_detector_distance = 0;
  parallel.scan.detector.column_pitch = parallel.scan.detector.row_pitch = 0.1;
  all.push_back(parallel);
  Scene aside{"axis 3.3 columns aside, 96 x 64", bench(96, 64, 180), many_beads(30, 3.8, 2.5, 5)};
  aside.scan.axis.offset = 0.33;
  all.push_back(aside);
  Scene leaning{"axis rolled by 2 degrees, 96 x 64", bench(96, 64, 180), many_beads(30, 3.8, 2.3, 6)};
  leaning.scan.axis.roll = 0.035;
  all.push_back(leaning);
  Scene half{"half a fan, 96 x 48", bench(96, 48, 240), many_beads(30, 5.5, 2, 7)};
  half.scan.detector.column_offset = 10;
  all.push_back(half);
  Scene part{"210 degrees, 96 x 64", bench(96, 64, 180, 210 * std::numbers::pi / 180),
             many_beads(30, 4, 2.5, 8)};
  part.full_turn = false;
  all.push_back(part);
  Scene uneven{"uneven angles, 96 x 64", bench(96, 64, 180), many_beads(30, 4, 2.5, 9)};
  for (double& angle : uneven.scan.angles) angle += 0.3 * std::sin(angle);
  all.push_back(uneven);
  return all;
}

}  // namespace feldspar::testing
