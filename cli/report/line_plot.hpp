// Curves over one axis as an SVG picture, for pages.
#pragma once

#include <string>
#include <vector>

namespace feldspar::cli {

struct Curve {
  std::string name;
  std::vector<double> x, y;
};

struct LinePlot {
  std::string x_label, y_label;
  std::vector<Curve> curves;
  double lowest = 0, highest = 1;  ///< of y, that the picture spans
};

/// Colours that curves are drawn in, in this order, beginning again at the end.
[[nodiscard]] std::string colour_of(std::size_t curve);

/// An <svg> element. Curves are cut at the range of y; places that are not finite are left out.
[[nodiscard]] std::string draw_lines(const LinePlot& plot);

}  // namespace feldspar::cli
