// A cell before and after a thousand cycles: its scale is found although its windings have moved.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

using CompareCells = testing::ProgramFolder;

TEST_F(CompareCells, FindsTheScaleOfAnAgedCell) {
  // Of a quarter of the resolution: three rays a pixel, for windings of two and a half pixels would alias.
  for (const std::string cell : {"mj1-fresh-53min", "mj1-aged"}) {
    expect_success("simulate " + cell + " --scale 1/4 --columns 640 --rows 320 --views 800 --rays 3 -o " +
                   cell);
    expect_success("recon " + cell + " -o " + cell + ".h5");
  }

  expect_success("compare mj1-fresh-53min.h5 mj1-aged.h5 -o report");

  std::ifstream file(folder_ / "report/report.json");
  const nlohmann::json report = nlohmann::json::parse(file);
  EXPECT_NEAR(report["second_in_first"]["scale"], 1, 5e-4);
  // What differs most is at the core, which the thicker layers have narrowed.
  const double x = report["most_different"]["at_mm"][0], y = report["most_different"]["at_mm"][1];
  EXPECT_LT(std::hypot(x, y), 2.2);
  EXPECT_GT(report["most_different"]["difference_per_mm"], 0);
}

}  // namespace
}  // namespace feldspar
