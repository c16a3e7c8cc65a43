// Faults of the system planted under the program: a clear error and its exit code, nothing that looks
// finished, and a second run that ends in the right bits.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

class Faults : public testing::ProgramFolder {
 protected:
  void SetUp() override {
    expect_success("simulate markers --columns 48 --rows 48 --pitch 4.2mm --views 60 -o scan");
    expect_success(fmt::format(command, "expected"));
  }
  static constexpr const char* command =
      "recon scan -o {}.h5 --resume --threads 1 --memory 69.4MiB --axis-offset metadata --verify off --size "
      "48,48,96";

  [[nodiscard]] testing::Outcome run_with(const std::string& fault) const {
    return run(fmt::format(command, "v"),
               "FELDSPAR_FAULT='" + fault + "' LD_PRELOAD='" FELDSPAR_FAULT_SHIM "'");
  }
  /// How often a run reads from the file.
  [[nodiscard]] int reads_of(const std::string& name) const {
    const testing::Outcome done =
        run(fmt::format(command, "v"), "FELDSPAR_FAULT_LOG=$PWD/log FELDSPAR_FAULT='pread NONE 0 1 " + name +
                                           "' LD_PRELOAD='" FELDSPAR_FAULT_SHIM "'");
    EXPECT_EQ(done.exit_code, 0) << done.output;
    return std::stoi(shell("wc -l < log").output);
  }
  void expect_the_bits() const { EXPECT_TRUE(voxels("v.h5") == voxels("expected.h5")); }

  /// The run fails so; then one without the fault succeeds.
  void expect_recovery(const std::string& fault, int code, const std::vector<std::string>& words) const {
    const testing::Outcome failed = run_with(fault);
    EXPECT_EQ(failed.exit_code, code) << fault << ": " << failed.output;
    EXPECT_NE(failed.output.find("error: "), std::string::npos) << failed.output;
    for (const std::string& word : words)
      EXPECT_NE(failed.output.find(word), std::string::npos) << failed.output;
    EXPECT_FALSE(has("v.h5")) << fault;
    expect_success(fmt::format(command, "v"));
    expect_the_bits();
    std::filesystem::remove(folder_ / "v.h5");
  }
};

TEST_F(Faults, OfReadingEndTheRunWithTheFilesName) {
  expect_recovery("pread EIO 3 1000000 markers_0021.tif", 4, {"markers_0021.tif"});
  expect_recovery("pread END 3 1000000 markers_0021.tif", 3, {"markers_0021.tif"});
  // The last read of the last image: the slabs before it are kept. Which number it has is found by trying.
  int code = 0;
  for (int n = reads_of("markers_0060.tif"); n > 3 && code == 0; --n) {
    std::filesystem::remove(folder_ / "v.h5");
    code = run_with(fmt::format("pread EIO {} 1000000 markers_0060.tif", n)).exit_code;
  }
  EXPECT_EQ(code, 4);
  EXPECT_TRUE(has("v.h5.journal"));
  EXPECT_FALSE(has("v.h5"));
  expect_success(fmt::format(command, "v"));
  expect_the_bits();
}

TEST_F(Faults, OfWritingEndTheRunAndKeepWhatIsDone) {
  expect_recovery("pwrite ENOSPC 40 1000000 .partial", 4, {"v.h5", "No space left"});
  expect_recovery("pwrite EIO 10 1 .partial", 4, {"v.h5"});
  expect_recovery("fsync EIO 3 1 .partial", 4, {"v.h5.partial"});
  expect_recovery("write ENOSPC 2 1 .journal", 4, {"v.h5.journal"});
}

TEST_F(Faults, OfFinishingTheFileCostNoSlab) {
  const auto goes_on = [&](const std::string& fault, int code) {
    const testing::Outcome failed = run_with(fault);
    ASSERT_EQ(failed.exit_code, code) << fault << ": " << failed.output;
    EXPECT_FALSE(has("v.h5")) << fault;
    const testing::Outcome next = shell("'" FELDSPAR_PROGRAM "' " + fmt::format(command, "v"));
    ASSERT_EQ(next.exit_code, 0) << fault << ": " << next.output;
    EXPECT_NE(next.output.find("going on: 96 of 96 slices"), std::string::npos) << fault << next.output;
    expect_the_bits();
    EXPECT_FALSE(has("v.h5.partial") || has("v.h5.journal")) << fault;
    std::filesystem::remove(folder_ / "v.h5");
  };
  // Some of the writes after the last slab, of which there are well over a hundred.
  int late = 0;
  for (int n = 11; n < 1000; n += 37) {
    const std::string fault = fmt::format("pwrite ENOSPC {} 1000000 .h5.partial", n);
    if (run_with(fault).exit_code == 0) break;
    const bool finishing = shell("grep -q '^finishing' v.h5.journal").exit_code == 0;
    (void)shell("rm -f v.h5*");
    if (!finishing) continue;
    ++late;
    goes_on(fault, 4);
  }
  EXPECT_GT(late, 2);
}

TEST_F(Faults, ThatPassCostNothing) {
  for (const char* fault :
       {"pread EINTR 5 3 markers_00", "read EINTR 5 3 markers_00", "pread SHORT 5 9 markers_00",
        "read SHORT 5 9 markers_00", "pwrite SHORT 20 9 .partial", "pwrite EINTR 20 3 .partial",
        "write EINTR 1 2 .journal", "write SHORT 1 2 .journal"}) {
    const testing::Outcome outcome = run_with(fault);
    ASSERT_EQ(outcome.exit_code, 0) << fault << ": " << outcome.output;
    expect_the_bits();
    std::filesystem::remove(folder_ / "v.h5");
  }
}

TEST_F(Faults, OfFileSystemsThatCannotExchangeNamesCostNoFolder) {
  expect_success("simulate markers --columns 24 --rows 24 --pitch 8.4mm --views 30 -o small");
  const auto convert = [&](const std::string& scan, const std::string& fault) {
    return run("convert " + scan + " OUT --format nikon --name n --overwrite",
               fault.empty() ? "" : "FELDSPAR_FAULT='" + fault + "' LD_PRELOAD='" FELDSPAR_FAULT_SHIM "'");
  };
  ASSERT_EQ(convert("small", "").exit_code, 0);
  const std::string digest = "cat OUT/* | sha256sum", names = "ls -A | tr '\\n' ' '";
  const std::string before = shell(digest).output;
  EXPECT_EQ(convert("scan", "exchange EIO 0 9 OUT").exit_code, 4);
  EXPECT_EQ(shell(digest).output, before);
  const testing::Outcome replaced = convert("scan", "exchange EINVAL 0 9 OUT");
  EXPECT_EQ(replaced.exit_code, 0) << replaced.output;
  EXPECT_NE(shell(digest).output, before);
  EXPECT_EQ(shell("ls OUT | grep -c tif").output, "60\n");
  EXPECT_EQ(shell(names).output, "OUT expected.h5 scan small ");
}

TEST_F(Faults, OfMemoryEndTheRunOrMakeItsSlabsSmaller) {
  expect_recovery("alloc ENOMEM 0 1000000 60000", 5, {"memory"});
  for (int n = 0; n < 6; ++n) {
    const testing::Outcome outcome = run_with(fmt::format("alloc ENOMEM {} 1 60000", n));
    EXPECT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 5) << n << ": " << outcome.output;
    EXPECT_EQ(has("v.h5"), outcome.exit_code == 0) << n;
    expect_success(fmt::format(command, "v"));
    expect_the_bits();
    std::filesystem::remove(folder_ / "v.h5");
  }
}

}  // namespace
}  // namespace feldspar
