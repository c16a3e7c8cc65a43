// The page of a scan-speed comparison: HTML with its pictures inside.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/units.hpp"
#include "cli/report/line_plot.hpp"
#include "cli/report/page.hpp"
#include "cli/report/scan_speed.hpp"

namespace feldspar::cli {
namespace {

std::string image_of(const Plane& plane, GreyWindow window) {
  io::GreyPicture picture{plane.width, plane.height, {}};
  for (int j = plane.height - 1; j >= 0; --j)
    for (int i = 0; i < plane.width; ++i) {
      const double value = plane.values[static_cast<std::size_t>(j) * plane.width + i];
      const double grey = 255 * (value - window.black) / (window.white - window.black);
      picture.pixels.push_back(static_cast<std::uint8_t>(std::clamp(grey, 0.0, 255.0)));
    }
  return embedded(io::png_bytes(picture));
}

std::string heading_row(bool cell) {
  std::string row =
      "<tr><th>scan</th><th>scan time</th><th>reconstruction</th><th>GUPS</th><th>noise "
      "1/mm</th><th>ratio</th>"
      "<th>difference 1/mm</th><th>halves agree to 1/mm</th>";
  if (cell)
    row +=
        "<th>grain 1/mm</th><th>CNR</th><th>bias anode</th><th>bias cathode</th><th>MTF 50 % "
        "1/mm</th><th>edge um</th>"
        "<th>windings traced</th><th>invented</th><th>radius error um</th>";
  return row + "</tr>\n";
}

std::string row_of(const SpeedMeasures& one, double noise) {
  std::string row = fmt::format(
      "<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.2f}</td><td>{:.5f}</td><td>{:.2f}</td><td>{:.5f}</td>"
      "<td>{:.2f}</td>",
      escaped(one.of.name), one.of.exposure_s > 0 ? format_seconds(one.scan_seconds()) : "unknown",
      format_seconds(one.of.seconds), one.of.gups, one.noise, one.noise / noise, one.difference,
      one.shells.resolved_frequency() / one.voxel);
  if (one.cell)
    row += fmt::format(
        "<td>{:.5f}</td><td>{:.1f}</td><td>{:+.4f}</td><td>{:+.4f}</td><td>{:.2f}</td><td>{:.0f}</"
        "td><td>{:.0f} %</td>"
        "<td>{:.0f} %</td><td>{:.1f}</td>",
        one.cell->grain, one.cell->contrast_to_noise, one.cell->anode_bias, one.cell->cathode_bias,
        one.cell->can.frequency_at(0.5) / one.voxel, 1e3 * one.cell->can.width * one.voxel,
        100 * one.cell->traced, 100 * one.cell->invented, 1e3 * one.cell->radius_error);
  return row + "</tr>\n";
}

/// A curve of every scan over multiples of a step.
LinePlot plot_of(const std::vector<SpeedMeasures>& all, const char* x_label, const char* y_label,
                 const std::function<void(const SpeedMeasures&, Curve&)>& fill) {
  LinePlot plot{x_label, y_label, {}, 0, 1};
  for (const SpeedMeasures& one : all) {
    Curve curve{escaped(one.of.name), {}, {}};
    fill(one, curve);
    plot.curves.push_back(std::move(curve));
  }
  return plot;
}

std::string plots_of(const std::vector<SpeedMeasures>& all, GreyWindow window) {
  LinePlot profile =
      plot_of(all, "mm from the axis along x", "1/mm", [](const SpeedMeasures& one, Curve& curve) {
        for (std::size_t n = 0; n < one.profile.size(); ++n) {
          curve.x.push_back(one.profile_start + one.voxel * static_cast<double>(n));
          curve.y.push_back(one.profile[n]);
        }
      });
  profile.lowest = std::min(0.0, window.black), profile.highest = 1.2 * window.white;
  const LinePlot shells = plot_of(all, "cycles per mm", "correlation of odd with even views",
                                  [](const SpeedMeasures& one, Curve& curve) {
                                    for (std::size_t n = 0; n < one.shells.values.size(); ++n) {
                                      curve.x.push_back(one.shells.step * static_cast<double>(n) / one.voxel);
                                      curve.y.push_back(one.shells.values[n]);
                                    }
                                  });
  std::string html = "<h2>Profile</h2>\n" + draw_lines(profile);
  html += "<h2>Fourier shell correlation</h2>\n" + draw_lines(shells);
  if (!all.front().cell) return html;
  const LinePlot can = plot_of(all, "cycles per mm", "modulation transfer at the can",
                               [](const SpeedMeasures& one, Curve& curve) {
                                 if (!one.cell) return;
                                 for (std::size_t n = 0; n < one.cell->can.values.size(); ++n) {
                                   curve.x.push_back(one.cell->can.step * static_cast<double>(n) / one.voxel);
                                   curve.y.push_back(one.cell->can.values[n]);
                                 }
                               });
  return html + "<h2>Edge of the can</h2>\n" + draw_lines(can);
}

}  // namespace

std::string speed_page(const std::vector<SpeedMeasures>& all, const std::string& how) {
  std::string html = fmt::format("<p>{}</p>\n<table>\n", escaped(how));
  html += heading_row(all.front().cell.has_value());
  for (const SpeedMeasures& one : all) html += row_of(one, all.front().noise);
  html += "</table>\n";
  const std::vector<Plane> reference{all.front().pictures.front().plane};
  const GreyWindow window = window_of(reference);
  html += fmt::format("<p>Pictures span {:.3f} to {:.3f} 1/mm.</p>\n", window.black, window.white);
  for (std::size_t n = 0; n < all.front().pictures.size(); ++n) {
    html += fmt::format("<h2>{}</h2>\n<div class=\"row\">\n", escaped(all.front().pictures[n].title));
    for (const SpeedMeasures& one : all)
      html += fmt::format("<figure><img alt=\"{0}\" src=\"{1}\"><figcaption>{0}</figcaption></figure>\n",
                          escaped(one.of.name), image_of(one.pictures[n].plane, window));
    html += "</div>\n";
  }
  return page("What scan speed costs", html + plots_of(all, window));
}

}  // namespace feldspar::cli
