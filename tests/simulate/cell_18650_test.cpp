// The cell's integrals against sums of point values, its measures against the winding's arithmetic, and its
// weight against the data sheet.
#include "simulate/cell_18650.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "base/error.hpp"
#include "tests/simulate/numerical_integral.hpp"

namespace feldspar::simulate {
namespace {

using geometry::Vec3;

AttenuationTable only(Material material) {
  AttenuationTable table{};
  table[static_cast<std::size_t>(material)] = 1;
  return table;
}

void expect_equal_to_sums(const CellDesign& design) {
  const Cell18650 cell(design);
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(-1, 1);
  const auto place = [&] { return Vec3{12 * uniform(random), 12 * uniform(random), 40 * uniform(random)}; };
  constexpr int steps = 1'000'000;
  for (int n = 0; n < 12; ++n) {
    const Vec3 from = place(), to = place();
    // At most 20 windings of 8 surfaces on each side, of which none jumps by more than copper's attenuation.
    EXPECT_NEAR(cell.line_integral(from, to), testing::numerical_integral(cell, from, to, steps),
                testing::numerical_error(norm(to - from), steps, 2 * 20 * 8, 0.506));
  }
}

TEST(cell_18650, fresh_cell_integrates_as_its_points) { expect_equal_to_sums({}); }
TEST(cell_18650, aged_cell_integrates_as_its_points) { expect_equal_to_sums(aged_design()); }

TEST(cell_18650, ray_through_the_axis_and_along_a_layer_end_integrates_as_its_points) {
  const Cell18650 cell;
  constexpr int steps = 1'000'000;
  for (const Vec3 to : {Vec3{12, 0, 0}, Vec3{0, -12, 3}, Vec3{8, 8, -1}}) {
    const Vec3 from = -1.0 * to;
    EXPECT_NEAR(cell.line_integral(from, to), testing::numerical_integral(cell, from, to, steps),
                testing::numerical_error(norm(to - from), steps, 2 * 20 * 8, 0.506));
  }
}

void expect_rows_to_equal_rays(const CellDesign& design) {
  const Cell18650 cell(design);
  const Vec3 source{3, -176, 0.5};
  std::vector<double> rows(201);
  for (const double x : {-60.0, -40.3, 0.0, 11.1, 55.0}) {
    const ColumnOfRays rays{source, {x, 800, -200}, 2};
    cell.line_integrals(rays, rows);
    for (int row = 0; row < 201; ++row)
      // Sums of some 400 products of about 0.01 in another order.
      EXPECT_NEAR(rows[static_cast<std::size_t>(row)], cell.line_integral(source, {x, 800, -200 + 2.0 * row}),
                  1e-11);
  }
}

TEST(cell_18650, column_of_rays_equals_ray_by_ray) { expect_rows_to_equal_rays({}); }
TEST(cell_18650, column_of_rays_equals_ray_by_ray_in_the_aged_cell) {
  expect_rows_to_equal_rays(aged_design());
}

TEST(cell_18650, level_column_row_equals_its_neighbours_limit) {
  const Cell18650 cell;
  std::vector<double> rows(3);
  cell.line_integrals({{0, -176, 0}, {10, 800, -1e-7}, 1e-7}, rows);
  EXPECT_NEAR(rows[1], rows[0], 1e-9);
  EXPECT_NEAR(rows[1], rows[2], 1e-9);
}

TEST(cell_18650, radius_crosses_copper_once_a_turn) {
  const Cell18650 cell;
  const Winding& winding = cell.winding();
  std::vector<double> found;
  bool inside = false;
  for (double x = 0; x < 8.9; x += 0.001) {
    const bool copper = cell.material_at({x, 1e-9, 0}) == Material::copper;
    if (copper && !inside) found.push_back(x);
    inside = copper;
  }
  // The foil begins after 0.15 turns and ends 0.05 before the roll does.
  ASSERT_EQ(static_cast<int>(found.size()), static_cast<int>(std::floor(winding.turns() - 0.05)));
  EXPECT_EQ(found.size(), 19u);
  for (std::size_t n = 1; n < found.size(); ++n)
    EXPECT_NEAR(found[n] - found[n - 1], winding.pitch(), 0.0021);
}

/// Area in the plan at mid-height, from parallel rays.
double area_of(Material material) {
  const Cell18650 cell({}, only(material));
  constexpr double step = 0.01;
  double sum = 0;
  for (double y = -9.2 + 0.5 * step; y < 9.2; y += step) sum += cell.line_integral({-10, y, 0}, {10, y, 0});
  return sum * step;
}

/// Area of a layer `depth` into the pitch: thickness times mean radius times angle.
double wound_area(const Winding& winding, double depth, double thickness, double first_turn,
                  double last_turn) {
  const double mean =
      winding.inner_radius + depth + 0.5 * thickness + 0.5 * (first_turn + last_turn) * winding.pitch();
  return thickness * mean * 2 * std::numbers::pi * (last_turn - first_turn);
}

// Parallel rays sum a function with square-root ends: of 40 tangent windings each errs by at most
// step^1.5 (2 r)^0.5 / 5 = 8e-4 mm^2, at random.
constexpr double area_error = 5 * 6.4 * 8e-4;

TEST(cell_18650, copper_has_the_area_of_its_foil) {
  const CellDesign d;
  const Winding winding = Cell18650(d).winding();
  const double depth = 2 * d.separator + 2 * d.cathode + d.aluminium + d.anode;
  EXPECT_NEAR(area_of(Material::copper), wound_area(winding, depth, d.copper, 0.15, winding.turns() - 0.05),
              area_error);
}

TEST(cell_18650, steel_has_the_area_of_the_can) {
  EXPECT_NEAR(area_of(Material::steel), std::numbers::pi * (9.15 * 9.15 - 8.93 * 8.93), area_error);
}

TEST(cell_18650, cathode_is_as_long_as_the_real_one) {
  // 1.23 m coated length on two sides; the tab takes 4 mm of one.
  const double length = (area_of(Material::cathode) / 0.0662 + 4) / 2;
  EXPECT_NEAR(length, 615, 0.02 * 615);
}

TEST(cell_18650, weighs_what_the_data_sheet_says) {
  AttenuationTable density{};  // g/cm^3; coatings with their pores full of electrolyte
  density[static_cast<std::size_t>(Material::steel)] = 7.85;
  density[static_cast<std::size_t>(Material::copper)] = 8.96;
  density[static_cast<std::size_t>(Material::aluminium)] = 2.70;
  density[static_cast<std::size_t>(Material::nickel)] = 8.91;
  density[static_cast<std::size_t>(Material::cathode)] = 3.8;
  density[static_cast<std::size_t>(Material::anode)] = 1.85;
  density[static_cast<std::size_t>(Material::separator)] = 1.2;
  density[static_cast<std::size_t>(Material::electrolyte)] = 1.22;
  density[static_cast<std::size_t>(Material::plastic)] = 0.9;
  const Cell18650 cell({}, density);
  constexpr double step = 0.03;
  double sum = 0;
  for (double y = -9.2; y < 9.2; y += step)
    for (double x = -9.2; x < 9.2; x += step) sum += cell.line_integral({x, y, -40}, {x, y, 40});
  EXPECT_NEAR(sum * step * step / 1000, 48, 2);  // LG: 49 g at most
}

TEST(cell_18650, anode_overhangs_the_cathode_and_the_separator_the_anode) {
  const Cell18650 cell;
  const auto height_of = [&](Layer layer) {
    double x = 5;
    while (cell.layer_at(x, 0) != layer) x += 0.001;
    int inside = 0;
    for (double z = -32.5 + 0.005; z < 32.5; z += 0.01) {
      const Material material = cell.material_at({x, 0, z});
      inside +=
          material == Material::cathode || material == Material::anode || material == Material::separator;
    }
    return 0.01 * inside;
  };
  EXPECT_NEAR(height_of(Layer::cathode), 58, 0.02);
  EXPECT_NEAR(height_of(Layer::anode), 60, 0.02);
  EXPECT_NEAR(height_of(Layer::separator), 61, 0.02);
}

TEST(cell_18650, is_65_mm_high_and_stands_around_the_origin) {
  const Cell18650 cell;
  EXPECT_EQ(cell.material_at({0, 0, -32.49}), Material::steel);
  EXPECT_EQ(cell.material_at({0, 0, -32.51}), Material::nothing);
  EXPECT_EQ(cell.material_at({0, 0, 32.49}), Material::steel);
  EXPECT_EQ(cell.material_at({0, 0, 32.51}), Material::nothing);
  EXPECT_EQ(cell.material_at({9.14, 0, 0}), Material::steel);
  EXPECT_EQ(cell.material_at({9.16, 0, 0}), Material::nothing);
}

TEST(cell_18650, buckle_moves_the_innermost_winding_inwards_at_its_azimuth_only) {
  CellDesign design;
  design.buckle = {.depth = 0.4, .decay = 0.5, .azimuth = 2};
  const Cell18650 straight, buckled(design);
  const auto first_copper = [](const Cell18650& cell, double azimuth) {
    double r = 0.5;
    while (cell.layer_at(r * std::cos(azimuth), r * std::sin(azimuth)) != Layer::copper) r += 1e-4;
    return r;
  };
  EXPECT_GT(first_copper(straight, 2) - first_copper(buckled, 2), 0.1);
  EXPECT_NEAR(first_copper(straight, 2 + std::numbers::pi), first_copper(buckled, 2 + std::numbers::pi),
              2e-4);
}

TEST(cell_18650, delamination_is_a_gap_of_its_thickness) {
  CellDesign design;
  design.delamination = 0.05;
  const Cell18650 cell(design, only(Material::nothing));
  int inside = 0;
  for (double r = 1.5; r < 3.3; r += 1e-4) inside += cell.layer_at(-r, 1e-9) == Layer::gap;
  EXPECT_NEAR(inside * 1e-4, 2 * 0.05, 3e-4);  // turns 1.5 and 2.5 of 1.2 to 3.1
}

TEST(cell_18650, impossible_designs_are_refused) {
  EXPECT_THROW(Cell18650({.roll_radius = 9}), Error);
  EXPECT_THROW(Cell18650({.wound_length = 700}), Error);
  CellDesign folded;
  folded.buckle.depth = 0.6;
  EXPECT_THROW(Cell18650{folded}, Error);
}

}  // namespace
}  // namespace feldspar::simulate
