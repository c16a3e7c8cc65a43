#include "cli/report/center_strip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/report/picture.hpp"
#include "cli/report/tiny_font.hpp"

namespace feldspar::cli {
namespace {

constexpr int cut = 112;  ///< voxels of the slice that are shown
constexpr int max_width = 2000;
constexpr int curve_height = 160, margin = 30;  ///< pixels

struct Corner {
  int x = 0, y = 0;
};

/// Where a square of `size` voxels has the strongest gradients.
Corner detail_of(const recon::TrialSlice& trial, const geometry::VolumeGrid& grid, int size_x, int size_y) {
  Corner best;
  double most = -1;
  for (int y = 0; y + size_y <= grid.ny; y += 16)
    for (int x = 0; x + size_x <= grid.nx; x += 16) {
      double sum = 0;
      for (int j = y; j + 1 < y + size_y; ++j)
        for (int i = x; i + 1 < x + size_x; ++i) {
          const float* at = trial.values.data() + static_cast<std::size_t>(j) * grid.nx + i;
          sum += std::pow(at[1] - at[0], 2) + std::pow(at[grid.nx] - at[0], 2);
        }
      if (sum > most) most = sum, best = {x, y};
    }
  return best;
}

/// The trials nearest to seven offsets a column apart, ascending, none twice.
std::vector<const recon::TrialSlice*> seven(const recon::SliceTrials& slice, double chosen, double pixel) {
  std::vector<const recon::TrialSlice*> picked;
  for (int n = -3; n <= 3; ++n) {
    const auto nearest =
        std::min_element(slice.trials.begin(), slice.trials.end(), [&](const auto& a, const auto& b) {
          return std::abs(a.offset - chosen - n * pixel) < std::abs(b.offset - chosen - n * pixel);
        });
    if (picked.empty() || picked.back() != &*nearest) picked.push_back(&*nearest);
  }
  return picked;
}

void draw_dot(io::GreyPicture& picture, double x, double y, int size) {
  for (int row = -size; row <= size; ++row)
    for (int column = -size; column <= size; ++column) {
      const int at_x = static_cast<int>(x) + column, at_y = static_cast<int>(y) + row;
      if (at_x < 0 || at_y < 0 || at_x >= picture.width || at_y >= picture.height) continue;
      picture.pixels[static_cast<std::size_t>(at_y) * picture.width + at_x] = 255;
    }
}

void draw_curve(io::GreyPicture& picture, int top, const recon::SliceTrials& slice, double chosen) {
  const auto extremes =
      std::minmax_element(slice.trials.begin(), slice.trials.end(),
                          [](const auto& a, const auto& b) { return a.sharpness < b.sharpness; });
  const double first = slice.trials.front().offset, last = slice.trials.back().offset;
  const double highest = extremes.second->sharpness;
  const double range = std::max(highest - extremes.first->sharpness, 1e-300);
  const auto x_of = [&](double offset) {
    return margin + (picture.width - 2 * margin) * (offset - first) / (last - first);
  };
  const auto y_of = [&](double sharpness) {
    return top + margin + (curve_height - 2 * margin) * (highest - sharpness) / range;
  };
  for (std::size_t n = 0; n < slice.trials.size(); ++n) {
    const recon::TrialSlice& here = slice.trials[n];
    draw_dot(picture, x_of(here.offset), y_of(here.sharpness), 4);
    if (n == 0) continue;
    const recon::TrialSlice& before = slice.trials[n - 1];
    constexpr int dots = 400;
    for (int k = 0; k < dots; ++k) {
      const double part = static_cast<double>(k) / dots;
      draw_dot(picture, x_of(before.offset + part * (here.offset - before.offset)),
               y_of(before.sharpness + part * (here.sharpness - before.sharpness)), 0);
    }
  }
  for (int y = top + margin; y < top + curve_height - margin; y += 6) draw_dot(picture, x_of(chosen), y, 1);
  draw_text(
      picture, margin, top + curve_height - 20, 2,
      fmt::format("sharpness over the offset, {:.4f} to {:.4f} mm; dotted: {:.4f} mm", first, last, chosen));
}

}  // namespace

io::GreyPicture draw_center_strip(const recon::SliceTrials& slice, double chosen, double pixel) {
  const int width = std::min(cut, slice.grid.nx), height = std::min(cut, slice.grid.ny);
  const std::vector<const recon::TrialSlice*> picked = seven(slice, chosen, pixel);
  const Corner corner = detail_of(*picked[picked.size() / 2], slice.grid, width, height);
  std::vector<Plane> planes;
  for (const recon::TrialSlice* trial : picked) {
    Plane plane{fmt::format("{:.3f} mm", trial->offset),
                width,
                height,
                slice.grid.spacing.x,
                slice.grid.spacing.y,
                {}};
    for (int j = corner.y; j < corner.y + height; ++j) {
      const float* row = trial->values.data() + static_cast<std::size_t>(j) * slice.grid.nx + corner.x;
      plane.values.insert(plane.values.end(), row, row + width);
    }
    planes.push_back(std::move(plane));
  }
  io::GreyPicture picture = draw_planes(planes, window_of(planes), max_width);
  const int top = picture.height;
  picture.height += curve_height;
  picture.pixels.resize(static_cast<std::size_t>(picture.width) * picture.height, 48);
  draw_curve(picture, top, slice, chosen);
  return picture;
}

}  // namespace feldspar::cli
