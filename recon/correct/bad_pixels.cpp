#include "recon/correct/bad_pixels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "recon/measure/robust.hpp"

namespace feldspar::recon {
namespace {

constexpr int reach = 8;                 // pixels to each side that one is compared with
constexpr float usual_levels = 8;        // times what is usual there: erratic
constexpr float least_erratic = 0.05f;   // of a line integral
constexpr float changes = 0.02f;         // of a line integral, over the views
constexpr int least_views = 16;          // that statistics over time need
constexpr double most_share = 0.01;      // of the pixels; a worse detector, or it is the object
constexpr double most_stuck = 0.1;       // of them, in a scan whose pixels are never still otherwise
constexpr float still = 3e-4f;           // line integral: noise is more
constexpr float no_signal = 4;           // line integral: a fiftieth of the beam, where pixels may be starved
constexpr float saturated_from = 0.05f;  // line integral between the detector's limit and a fault

enum class Fault { none, dark, stuck, erratic };

class Judge {
 public:
  Judge(const LineIntegralReader& references, const PixelStatistics& seen)
      : references_(references), seen_(seen), all_(seen.unrest.view()), stuck_(all_.size()) {
    const auto quiet =
        std::ranges::count_if(all_.values(), [](float unrest) { return unrest < still * still; });
    noisy_ = static_cast<double>(quiet) < most_stuck * static_cast<double>(all_.size());
    if (noisy_ && seen.views >= least_views) find_stuck();
  }

  /// Of the pixels that may be stuck.
  [[nodiscard]] double most_stuck_share() const { return noisy_ ? most_stuck : most_share; }

  [[nodiscard]] Fault fault(int column, int row) {
    if (references_.is_dark(std::int64_t{row} * all_.nx + column)) return Fault::dark;
    if (seen_.views < least_views) return Fault::none;
    if (is_stuck(column, row)) return Fault::stuck;
    const float unrest = std::sqrt(all_(column, row, 0));
    if (unrest < least_erratic || !stands_alone(column, row)) return Fault::none;
    const float usual = std::max(usual_of_row(column, row), usual_of_column(column, row));
    return unrest > usual_levels * std::sqrt(usual) ? Fault::erratic : Fault::none;
  }

 private:
  [[nodiscard]] std::size_t index(int column, int row) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(all_.nx) +
           static_cast<std::size_t>(column);
  }

  /// Calls visit(column, row) for the neighbours.
  template <class Visit>
  void around(std::size_t pixel, const Visit& visit) const {
    const int column = static_cast<int>(pixel % static_cast<std::size_t>(all_.nx)),
              row = static_cast<int>(pixel / static_cast<std::size_t>(all_.nx));
    for (int r = std::max(0, row - 1); r <= std::min(all_.ny - 1, row + 1); ++r)
      for (int c = std::max(0, column - 1); c <= std::min(all_.nx - 1, column + 1); ++c)
        if (c != column || r != row) visit(c, r);
  }

  /// Marks the pixels of every patch that never changes, unless it is where the detector ends.
  void find_stuck() {
    const auto [least, most] = std::pair{std::ranges::min(seen_.lowest.view().values()),
                                         std::ranges::max(seen_.highest.view().values())};
    std::vector<bool> visited(all_.size());
    for (std::size_t first = 0; first < all_.size(); ++first) {
      if (visited[first] || !never_changes(first)) continue;
      std::vector<std::size_t> patch{first};
      visited[first] = true;
      for (std::size_t n = 0; n < patch.size(); ++n)
        around(patch[n], [&](int c, int r) {
          const std::size_t other = index(c, r);
          if (visited[other] || !never_changes(other)) return;
          visited[other] = true;
          patch.push_back(other);
        });
      if (is_limit(patch, least, most)) continue;
      for (const std::size_t pixel : patch) stuck_[pixel] = true;
    }
  }

  [[nodiscard]] bool never_changes(std::size_t pixel) const {
    return !(seen_.highest.data()[pixel] > seen_.lowest.data()[pixel]);
  }

  /// True for a patch at the lowest or highest value of all when most pixels around it come near that too.
  [[nodiscard]] bool is_limit(const std::vector<std::size_t>& patch, float least, float most) const {
    int near = 0, all = 0;
    for (const std::size_t pixel : patch) {
      const float value = seen_.lowest.data()[pixel];
      around(pixel, [&](int c, int r) {
        if (never_changes(index(c, r))) return;
        ++all;
        near += (value <= least && seen_.lowest(c, r, 0) < value + saturated_from) ||
                (value >= most && value > no_signal && seen_.highest(c, r, 0) > no_signal);
      });
    }
    return 2 * near > all;
  }

  [[nodiscard]] float range(int column, int row) const {
    return seen_.highest(column, row, 0) - seen_.lowest(column, row, 0);
  }

  [[nodiscard]] bool is_stuck(int column, int row) const {
    if (noisy_) return stuck_[index(column, row)];
    if (range(column, row) > 0) return false;
    int changing = 0;
    for (int r = std::max(0, row - 1); r <= std::min(all_.ny - 1, row + 1); ++r)
      for (int c = std::max(0, column - 1); c <= std::min(all_.nx - 1, column + 1); ++c)
        changing += range(c, r) > changes;
    return changing >= 6;
  }

  /// False when more of the neighbours are as restless than a cluster of bad pixels may have.
  [[nodiscard]] bool stands_alone(int column, int row) const {
    constexpr int others = 2;
    constexpr float alike = 1.0f / 9;  // a third of the deviation
    int restless = 0;
    for (int r = std::max(0, row - 1); r <= std::min(all_.ny - 1, row + 1); ++r)
      for (int c = std::max(0, column - 1); c <= std::min(all_.nx - 1, column + 1); ++c)
        restless += all_(c, r, 0) > alike * all_(column, row, 0);
    return restless <= 1 + others;
  }

  [[nodiscard]] float usual_of_row(int column, int row) {
    near_.clear();
    for (int c = std::max(0, column - reach); c <= std::min(all_.nx - 1, column + reach); ++c)
      if (c != column) near_.push_back(all_(c, row, 0));
    return median(near_);
  }
  [[nodiscard]] float usual_of_column(int column, int row) {
    near_.clear();
    for (int r = std::max(0, row - reach); r <= std::min(all_.ny - 1, row + reach); ++r)
      if (r != row) near_.push_back(all_(column, r, 0));
    return median(near_);
  }

  const LineIntegralReader& references_;
  const PixelStatistics& seen_;
  View3<const float> all_;
  bool noisy_ = false;       ///< no pixel stands still but those that are stuck
  std::vector<bool> stuck_;  ///< in a noisy scan
  std::vector<float> near_;
};

}  // namespace

BadPixels find_bad_pixels(const LineIntegralReader& references, const PixelStatistics& seen) {
  BadPixels bad;
  Judge judge(references, seen);
  std::int64_t counts[4] = {};
  const View3<float> map = seen.unrest.view();
  for (int row = 0; row < map.ny; ++row)
    for (int column = 0; column < map.nx; ++column) {
      const Fault fault = judge.fault(column, row);
      if (fault == Fault::none) continue;
      ++counts[static_cast<int>(fault)];
      bad.pixels.push_back(std::int64_t{row} * map.nx + column);
    }
  const std::string found =
      fmt::format("bad pixels: {} without beam, {} stuck, {} erratic", counts[1], counts[2], counts[3]);
  const auto all = static_cast<double>(map.size());
  const std::int64_t others =
      counts[static_cast<int>(Fault::dark)] + counts[static_cast<int>(Fault::erratic)];
  if (static_cast<double>(others) > most_share * all ||
      static_cast<double>(counts[static_cast<int>(Fault::stuck)]) > judge.most_stuck_share() * all) {
    bad.step = {found + "; left alone, for so many may be the object or a wrong reference image"};
    bad.pixels.clear();
  } else {
    bad.step = {bad.pixels.empty() ? "bad pixels: none" : found + "; replaced from their neighbours",
                !bad.pixels.empty()};
  }
  return bad;
}

}  // namespace feldspar::recon
