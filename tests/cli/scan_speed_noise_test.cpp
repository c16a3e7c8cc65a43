// The noise of the four scans of a cell against theory: sigma ~ 1 / sqrt(views x exposure).
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/program_folder.hpp"

namespace feldspar::testing {
namespace {

class ScanSpeedNoise : public ProgramFolder {};

// In a band of 32 rows. Rings are left alone: the gain of pixels is learned from 256 views at most, whose
// noise is the same for every scan.
TEST_F(ScanSpeedNoise, RatiosAreThoseOfTheDose) {
  std::ofstream(folder_ / "recon.toml") << "correct = \"auto,no-rings\"\n";

  expect_success("bench scan-speed -o report --scale 1/2 --rows 64 --spectrum none --config recon.toml");

  std::ifstream file(folder_ / "report/report.json");
  const auto scans = nlohmann::json::parse(file)["scans"];
  ASSERT_EQ(scans.size(), 4u);
  const double dose[4] = {3176, 3176 * 0.534, 600 * 0.267, 300 * 0.267};
  for (std::size_t n = 0; n < 4; ++n) {
    const double theory = std::sqrt(dose[0] / dose[n]);
    // 32 slices of 870 voxels that blur correlates: 1 %. Electronic noise makes up 6 % of a slow view's
    // variance and 2 % of a fast one's: ratios are 2 % smaller.
    EXPECT_NEAR(scans[n]["noise_ratio"].get<double>() / theory, 1, 0.08) << n;
    EXPECT_NEAR(scans[n]["scan_s"].get<double>(), dose[n], 1e-6) << n;
  }
}

}  // namespace
}  // namespace feldspar::testing
