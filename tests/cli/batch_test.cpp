// Batches on this machine, with the program itself: one bad scan costs its own volume and nothing else.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

class BatchRun : public testing::ProgramFolder {
 protected:
  /// The same small scan under many names: scans/s000, scans/s001 ...
  void make_scans(int count) const {
    expect_success(
        "simulate markers --columns 16 --rows 32 --pitch 12mm --views 16 --name scan -o scans/s000");
    for (int n = 1; n < count; ++n)
      std::filesystem::copy(folder_ / "scans/s000", folder_ / fmt::format("scans/s{:03}", n));
  }
  void describe(const std::string& text) const { std::ofstream(folder_ / "jobs.toml") << text; }
  [[nodiscard]] nlohmann::json status() const {
    return nlohmann::json::parse(run("batch status jobs.toml --json").output);
  }
  [[nodiscard]] nlohmann::json status(const std::string& name) const {
    for (const auto& job : status())
      if (job["name"] == name) return job;
    return {};
  }
};

TEST_F(BatchRun, LosesOnlyTheScansThatAreCorrupt) {
  make_scans(100);
  std::ofstream(folder_ / "scans/s017/scan.xtekct") << "garbage";
  std::filesystem::resize_file(folder_ / "scans/s042/scan_0007.tif", 100);
  std::filesystem::remove(folder_ / "scans/s099/scan_0003.tif");
  describe("output = \"volumes\"\n[[job]]\nscan = \"scans/*\"\n");

  const testing::Outcome outcome = run("batch jobs.toml --local 2 --memory 400MiB");

  EXPECT_EQ(outcome.exit_code, 3) << outcome.output;
  EXPECT_NE(outcome.output.find("97 of 100 volumes done, 3 failed"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("; 97 done with warnings"), std::string::npos) << outcome.output;
  std::vector<std::string> failed;
  std::size_t peak = 0;
  for (const auto& job : status()) {
    peak = std::max(peak, job["peak_bytes"].get<std::size_t>());
    const std::string name = job["name"];
    EXPECT_EQ(has("volumes/" + name + ".h5"), job["state"] == "done") << job;
    EXPECT_EQ(job["log"].get<std::string>(), (folder_ / "jobs.batch" / (name + ".log")).string());
    if (job["state"] != "failed") {
      EXPECT_GE(job["warnings"], 1) << job;  // the simulated scan never measured its centre of rotation
      continue;
    }
    failed.push_back(name);
    EXPECT_NE(job["reason"].get<std::string>().find("scans/" + name), std::string::npos) << job;
  }
  EXPECT_EQ(failed, (std::vector<std::string>{"s017", "s042", "s099"}));
  EXPECT_LE(peak, std::size_t{200} << 20);  // half of the memory that both tasks at once may have
}

TEST_F(BatchRun, GoesOnWithWhatIsNotDone) {
  make_scans(3);
  std::filesystem::rename(folder_ / "scans/s001/scan_0003.tif", folder_ / "kept.tif");
  describe("[settings]\nwindow = \"hann\"\n[[job]]\nscan = \"scans/*\"\n");
  EXPECT_EQ(run("batch jobs.toml --local 2").exit_code, 3);
  const auto before = std::filesystem::last_write_time(folder_ / "s000.h5");
  std::filesystem::rename(folder_ / "kept.tif", folder_ / "scans/s001/scan_0003.tif");

  expect_success("batch jobs.toml --local 2");

  EXPECT_TRUE(has("s001.h5"));
  EXPECT_EQ(std::filesystem::last_write_time(folder_ / "s000.h5"), before);
}

TEST_F(BatchRun, JoinsSharesAndLetsJobsDiffer) {
  make_scans(2);
  describe(
      "[[job]]\nscan = \"scans/s000\"\nname = \"parts\"\nshares = 2\nwindow = \"hann\"\n"
      "[[job]]\nscan = \"scans/s000\"\nname = \"whole\"\nwindow = \"hann\"\n"
      "[[job]]\nscan = \"scans/s000\"\nname = \"other\"\n");

  expect_success("batch jobs.toml --local 2");

  EXPECT_EQ(voxels("parts.h5"), voxels("whole.h5"));
  EXPECT_NE(voxels("other.h5"), voxels("whole.h5"));
}

TEST_F(BatchRun, TellsATaskThatWasKilled) {
  make_scans(1);
  describe("[[job]]\nscan = \"scans/s000\"\n");

  const testing::Outcome outcome =
      run("batch jobs.toml --local 1",
          "FELDSPAR_FAULT='fsync KILL 0 1 .partial' LD_PRELOAD='" FELDSPAR_FAULT_SHIM "'");

  EXPECT_EQ(outcome.exit_code, 1) << outcome.output;
  EXPECT_NE(status("s000")["reason"].get<std::string>().find("signal 9"), std::string::npos) << status();
  EXPECT_FALSE(has("s000.h5"));
  expect_success("batch jobs.toml --local 1");
}

TEST_F(BatchRun, RefusesADescriptionThatMakesNoSense) {
  make_scans(2);
  const auto refuses = [&](const std::string& text, const std::vector<std::string>& words) {
    describe(text);
    expect_failure("batch jobs.toml --local 1", 2, words);
  };
  refuses("[settings]\nwindoww = \"hann\"\n[[job]]\nscan = \"scans/s000\"\n", {"jobs.toml", "windoww"});
  refuses("[[job]]\nscan = \"scans/x*\"\n", {"scans/x*", "no file"});
  refuses("[[job]]\nname = \"a\"\n", {"job 1", "scan"});
  refuses("[[job]]\nscan = \"scans/s000\"\n[[job]]\nscan = \"scans/s000\"\n", {"job 2", "name", "s000"});
  refuses("[[job]]\nscan = \"scans/*\"\nname = \"a\"\n", {"name", "2 scans"});
  refuses("[[job]]\nscan = \"scans/s000\"\nshares = 0\n", {"shares"});
  refuses("[[job]]\nscan = \"scans/s000\"\nresume = true\n", {"resume", "batch itself"});
  refuses("", {"[[job]]"});
  refuses("[[job\n", {"jobs.toml: line 1"});
  describe("[[job]]\nscan = \"scans/s000\"\n");
  expect_failure("batch jobs.toml", 2, {"--local", "--slurm"});
  expect_failure("batch none.toml --local 1", 4, {"none.toml"});
}

}  // namespace
}  // namespace feldspar
