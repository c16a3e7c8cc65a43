// Layout: a label over each plane, the planes, then one line with the scale bar and the grey window.
#include "cli/report/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/error.hpp"
#include "cli/report/tiny_font.hpp"

namespace feldspar::cli {
namespace {

constexpr std::uint8_t background = 48;  ///< so that the edge of a black plane shows
constexpr int gap = 12;                  ///< pixels between things
constexpr int comfortable = 900;         ///< pixels that a small volume is enlarged to
constexpr double most_enlarged = 8;
constexpr int largest_dot = 3;  ///< pixels of the font's dots

/// One line of a plane resampled: for each pixel the values it covers and how much of each.
struct Share {
  int first;
  std::vector<float> weights;
};

std::vector<Share> shares(int values, double step, int pixels, double pixel_size) {
  std::vector<Share> result;
  for (int p = 0; p < pixels; ++p) {
    const double start = std::min(p * pixel_size / step, values - 1e-6);
    const double end = std::min((p + 1) * pixel_size / step, static_cast<double>(values));
    Share share{static_cast<int>(start), {}};
    for (int i = share.first; i < end; ++i)
      share.weights.push_back(static_cast<float>(std::min(i + 1.0, end) - std::max<double>(i, start)));
    result.push_back(std::move(share));
  }
  return result;
}

double average(const Plane& plane, const Share& across, const Share& up) {
  double sum = 0, weight = 0;
  for (std::size_t j = 0; j < up.weights.size(); ++j) {
    const float* row = plane.values.data() + (up.first + j) * static_cast<std::size_t>(plane.width);
    for (std::size_t i = 0; i < across.weights.size(); ++i) {
      const float value = row[across.first + i];
      if (!std::isfinite(value)) continue;
      const double w = static_cast<double>(across.weights[i]) * up.weights[j];
      sum += w * value;
      weight += w;
    }
  }
  return weight > 0 ? sum / weight : std::nan("");
}

std::uint8_t grey(double value, GreyWindow window) {
  const double part = (value - window.black) / (window.white - window.black);
  return part > 0 ? static_cast<std::uint8_t>(std::lround(255 * std::min(part, 1.0))) : std::uint8_t{0};
}

int pixels_of(int values, double step, double pixel_size) {
  return std::max(1, static_cast<int>(std::lround(values * step / pixel_size)));
}

double width_of(const Plane& plane) { return plane.width * plane.column_step; }
double height_of(const Plane& plane) { return plane.height * plane.row_step; }

/// mm a pixel, so that all planes fit: the volume's own steps where they do, finer for small volumes.
double pixel_size_for(std::span<const Plane> planes, int max_size) {
  double width = 0, height = 0, finest = planes[0].column_step;
  for (const Plane& plane : planes) {
    width += width_of(plane);
    height = std::max(height, height_of(plane));
    finest = std::min({finest, plane.column_step, plane.row_step});
  }
  const int lines = 2 * glyph_height * largest_dot + 4 * gap;
  const double across = std::max(max_size - gap * (static_cast<int>(planes.size()) + 1), 16);
  const double up = std::max(max_size - lines, 16);
  const double fitting = std::max(width / across, height / up);
  const double enlarged = std::max(width / comfortable, finest / most_enlarged);
  return std::max(fitting, std::min(finest, enlarged));
}

void draw_plane(io::GreyPicture& picture, const Plane& plane, GreyWindow window, double pixel_size, int left,
                int top) {
  const auto across = shares(plane.width, plane.column_step,
                             pixels_of(plane.width, plane.column_step, pixel_size), pixel_size);
  const auto up =
      shares(plane.height, plane.row_step, pixels_of(plane.height, plane.row_step, pixel_size), pixel_size);
  for (std::size_t row = 0; row < up.size(); ++row) {
    std::uint8_t* out = picture.pixels.data() + (top + up.size() - 1 - row) * picture.width + left;
    for (std::size_t column = 0; column < across.size(); ++column)
      out[column] = grey(average(plane, across[column], up[row]), window);
  }
}

void draw_bar(io::GreyPicture& picture, int x, int y, int width, int height) {
  for (int row = y; row < y + height; ++row)
    std::fill_n(picture.pixels.begin() + static_cast<std::ptrdiff_t>(row) * picture.width + x, width, 255);
}

int text_width(std::string_view text, int scale) {
  return static_cast<int>(text.size()) * glyph_width * scale;
}

std::string length_text(double millimetres) {
  return millimetres < 1 ? fmt::format("{:g} um", millimetres * 1e3) : fmt::format("{:g} mm", millimetres);
}

/// What stands where in a picture, in pixels.
struct Layout {
  double pixel_size = 0;  ///< mm
  int scale = 1;          ///< pixels a dot of the font
  std::vector<int> lefts;
  int top = 0;
  int legend_top = 0;
  int bar = 0;
  std::string legend;
  int width = 0;
  int height = 0;
};

Layout lay_out(std::span<const Plane> planes, GreyWindow window, int max_size) {
  Layout layout;
  layout.pixel_size = pixel_size_for(planes, max_size);
  const auto pixels_across = [&](const Plane& p) {
    return pixels_of(p.width, p.column_step, layout.pixel_size);
  };
  double widest = 0;
  for (const Plane& plane : planes) widest = std::max(widest, width_of(plane));
  const double bar = round_length(widest / 3);
  layout.bar = std::max(1, static_cast<int>(std::lround(bar / layout.pixel_size)));
  layout.legend =
      fmt::format("{}   black {:.4g}  white {:.4g} 1/mm", length_text(bar), window.black, window.white);
  const int room = max_size - 3 * gap - layout.bar;
  layout.scale = std::clamp(room / text_width(layout.legend, 1), 1, largest_dot);
  for (const Plane& plane : planes)
    layout.scale =
        std::clamp(pixels_across(plane) / std::max(1, text_width(plane.label, 1)), 1, layout.scale);
  const int line = glyph_height * layout.scale;
  layout.top = gap + line + gap / 2;
  int bottom = 0;
  int left = gap;
  for (const Plane& plane : planes) {
    layout.lefts.push_back(left);
    left += std::max(pixels_across(plane), text_width(plane.label, layout.scale)) + gap;
    bottom = std::max(bottom, layout.top + pixels_of(plane.height, plane.row_step, layout.pixel_size));
  }
  layout.legend_top = bottom + gap;
  layout.width = std::max(left, 3 * gap + layout.bar + text_width(layout.legend, layout.scale));
  layout.height = layout.legend_top + line + gap;
  return layout;
}

}  // namespace

Voxel voxel_at(const geometry::VolumeGrid& grid, geometry::Vec3 point) {
  const auto index = [](const char* axis, double value, double first, double step, int count) {
    const double nearest = std::round((value - first) / step);
    if (!(nearest >= 0 && nearest < count))
      throw Error(ErrorKind::usage,
                  fmt::format("{} = {:g} mm is outside the volume, which goes from {:g} to {:g} mm", axis,
                              value, first, first + (count - 1) * step));
    return static_cast<int>(nearest);
  };
  return {index("x", point.x, grid.origin.x, grid.spacing.x, grid.nx),
          index("y", point.y, grid.origin.y, grid.spacing.y, grid.ny),
          index("z", point.z, grid.origin.z, grid.spacing.z, grid.nz)};
}

std::vector<Plane> orthogonal_planes(const io::VolumeReader& volume, Voxel voxel) {
  const geometry::VolumeGrid& grid = volume.grid();
  const geometry::Vec3 at = grid.centre_of(voxel.x, voxel.y, voxel.z), step = grid.spacing;
  const auto values = [](const Array3<float>& cut) {
    return std::vector<float>(cut.data(), cut.data() + cut.size());
  };
  return {{fmt::format("xy at z = {:.3f} mm", at.z), grid.nx, grid.ny, step.x, step.y,
           values(volume.read(0, grid.nx, 0, grid.ny, voxel.z, 1))},
          {fmt::format("xz at y = {:.3f} mm", at.y), grid.nx, grid.nz, step.x, step.z,
           values(volume.read(0, grid.nx, voxel.y, 1, 0, grid.nz))},
          {fmt::format("yz at x = {:.3f} mm", at.x), grid.ny, grid.nz, step.y, step.z,
           values(volume.read(voxel.x, 1, 0, grid.ny, 0, grid.nz))}};
}

GreyWindow window_of(std::span<const Plane> planes) {
  std::vector<float> finite;
  for (const Plane& plane : planes)
    std::ranges::copy_if(plane.values, std::back_inserter(finite), [](float v) { return std::isfinite(v); });
  if (finite.empty()) return {0, 1};
  const auto percentile = [&](double part) {
    const auto nth = finite.begin() + std::lround(part * static_cast<double>(finite.size() - 1));
    std::nth_element(finite.begin(), nth, finite.end());
    return static_cast<double>(*nth);
  };
  const GreyWindow window{percentile(0.005), percentile(0.995)};
  return window.white > window.black ? window : GreyWindow{window.black, window.black + 1};
}

io::GreyPicture draw_planes(std::span<const Plane> planes, GreyWindow window, int max_size) {
  expects(!planes.empty(), "a picture needs at least one plane");
  if (!(window.white > window.black))
    throw Error(ErrorKind::usage,
                fmt::format("the grey window goes from {:g} to {:g} 1/mm; its end must be above its "
                            "start",
                            window.black, window.white));
  const Layout layout = lay_out(planes, window, max_size);
  io::GreyPicture picture{layout.width, layout.height, {}};
  picture.pixels.assign(static_cast<std::size_t>(layout.width) * layout.height, background);
  for (std::size_t n = 0; n < planes.size(); ++n) {
    draw_text(picture, layout.lefts[n], gap, layout.scale, planes[n].label);
    draw_plane(picture, planes[n], window, layout.pixel_size, layout.lefts[n], layout.top);
  }
  const int thickness = 2 * layout.scale;
  draw_bar(picture, gap, layout.legend_top + (glyph_height * layout.scale - thickness) / 2, layout.bar,
           thickness);
  draw_text(picture, 2 * gap + layout.bar, layout.legend_top, layout.scale, layout.legend);
  return picture;
}

double round_length(double longest) {
  const double decade = std::pow(10, std::floor(std::log10(longest)));
  for (const double factor : {5.0, 2.0})
    if (factor * decade <= longest) return factor * decade;
  return decade;
}

}  // namespace feldspar::cli
