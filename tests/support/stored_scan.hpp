// A virtual scan whose counts are kept in memory, with the noise of a detector if wanted, so that tests can
// damage it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "tests/support/virtual_scan.hpp"

namespace feldspar::testing {

class StoredScan final : public io::DescribedScan {
 public:
  using Change = std::function<double(double count, int view, int column, int row)>;

  /// `photons` a pixel of the open beam; 0 for no noise.
  StoredScan(const VirtualScan& ideal, double photons = 0, unsigned seed = 5) {
    scan_ = ideal.scan();
    references_ = ideal.references();
    description_ = ideal.description();
    const auto& d = scan_.detector;
    const std::size_t plane = std::size_t(d.columns) * std::size_t(d.rows);
    counts_.resize(plane * scan_.angles.size());
    std::vector<int> views(scan_.angles.size());
    for (std::size_t n = 0; n < views.size(); ++n) views[n] = int(n);
    ideal.read(views, {{0, d.columns}, {0, d.rows}}, counts_.data());
    if (!(photons > 0)) return;
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const float gain = references_.white[0] / float(photons);  // counts a photon
    for (float& count : counts_) count = std::max(1.0f, count + normal(random) * std::sqrt(count * gain));
  }

  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }
  [[nodiscard]] io::CountType count_type() const override { return io::CountType::float32; }

  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    auto* out = static_cast<float*>(counts);
    for (const int view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row) {
        std::memcpy(out, image(view) + std::size_t(row) * scan_.detector.columns + window.columns.first,
                    sizeof(float) * window.columns.count());
        out += window.columns.count();
      }
  }

  /// What the source says of the scan, which tests falsify.
  geometry::CircularScan& claimed() { return scan_; }
  io::References& claimed_references() { return references_; }

  /// The same scan with every count changed.
  [[nodiscard]] StoredScan changed(const Change& change) const {
    StoredScan result = *this;
    std::size_t n = 0;
    for (int view = 0; view < std::ssize(scan_.angles); ++view)
      for (int row = 0; row < scan_.detector.rows; ++row)
        for (int column = 0; column < scan_.detector.columns; ++column, ++n)
          result.counts_[n] = static_cast<float>(change(counts_[n], view, column, row));
    return result;
  }

  void swap_views(int a, int b) { std::swap_ranges(image(a), image(a) + plane(), image(b)); }
  void repeat_view(int view, int times) {
    for (int n = 1; n <= times; ++n) std::copy_n(image(view), plane(), image(view + n));
  }
  void copy_view(int from, int to) { std::copy_n(image(from), plane(), image(to)); }
  void dim_view(int view, float factor) {
    for (std::size_t i = 0; i < plane(); ++i) image(view)[i] *= factor;
  }
  void blank_view(int view) { std::fill_n(image(view), plane(), references_.white[0]); }
  /// Image `view` and those after it were never stored: all later ones move up, and the last angles are not
  /// there.
  void lose_view(int view, int how_many = 1) {
    for (int n = 0; n < how_many; ++n) lose_one(view);
  }

 private:
  void lose_one(int view) {
    counts_.erase(counts_.begin() + std::ptrdiff_t(plane()) * view,
                  counts_.begin() + std::ptrdiff_t(plane()) * (view + 1));
    scan_.angles.pop_back();
    if (!scan_.shifts.empty()) scan_.shifts.pop_back();
  }

  [[nodiscard]] std::size_t plane() const {
    return std::size_t(scan_.detector.columns) * std::size_t(scan_.detector.rows);
  }
  [[nodiscard]] const float* image(int view) const { return counts_.data() + plane() * std::size_t(view); }
  [[nodiscard]] float* image(int view) { return counts_.data() + plane() * std::size_t(view); }

  std::vector<float> counts_;
};

}  // namespace feldspar::testing
