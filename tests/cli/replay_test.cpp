// Everything found automatically, once: replayed from the stored plan, killed and resumed, and shared over
// three tasks, it comes out in the same bits.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <string>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

class Replay : public testing::ProgramFolder {
 protected:
  static constexpr const char* found =
      "--axis-offset auto --hardening auto --motion auto --roi auto --threads 1 ";

  /// The scan and the first volume are made once.
  void SetUp() override {
    const std::string scan = (made().path() / "scan").string(), volume = (made().path() / "a.h5").string();
    if (!std::filesystem::exists(volume)) {
      expect_success("simulate mj1-26min --scale 1/20 --views 90 --axis-offset 120um --spectrum 205kV -o " +
                     scan);
      expect_success(fmt::format("recon {} -o {} --verify off {}", scan, volume, found));
    }
    std::filesystem::create_directory_symlink(scan, folder_ / "scan");
    std::filesystem::copy_file(volume, folder_ / "a.h5");
  }
  static const testing::TempFolder& made() {
    static const testing::TempFolder folder;
    return folder;
  }
  void expect_the_bits(const std::string& file) const { EXPECT_TRUE(voxels(file) == voxels("a.h5")) << file; }
  /// Everything the program says, which names a search where one is made.
  [[nodiscard]] std::string said(const std::string& arguments) const {
    const testing::Outcome outcome = shell(testing::quoted_program(FELDSPAR_PROGRAM) + " " + arguments);
    EXPECT_EQ(outcome.exit_code, 0) << arguments << ": " << outcome.output;
    return outcome.output;
  }
};

TEST_F(Replay, OfAStoredPlanLooksForNothingAgain) {
  const std::string log = said("recon --config a.h5 -o b.h5 --verify off --threads 2");
  expect_the_bits("b.h5");
  EXPECT_EQ(log.find("looked for again"), std::string::npos) << log;
  const auto line = [](const std::string& text, const std::string& begin) {
    const std::size_t at = text.find(begin);
    return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
  };
  EXPECT_NE(line(log, "axis "), "") << log;
  EXPECT_EQ(line(said("recon --config a.h5 --dry-run"), "axis "), line(log, "axis "));

  // What would be found otherwise does not matter any more: the scan is read as the plan says.
  EXPECT_NE(said("recon --config a.h5 -o c.h5 --verify off --window hann").find("looked for again"),
            std::string::npos);
  EXPECT_FALSE(voxels("c.h5") == voxels("a.h5"));
}

TEST_F(Replay, OfAKilledRunGoesOnByItsPlan) {
  const std::string command = std::string("recon scan -o k.h5 --resume --verify off ") + found;
  const testing::Outcome killed =
      run(command, "FELDSPAR_FAULT='pwrite KILL 20 1 k.h5.partial' LD_PRELOAD='" FELDSPAR_FAULT_SHIM "'");
  ASSERT_EQ(killed.exit_code, 128 + 9) << killed.output;
  EXPECT_TRUE(has("k.h5.plan"));
  EXPECT_FALSE(has("k.h5"));
  // The file of another is left alone, and said.
  ASSERT_EQ(shell("mv k.h5.plan mine && echo precious > k.h5.plan").exit_code, 0);
  expect_failure(command, 4, {"k.h5.plan", "no plan"});
  EXPECT_EQ(shell("cat k.h5.plan && mv mine k.h5.plan").output, "precious\n");
  expect_success(command);
  expect_the_bits("k.h5");
  EXPECT_FALSE(has("k.h5.plan") || has("k.h5.partial") || has("k.h5.journal"));
}

TEST_F(Replay, OfThreeSharesGoesByOnePlan) {
  for (const char* share : {"1/3", "2/3", "3/3"}) {
    expect_success(fmt::format("recon scan -o s.h5 --slabs {} {}", share, found));
    EXPECT_TRUE(has("s.h5.plan")) << share;
  }
  expect_success("join s.part-1-of-3.h5 s.part-2-of-3.h5 s.part-3-of-3.h5 -o s.h5");
  expect_the_bits("s.h5");
  EXPECT_FALSE(has("s.h5.plan"));
}

TEST_F(Replay, OfARunThatIsStillAtWorkLeavesItItsPlan) {
  const std::string again =
      testing::quoted_program(FELDSPAR_PROGRAM) + " -q recon scan -o w.h5 --resume --verify off " + found;
  // The first waits in the middle of its slabs while the second is refused.
  const testing::Outcome outcome = shell(
      fmt::format("touch held; FELDSPAR_FAULT_WHILE=$PWD/held FELDSPAR_FAULT='pwrite WAIT 20 1 w.h5.partial' "
                  "LD_PRELOAD='" FELDSPAR_FAULT_SHIM
                  "' {0} & n=0; until [ -e w.h5.plan -o $n -gt 600 ]; do sleep 0.1; n=$((n+1)); done; "
                  "{0}; echo second $?; [ -e w.h5.plan ] && echo kept; rm held; wait $!; echo first $?",
                  again));
  EXPECT_NE(outcome.output.find("second 4\nkept\nw.h5\nfirst 0\n"), std::string::npos) << outcome.output;
  expect_the_bits("w.h5");
  EXPECT_FALSE(has("w.h5.plan"));
}

TEST_F(Replay, OfAVolumeOfAnEarlierVersionGoesByItsConfiguration) {
  const hid_t file = H5Fopen((folder_ / "a.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  ASSERT_GE(H5Ldelete(file, "entry/reconstruction/plan", H5P_DEFAULT), 0);
  ASSERT_GE(H5Fclose(file), 0);
  expect_success("verify a.h5");
  expect_failure("recon --config a.h5 -o o.h5", 2, {"a.h5", "without a plan", "info --config"});
  ASSERT_EQ(shell(testing::quoted_program(FELDSPAR_PROGRAM) + " info --config a.h5 > o.toml").exit_code, 0);
  expect_success("recon --config o.toml -o o.h5 --verify off");
  expect_the_bits("o.h5");
}

TEST_F(Replay, VerifiesByThePlanToo) {
  expect_success("verify a.h5");
  // A plan that was tampered with is no plan; one of another version is refused with the way out.
  ASSERT_EQ(shell("sed -i 's/version = 1/version = 9/' a.h5").exit_code, 0);
  expect_failure("verify a.h5", 3, {"a.h5", "plan", "another version"});
  expect_failure("recon --config a.h5 -o d.h5", 3, {"a.h5", "plan"});
}

}  // namespace
}  // namespace feldspar
