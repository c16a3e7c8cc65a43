// Curves as SVG.
#include "cli/report/line_plot.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace feldspar::cli {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(LinePlot, DrawsEveryCurveWithItsNameAndColour) {
  const LinePlot plot{"mm", "1/mm", {{"slow", {0, 1, 2}, {0, 0.5, 1}}, {"fast", {0, 2}, {1, 0}}}, 0, 1};

  const std::string svg = draw_lines(plot);

  EXPECT_EQ(count(svg, "<polyline"), 2u);
  EXPECT_EQ(count(svg, colour_of(0)), 2u);  // the line and the name
  EXPECT_NE(svg.find(">fast</text>"), std::string::npos);
  EXPECT_NE(svg.find("64.0,256.0 346.0,134.0 628.0,12.0"), std::string::npos) << svg;  // corner to corner
}

TEST(LinePlot, CutsWhatLeavesTheRangeAndLeavesOutWhatIsNoNumber) {
  const LinePlot plot{"mm", "1/mm", {{"one", {0, 1, 2}, {-7, NAN, 9}}}, 0, 1};

  EXPECT_NE(draw_lines(plot).find("points=\"64.0,256.0 628.0,12.0 \""), std::string::npos);
}

}  // namespace
}  // namespace feldspar::cli
