#include "cli/report/line_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/report/picture.hpp"

namespace feldspar::cli {
namespace {

constexpr double width = 640, height = 300, left = 64, right = 12, top = 12, bottom = 44;

struct Range {
  double first = 0, last = 1;
};

Range range_of_x(const std::vector<Curve>& curves) {
  Range range{INFINITY, -INFINITY};
  for (const Curve& curve : curves)
    for (const double x : curve.x) range = {std::min(range.first, x), std::max(range.last, x)};
  if (!(range.last > range.first)) return {};
  return range;
}

/// Round numbers within a range, about five.
std::vector<double> ticks_of(Range range) {
  const double step = round_length((range.last - range.first) / 4);
  std::vector<double> ticks;
  for (double n = std::ceil(range.first / step - 1e-9); n * step <= range.last + 1e-9 * step; ++n)
    ticks.push_back(n * step + 0.0);  // of a negative zero, too
  return ticks;
}

}  // namespace

std::string colour_of(std::size_t curve) {
  constexpr std::array<const char*, 6> colours{"#1b6ca8", "#d1495b", "#2e933c",
                                               "#8d5a97", "#c9822b", "#444444"};
  return colours[curve % colours.size()];
}

std::string draw_lines(const LinePlot& plot) {
  const Range xs = range_of_x(plot.curves), ys{plot.lowest, plot.highest};
  const auto at_x = [&](double x) {
    return left + (x - xs.first) / (xs.last - xs.first) * (width - left - right);
  };
  const auto at_y = [&](double y) {
    return height - bottom - (y - ys.first) / (ys.last - ys.first) * (height - top - bottom);
  };
  std::string svg =
      fmt::format("<svg viewBox=\"0 0 {} {}\" class=\"plot\" role=\"img\" aria-label=\"{} over {}\">\n",
                  width, height, plot.y_label, plot.x_label);
  for (const double x : ticks_of(xs))
    svg += fmt::format(
        "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" class=\"grid\"/>"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4:g}</text>\n",
        at_x(x), top, height - bottom, height - bottom + 16, x);
  for (const double y : ticks_of(ys))
    svg += fmt::format(
        "<line x1=\"{1}\" x2=\"{2}\" y1=\"{0:.1f}\" y2=\"{0:.1f}\" class=\"grid\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:g}</text>\n",
        at_y(y), left, width - right, left - 6, at_y(y) + 4, y);
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                     0.5 * (left + width - right), height - 8, plot.x_label);
  svg += fmt::format("<text transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                     0.5 * (top + height - bottom), plot.y_label);
  for (std::size_t n = 0; n < plot.curves.size(); ++n) {
    const Curve& curve = plot.curves[n];
    std::string points;
    for (std::size_t i = 0; i < curve.x.size(); ++i)
      if (std::isfinite(curve.y[i]))
        points +=
            fmt::format("{:.1f},{:.1f} ", at_x(curve.x[i]), at_y(std::clamp(curve.y[i], ys.first, ys.last)));
    svg += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n", points,
                       colour_of(n));
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\" style=\"fill:{}\">{}</text>\n",
                       width - right - 6, top + 16 + 15.0 * static_cast<double>(n), colour_of(n), curve.name);
  }
  return svg + "</svg>\n";
}

}  // namespace feldspar::cli
