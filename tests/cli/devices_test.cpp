// One scan on every device of this machine, from file to file: the volumes are the reference's.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/hdf5/scan_files.hpp"
#include "tests/cli/program_folder.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/scans.hpp"
#include "tests/support/whole_scan.hpp"

namespace feldspar {
namespace {

using testing::Case;

class Devices : public testing::ProgramFolder {
 protected:
  /// The CPU's instruction sets, without the reference.
  [[nodiscard]] std::vector<std::string> instruction_sets() const {
    std::vector<std::string> names;
    for (const auto& device : nlohmann::json::parse(run("devices --json").output)) {
      const auto name = device.at("name").get<std::string>();
      if (name.starts_with("cpu:") && device.at("usable").get<bool>()) names.push_back(name);
    }
    return names;
  }
};

// Filter and back-projection round to 1e-5 in norm each (host_operators_test); of ten thousand voxels the
// worst may be five times that off. A pixel's value taken from its neighbour is some per cent.
constexpr double rounding = 1e-4;

TEST_F(Devices, AgreeWhereShadowsFallOnPixelCentres) {
  const std::vector<std::string> devices = instruction_sets();
  ASSERT_FALSE(devices.empty());
  std::vector<Case> cases = testing::pixel_centre_cases();
  for (const double pitch : {0.00325, 0.15}) cases.push_back(testing::parallel_on_centres(17, pitch));
  for (const Case& c : cases) {
    if (c.scan.detector.roll != 0) continue;  // upside down: no scan that a reader takes
    testing::WholeScan scan = testing::random_scan(c.scan, io::CountType::uint16, 1);
    for (float& counts : scan.counts) counts = 30000 + counts / 4;  // transmissions of about a half
    testing::write(scan, *io::create_nxtomo(folder_ / "scan.nxs", scan.content, true));
    const std::string recon = "recon scan.nxs --overwrite --verify off --correct off --device ";
    expect_success(recon + "reference -o reference.h5");
    const std::vector<float> expected = voxels("reference.h5");

    for (const std::string& device : devices) {
      expect_success(recon + device + " -o volume.h5");
      const std::vector<float> result = voxels("volume.h5");
      const auto difference = testing::compare(std::span(result), std::span(expected));
      EXPECT_LT(difference.worst, rounding) << c.name << " on " << device << ", at " << difference.where;
    }
  }
}

}  // namespace
}  // namespace feldspar
