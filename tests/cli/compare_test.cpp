// A scan reconstructed where another's object lies, and the transform between volumes found again.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "tests/cli/program_folder.hpp"
#include "tests/support/comparison.hpp"

namespace feldspar {
namespace {

/// A scan of spheres that no turn brings back onto themselves, and its volume.
class Compare : public testing::ProgramFolder {
 protected:
  void SetUp() override {
    expect_success("simulate markers --scale 1/2 --views 120 --no-noise -o scan");
    expect_success("recon scan -o plain.h5");
  }
  [[nodiscard]] std::string text(const std::string& file) const { return read_text(folder_ / file, 1 << 24); }
  [[nodiscard]] nlohmann::json report(const std::string& folder) const {
    return nlohmann::json::parse(text(folder + "/report.json"));
  }
};

constexpr const char* turned = "1.02,0,0,12deg,0.4mm,-0.3mm,0.2mm";
constexpr const char* leaning = "0.99,0.8deg,-0.6deg,5deg,0.2mm,0.1mm,-0.3mm";

TEST_F(Compare, FindsTheTransformThatAScanWasReconstructedWith) {
  for (const std::string transform : {turned, leaning}) {
    expect_success("recon scan -o moved.h5 --overwrite --like plain.h5 --transform " + transform);
    expect_success("compare moved.h5 plain.h5 -o report --overwrite");

    const nlohmann::json found = report("report")["second_in_first"];
    std::vector<double> expected, values{found["scale"]};
    for (std::size_t at = 0; at < transform.size(); at = transform.find(',', at) + 1) {
      expected.push_back(std::stod(transform.substr(at)));
      if (transform.find(',', at) == std::string::npos) break;
    }
    for (const char* key : {"rotation_deg", "shift_mm"})
      for (const double value : found[key]) values.push_back(value);
    // A twentieth of a voxel of 0.4 mm, over the 10 mm that the spheres are apart for scale and turns.
    const double limits[] = {0.002, 0.12, 0.12, 0.12, 0.02, 0.02, 0.02};
    ASSERT_EQ(expected.size(), values.size());
    for (std::size_t n = 0; n < values.size(); ++n)
      EXPECT_NEAR(values[n], expected[n], limits[n]) << n << " of " << transform;
  }
}

TEST_F(Compare, WritesATransformThatBringsTheScanThere) {
  expect_success(std::string("recon scan -o moved.h5 --like plain.h5 --transform ") + turned);
  expect_success("compare moved.h5 plain.h5 -o report");
  expect_success("recon scan -o again.h5 --like moved.h5 --transform report/transform.toml");
  expect_success("compare moved.h5 again.h5 -o after --transform 1,0,0,0,0,0,0");

  // A twentieth of a voxel's shift of what is a voxel or two wide changes it by a twentieth or so.
  EXPECT_GT(report("after")["correlation"], 0.997);
}

TEST_F(Compare, DrawsAPageThatStandsAlone) {
  expect_success("compare plain.h5 plain.h5 -o report");

  const std::string page = text("report/report.html");
  std::size_t pictures = 0;
  for (std::size_t at = 0; (at = page.find("src=\"data:image/png;base64,", at)) != std::string::npos; ++at)
    ++pictures;
  EXPECT_EQ(pictures, 8u);
  EXPECT_NE(page.find("<svg"), std::string::npos);
  for (const char* name : {"overlay.png", "difference_most.png", "transform.toml"})
    EXPECT_TRUE(has(std::string("report/") + name)) << name;
  EXPECT_NEAR(report("report")["second_in_first"]["scale"], 1, 1e-6);
  // The transform may be off by as much: 1e-6 of 10 mm is 2.5e-5 voxels, which differ by up to 0.1 /mm.
  EXPECT_LT(report("report")["rms_difference_per_mm"], 2.5e-6);
}

TEST_F(Compare, ShowsWhereOneVolumeHasSomethingMore) {
  expect_success("simulate markers --scale 1/2 --views 120 --no-noise --axis-offset 1mm -o off");
  expect_success("recon off -o off.h5 --verify off --axis-offset 0");

  expect_success("compare plain.h5 off.h5 -o report --transform 1,0,0,0,0,0,0");

  EXPECT_GT(report("report")["rms_difference_per_mm"], 0.001);
  EXPECT_NE(report("report")["most_different"]["difference_per_mm"], 0);
}

TEST_F(Compare, SlabsOfAMovedScanMakeTheWhole) {
  const std::string moved = std::string("recon scan --like plain.h5 --transform ") + leaning;
  expect_success(moved + " -o whole.h5");
  expect_success(moved + " -o parts.h5 --slabs 1/2");
  expect_success(moved + " -o parts.h5 --slabs 2/2");
  expect_success("join parts.part-1-of-2.h5 parts.part-2-of-2.h5 -o parts.h5");

  EXPECT_EQ(voxels("parts.h5"), voxels("whole.h5"));
  expect_success("verify whole.h5");
}

TEST_F(Compare, RefusesWhatCannotBe) {
  expect_failure("recon scan -o a.h5 --transform 1,2,3", 2, {"--transform", "SCALE,RX,RY,RZ,X,Y,Z"});
  expect_failure("recon scan -o a.h5 --transform 0,0,0,0,0,0,0", 2, {"scale of 0"});
  expect_failure("recon scan -o a.h5 --roi auto --transform 1,0,0,9deg,0,0,0", 2, {"--roi"});
  expect_failure("recon scan -o a.h5 --fast 4 --transform 1,2deg,0,9deg,0,0,0", 8, {"--fast off"});
  expect_failure("recon scan -o a.h5 --outline cylinder:30mm@0,0 --transform 1,0,0,9deg,0,0,0", 8,
                 {"--outline"});
  std::ofstream(folder_ / "bad.toml") << "scale = 1\nrotation_deg = [0, 'x', 0]\nshift_mm = [0, 0, 0]\n";
  expect_failure("recon scan -o a.h5 --transform bad.toml", 2, {"bad.toml", "rotation_deg"});
  std::ofstream(folder_ / "worse.toml") << "scale = = 1\n";
  expect_failure("recon scan -o a.h5 --transform worse.toml", 2, {"worse.toml: line 1"});
  expect_failure("compare plain.h5 none.h5 -o report", 4, {"none.h5"});
  expect_failure("compare plain.h5 plain.h5 -o report --transform 1,0,0,0,900mm,0,0", 2,
                 {"no voxel in common"});
  expect_failure("compare plain.h5 plain.h5 -o report --at 1km,0,0", 2, {"--at"});
  EXPECT_FALSE(has("a.h5"));
  EXPECT_FALSE(has("a.h5.partial"));
}

}  // namespace
}  // namespace feldspar
