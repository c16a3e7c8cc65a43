// Scatter: nothing from nothing, as much as there is to scatter, and smooth.
#include "simulate/scatter.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/memory.hpp"

namespace feldspar::simulate {
namespace {

geometry::CircularScan scan_of(int columns, int rows) {
  geometry::CircularScan scan;
  scan.source_object_distance = 200;
  scan.source_detector_distance = 1000;
  scan.detector = {.columns = columns, .rows = rows, .column_pitch = 2, .row_pitch = 2};
  return scan;
}

TEST(scatter, open_beam_and_opaque_parts_scatter_nothing) {
  const Array3<float> image(40, 30, 1);
  ThreadPool pool(1);
  for (int row = 0; row < 30; ++row)
    for (int column = 0; column < 40; ++column) image.view()(column, row, 0) = column < 20 ? 1 : 0;
  add_scatter({.share = 0.5}, scan_of(40, 30), image.view(), pool);
  EXPECT_EQ(image.view()(3, 4, 0), 1);
  EXPECT_EQ(image.view()(33, 4, 0), 0);
}

TEST(scatter, far_from_the_edges_all_that_goes_on_forwards_arrives) {
  // 800 mm behind the object 1 degree spreads by 14 mm: 200 x 200 pixels of 2 mm reach 14 spreads.
  const Array3<float> image(200, 200, 1);
  ThreadPool pool(2);
  for (std::size_t n = 0; n < image.size(); ++n) image.data()[n] = std::exp(-1.0F);
  add_scatter({.share = 0.5, .coherent_part = 1, .coherent_spread = 1}, scan_of(200, 200), image.view(),
              pool);
  EXPECT_NEAR(image.view()(100, 100, 0), 1.5 * std::exp(-1.0), 1e-6);
  // Half of it comes from beyond an edge; the outermost block's centre lies 2 pixels, 0.28 spreads, inside.
  EXPECT_NEAR(image.view()(0, 100, 0), (1 + 0.5 * 0.611) * std::exp(-1.0), 0.01);
}

TEST(scatter, does_not_depend_on_the_number_of_threads) {
  const Array3<float> one(70, 50, 1), two(70, 50, 1);
  for (std::size_t n = 0; n < one.size(); ++n)
    one.data()[n] = two.data()[n] = static_cast<float>(n % 97) / 97;
  ThreadPool single(1), several(3);
  add_scatter({.share = 0.3}, scan_of(70, 50), one.view(), single);
  add_scatter({.share = 0.3}, scan_of(70, 50), two.view(), several);
  for (std::size_t n = 0; n < one.size(); ++n) ASSERT_EQ(one.data()[n], two.data()[n]);
}

}  // namespace
}  // namespace feldspar::simulate
