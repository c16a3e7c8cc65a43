#include "recon/correct/bad_pixels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "recon/measure/robust.hpp"

namespace feldspar::recon {
namespace {

constexpr int reach = 8;                // pixels to each side that one is compared with
constexpr float usual_levels = 8;       // times what is usual there: erratic
constexpr float least_erratic = 0.05f;  // of a line integral
constexpr float changes = 0.02f;        // of a line integral, over the views
constexpr int least_views = 16;         // that statistics over time need
constexpr double most_share = 0.01;     // of the pixels; a worse detector, or it is the object

enum class Fault { none, dark, stuck, erratic };

class Judge {
 public:
  Judge(const LineIntegralReader& references, const PixelStatistics& seen)
      : references_(references), seen_(seen), all_(seen.unrest.view()) {}

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
  [[nodiscard]] float range(int column, int row) const {
    return seen_.highest(column, row, 0) - seen_.lowest(column, row, 0);
  }

  [[nodiscard]] bool is_stuck(int column, int row) const {
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
  if (static_cast<double>(bad.pixels.size()) > most_share * static_cast<double>(map.size())) {
    bad.step = {found + "; left alone, for so many may be the object or a wrong reference image"};
    bad.pixels.clear();
  } else {
    bad.step = {bad.pixels.empty() ? "bad pixels: none" : found + "; replaced from their neighbours",
                !bad.pixels.empty()};
  }
  return bad;
}

}  // namespace feldspar::recon
