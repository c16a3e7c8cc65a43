#include "cli/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/units.hpp"
#include "cli/bitmap_font.hpp"

namespace feldspar::cli {
namespace {

constexpr int margin = 12;
constexpr int line_height = 24;  // of a line of text twice as large as the font
constexpr int letter_width = 12;
constexpr std::uint8_t background = 24, ink = 235;

void put_text(io::GreyPicture& picture, int left, int top, std::string_view text) {
  for (const char c : text) {
    const auto rows = glyph(c);
    for (int y = 0; y < 14; ++y)
      for (int x = 0; x < 10; ++x)
        if (rows[static_cast<std::size_t>(y / 2)] >> (4 - x / 2) & 1 && left + x < picture.width && top + y < picture.height)
          picture.pixels[static_cast<std::size_t>(top + y) * picture.width + left + x] = ink;
    left += letter_width;
  }
}

/// The plane on width x height pixels, top row first: every pixel is the mean of the voxels under it.
std::vector<float> resampled(const Plane& plane, int width, int height) {
  const View3<float> in = plane.values.view();
  std::vector<float> out(static_cast<std::size_t>(width) * height);
  const auto span = [](int pixel, int pixels, int voxels) {
    const int first = static_cast<int>(static_cast<long long>(pixel) * voxels / pixels);
    const int end = static_cast<int>(static_cast<long long>(pixel + 1) * voxels / pixels);
    return std::pair(first, std::max(end, first + 1));
  };
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const auto [left, right] = span(x, width, in.nx);
      const auto [low, high] = span(height - 1 - y, height, in.ny);
      double sum = 0;
      for (int row = low; row < high; ++row)
        for (int column = left; column < right; ++column) sum += in(column, row, 0);
      out[static_cast<std::size_t>(y) * width + x] = static_cast<float>(sum / (double(right - left) * (high - low)));
    }
  return out;
}

void put_plane(io::GreyPicture& picture, int left, int top, const Plane& plane, int width, int height, GreyWindow window) {
  const std::vector<float> values = resampled(plane, width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double grey = (values[static_cast<std::size_t>(y) * width + x] - window.black) / (window.white - window.black);
      picture.pixels[static_cast<std::size_t>(top + y) * picture.width + left + x] =
          static_cast<std::uint8_t>(std::lround(255 * std::clamp(std::isnan(grey) ? 0 : grey, 0.0, 1.0)));
    }
}

/// 1, 2 or 5 times a power of ten, at most `limit`.
double round_length(double limit) {
  const double power = std::pow(10, std::floor(std::log10(limit)));
  for (const double factor : {5.0, 2.0})
    if (factor * power <= limit) return factor * power;
  return power;
}

std::string length_text(double mm) { return mm >= 1 ? fmt::format("{:g} mm", mm) : fmt::format("{:g} um", mm * 1000); }

}  // namespace

GreyWindow automatic_window(const std::vector<Plane>& planes) {
  std::vector<float> values;
  for (const Plane& plane : planes)
    for (const float value : plane.values.view().values())
      if (std::isfinite(value)) values.push_back(value);
  if (values.empty()) return {0, 1};
  const auto quantile = [&](double share) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return static_cast<double>(*at);
  };
  const double low = quantile(0.005), high = quantile(0.998);
  return high > low ? GreyWindow{low, high} : GreyWindow{low - 0.5, low + 0.5};
}

io::GreyPicture draw_planes(const std::vector<Plane>& planes, GreyWindow window, int plane_size) {
  double longest = 0;
  for (const Plane& plane : planes) longest = std::max({longest, plane.width_mm, plane.height_mm});
  const double pixels_per_mm = plane_size / longest;
  const auto pixels = [&](double mm) { return std::max(1, static_cast<int>(std::lround(mm * pixels_per_mm))); };
  io::GreyPicture picture;
  int tallest = 0;
  picture.width = margin;
  for (const Plane& plane : planes) {
    picture.width += std::max(pixels(plane.width_mm), static_cast<int>(plane.label.size()) * letter_width) + margin;
    tallest = std::max(tallest, pixels(plane.height_mm));
  }
  const std::string grey = fmt::format("black {:.4g} white {:.4g} 1/mm", window.black, window.white);
  const double bar = round_length(0.6 * planes.front().width_mm);
  const std::string bar_text = length_text(bar);
  const int needed = 2 * margin + pixels(bar) + letter_width * static_cast<int>(bar_text.size() + grey.size() + 4);
  picture.width = std::max(picture.width, needed);
  picture.height = 3 * margin + 2 * line_height + tallest;
  picture.pixels.assign(static_cast<std::size_t>(picture.width) * picture.height, background);

  int left = margin;
  for (const Plane& plane : planes) {
    put_text(picture, left, margin, plane.label);
    put_plane(picture, left, margin + line_height, plane, pixels(plane.width_mm), pixels(plane.height_mm), window);
    left += std::max(pixels(plane.width_mm), static_cast<int>(plane.label.size()) * letter_width) + margin;
  }
  const int bottom = 2 * margin + line_height + tallest;
  for (int y = bottom + 5; y < bottom + 9; ++y)
    std::fill_n(picture.pixels.begin() + static_cast<std::ptrdiff_t>(y) * picture.width + margin, pixels(bar), ink);
  put_text(picture, margin + pixels(bar) + letter_width, bottom, bar_text);
  put_text(picture, margin + pixels(bar) + letter_width * static_cast<int>(bar_text.size() + 4), bottom, grey);
  return picture;
}

}  // namespace feldspar::cli
