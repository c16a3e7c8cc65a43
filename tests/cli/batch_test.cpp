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
    std::filesystem::create_directory(folder_ / "scans");
    expect_success(
        "simulate markers --columns 16 --rows 32 --pitch 12mm --views 16 --name scan -o scans/s000");
    for (int n = 1; n < count; ++n)
      std::filesystem::copy(folder_ / "scans/s000", folder_ / fmt::format("scans/s{:03}", n));
  }
  void describe(const std::string& text) const { std::ofstream(folder_ / "jobs.toml") << text; }
  /// Every file and folder with its size, time of change, inode and content.
  [[nodiscard]] std::string everything() const {
    return shell(
               "find . -printf '%p %s %T@ %i\\n' | sort; find . -type f -print0 | sort -z | xargs -0 md5sum")
        .output;
  }
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

  const std::string listing = "cd volumes && md5sum * && stat -c '%n %Y %Z %i' *";
  const std::string volumes = shell(listing).output;
  EXPECT_EQ(run("batch jobs.toml --local 2").exit_code, 3);
  EXPECT_EQ(shell(listing).output, volumes);
  std::ofstream(folder_ / "marker") << "older than what comes";
  const testing::Outcome again = run("batch jobs.toml --local 2 --restart");
  EXPECT_EQ(again.exit_code, 3) << again.output;
  EXPECT_NE(again.output.find("97 of 100 volumes done, 3 failed"), std::string::npos) << again.output;
  EXPECT_EQ(shell("find volumes -name '*.h5' -newer marker | wc -l").output, "97\n");
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

TEST_F(BatchRun, ChangesNothingTheSecondTimeAndMakesAllAgainOnDemand) {
  make_scans(3);
  const std::string jobs =
      "[[job]]\nscan = \"scans/s00[01]\"\n[[job]]\nscan = \"scans/s002\"\nname = \"parts\"\nshares = 2\n";
  describe("output = \"volumes\"\n" + jobs);
  expect_success("batch jobs.toml --local 2");
  const auto before = everything();
  const auto old_voxels = voxels("volumes/parts.h5");

  expect_success("batch jobs.toml --local 2");
  EXPECT_EQ(everything(), before);

  describe("output = \"volumes\"\n[settings]\nwindow = \"hann\"\n" + jobs);
  expect_success("batch jobs.toml --local 2 --restart");
  EXPECT_NE(voxels("volumes/parts.h5"), old_voxels);
  EXPECT_EQ(voxels("volumes/parts.h5"), voxels("volumes/s001.h5"));
  const auto after = everything();
  expect_success("batch jobs.toml --local 2");
  EXPECT_EQ(everything(), after);
  EXPECT_EQ(shell("cd volumes && ls *.h5").output,
            "parts.again-1.part-1-of-2.h5\nparts.again-1.part-2-of-2.h5\nparts.h5\ns000.h5\ns001.h5\n");
}

TEST_F(BatchRun, KeepsEveryOldVolumeUntilTheNewOneIsComplete) {
  make_scans(1);
  const std::string jobs =
      "[[job]]\nscan = \"scans/s000\"\n[[job]]\nscan = \"scans/s000\"\nname = \"parts\"\nshares = 2\n";
  describe(jobs);
  expect_success("batch jobs.toml --local 1");
  const auto old_voxels = voxels("s000.h5");
  describe("[settings]\nwindow = \"hann\"\n" + jobs);

  for (const char* step :
       {"fsync KILL 0 1 .partial", "fsync KILL 0 1 2-of-2.h5.partial", "fsync KILL 0 1 parts.h5.partial"}) {
    const std::string fault =
        std::string("FELDSPAR_FAULT='") + step + "' LD_PRELOAD='" FELDSPAR_FAULT_SHIM "'";
    EXPECT_NE(run("batch jobs.toml --local 1 --restart", fault).exit_code, 0) << step;
    EXPECT_EQ(voxels("parts.h5"), old_voxels) << step;
  }

  expect_success("batch jobs.toml --local 1");  // which goes on with what --restart began
  EXPECT_NE(voxels("s000.h5"), old_voxels);
  EXPECT_EQ(voxels("parts.h5"), voxels("s000.h5"));
}

TEST_F(BatchRun, NeverReplacesWhatIsNoVolume) {
  make_scans(2);
  std::filesystem::copy(folder_ / "scans/s001/scan_0001.tif", folder_ / "s000.h5");
  describe("[[job]]\nscan = \"scans/s000\"\n");

  expect_failure("batch jobs.toml --local 1 --restart", 4, {"s000.h5"});

  EXPECT_EQ(shell("cmp scans/s001/scan_0001.tif s000.h5").exit_code, 0);
}

/// Whatever a pattern matches, what the batch or another made is no scan.
TEST_F(BatchRun, TakesNoProductForAScan) {
  make_scans(2);
  std::filesystem::rename(folder_ / "scans/s000", folder_ / "Cell01");
  std::filesystem::rename(folder_ / "scans/s001", folder_ / "Cell02");
  for (const char* jobs :
       {"[[job]]\nscan = \"Cell*\"\n", "[[job]]\nscan = \"*\"\n",
        "output = \"Cells\"\n[[job]]\nscan = \"C*\"\n",
        "output = \"Cell/in/it\"\n[[job]]\nscan = \"./C*/\"\n", "[[job]]\nscan = \"Cell*\"\nshares = 2\n",
        "[[job]]\nscan = \"Cell01\"\noutput = \"Cell01/Cell.h5\"\nname = \"one\"\n[[job]]\nscan = "
        "\"Cell*\"\n"}) {
    (void)shell("rm -rf Cell Cells Cell01/Cell.* *.*");
    std::ofstream(folder_ / "Cell.toml") << "[[job]]\nscan = \"Cell01\"\nname = \"Cell-other\"\n";
    if (std::string(jobs).find("\"*\"") == std::string::npos) expect_success("batch Cell.toml --local 1");
    describe(jobs);
    if (std::string(jobs).find("\"*\"") != std::string::npos) (void)shell("rm Cell.toml; rmdir scans");

    expect_success("batch jobs.toml --local 2");
    const auto before = everything();
    const std::size_t volumes = status().size();
    expect_success("batch jobs.toml --local 2");

    EXPECT_EQ(everything(), before) << jobs;
    EXPECT_EQ(volumes, std::string(jobs).find("one") == std::string::npos ? 2U : 3U) << jobs << status();
    std::ofstream(folder_ / "Cell01.h5.partial") << "of a run that goes on";
    std::ofstream(folder_ / "Cell01.h5.journal") << "of a run that goes on";
    std::ofstream(folder_ / "Cell01.h5.plan") << "of its shares";
    EXPECT_EQ(status().size(), volumes) << jobs << status();
  }
}

TEST_F(BatchRun, TellsScansFromVolumesOfTheSameKindOfFile) {
  make_scans(1);
  expect_success("convert scans/s000 cell1.h5 --format nxtomo");
  describe("[[job]]\nscan = \"*.h5\"\n");
  expect_failure("batch jobs.toml --local 1", 2, {"in the place of the scan", "cell1.h5"});
  describe("[[job]]\nscan = \"cell*\"\noutput = \"cell2.h5\"\n");

  expect_success("batch jobs.toml --local 1");
  std::ofstream(folder_ / "cell2.xmf") << "of the volume";
  std::ofstream(folder_ / "cell2.toml") << "# feldspar recon --config THIS -o OUT.h5 repeats it\n";
  const auto before = everything();
  expect_success("batch jobs.toml --local 1");

  EXPECT_EQ(everything(), before);
  std::filesystem::remove(folder_ / "cell1.h5");
  expect_failure("batch jobs.toml --local 1", 2, {"no file but what reconstructions made"});
}

TEST_F(BatchRun, TakesAnyCharacterInAnyName) {
  const std::string odd = "it's \"$HOME\"; `id` #\u00fc \\ %j\n-x\t";
  make_scans(1);
  std::filesystem::create_directory(folder_ / odd);
  std::filesystem::rename(folder_ / "scans/s000", folder_ / odd / odd);
  std::ofstream(folder_ / odd / (odd + ".toml"))
      << "output = '''out " << odd << "'''\n[[job]]\nscan = '''" << odd
      << "'''\n[[job]]\nshares = 2\nname = \"-dash\"\nscan = '''" << odd << "'''\n";

  expect_success("batch ./*/*.toml --local 2");

  EXPECT_TRUE(has(odd + "/out " + odd + "/" + odd + ".h5"));
  EXPECT_TRUE(has(odd + "/out " + odd + "/-dash.h5"));
  expect_success("batch task --threads=1 -- ./*/*.toml -dash.part-1-of-2");
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
  refuses("[[job]]\nscan = \"scans/s000\"\noutput = \"a\\u0000b\"\n", {"output", "code 0"});
  refuses(
      "[[job]]\nscan = \"scans/s000\"\nname = \"a\"\nshares = 2\n"
      "[[job]]\nscan = \"scans/s001\"\nname = \"a.part-1-of-2\"\n",
      {"a.part-1-of-2", "taken"});
  refuses("", {"[[job]]"});
  refuses("[[job\n", {"jobs.toml: line 1"});
  describe("[[job]]\nscan = \"scans/s000\"\n");
  expect_failure("batch jobs.toml", 2, {"--local", "--slurm"});
  expect_failure("batch none.toml --local 1", 4, {"none.toml"});
}

}  // namespace
}  // namespace feldspar
