// The scan-speed report through the program: of parts of one scan, and as a browser sees its page.
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "tests/cli/program_folder.hpp"

namespace feldspar::testing {
namespace {

class ScanSpeed : public ProgramFolder {
 protected:
  [[nodiscard]] std::string text_of(const std::string& file) const {
    return read_text(folder_ / file, 1 << 24);
  }
  void simulate(const std::string& name, const std::string& more = {}) const {
    expect_success("simulate markers -o " + name + " --scale 1/4 --views 120 " + more);
  }
};

TEST_F(ScanSpeed, OfPartsOfOneScanSaysWhatFewerViewsCost) {
  simulate("scan");

  expect_success("bench scan-speed scan -o report --every 1,4");

  const auto report = nlohmann::json::parse(text_of("report/report.json"));
  const auto& scans = report["scans"];
  ASSERT_EQ(scans.size(), 2u);
  EXPECT_EQ(scans[0]["views"], 120);
  EXPECT_EQ(scans[1]["views"], 30);
  EXPECT_EQ(scans[0]["rms_difference_per_mm"], 0);
  EXPECT_GT(scans[1]["rms_difference_per_mm"], 0);
  EXPECT_GT(scans[1]["noise_ratio"], 1.2);  // sqrt(4) of photons; quantisation is the same for both
  EXPECT_FALSE(has("report/volumes"));
  const std::string page = text_of("report/report.html");
  EXPECT_NE(page.find("every 4 views"), std::string::npos);
  EXPECT_EQ(page.find("http"), std::string::npos) << "the page loads something from elsewhere";
}

TEST_F(ScanSpeed, PageShowsItsPicturesAndCurvesInABrowser) {
  if (shell("command -v chromium").exit_code != 0)
    GTEST_SKIP() << "chromium is not installed; scripts/setup --slow does";
  simulate("scan");
  expect_success("bench scan-speed scan -o report --every 1,2");
  std::ofstream(folder_ / "page.html") << text_of("report/report.html") << R"(<script>
    window.onload = () => document.title = [...document.images].filter(i => i.complete && i.naturalWidth > 8).length +
      ' of ' + document.images.length + ' pictures, ' +
      [...document.querySelectorAll('polyline')].filter(l => l.getTotalLength() > 100).length + ' curves';
    </script>)";

  const Outcome seen = shell(
      "HOME=. timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir=profile "
      "--host-resolver-rules='MAP * ~NOTFOUND' --screenshot=page.png --window-size=1200,2600 "
      "--virtual-time-budget=5000 --dump-dom page.html 2>/dev/null");

  EXPECT_NE(seen.output.find("<title>8 of 8 pictures, 4 curves</title>"), std::string::npos)
      << seen.output.substr(0, 400);
}

TEST_F(ScanSpeed, NamesWhatItCannotDo) {
  simulate("scan");
  expect_failure("bench scan-speed scan -o report --every 1,x", 2, {"--every", "'x'", "1,2,5,10"});
  expect_failure("bench scan-speed scan other -o report", 4, {"other", "No such file"});
  expect_failure("bench scan-speed -o report --scale 1/0", 2, {"--scale"});
  expect_failure("bench", 2, {"subcommand"});
}

}  // namespace
}  // namespace feldspar::testing
