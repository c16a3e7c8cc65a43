// The program as a shell sees it: exit codes, and what goes to stdout and stderr.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/run_program.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/test_data.hpp"

namespace {

using feldspar::testing::Outcome;

Outcome feldspar(const std::string& arguments) {
  return feldspar::testing::run_shell(feldspar::testing::quoted_program(FELDSPAR_PROGRAM) + " " + arguments);
}

void expect_one_line_with(const Outcome& outcome, const std::string& word) {
  EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
  EXPECT_NE(outcome.output.find(word), std::string::npos) << outcome.output;
}

TEST(Program, SaysItsVersion) {
  const Outcome outcome = feldspar("--version 2>/dev/null");

  EXPECT_EQ(outcome.exit_code, 0);
  expect_one_line_with(outcome, "feldspar ");
}

TEST(Program, ExitsWithTwoWhenTheCommandLineIsWrong) {
  for (const char* arguments :
       {"", "reconn x", "--no-such-option", "recon --no-such-option", "info", "devices extra"}) {
    const Outcome outcome = feldspar(std::string(arguments) + " 2>&1 >/dev/null");

    EXPECT_EQ(outcome.exit_code, 2) << arguments;
    expect_one_line_with(outcome, "--help");
  }
}

TEST(Program, ExitsWithFourAndNamesTheFileThatIsNotThere) {
  const Outcome outcome = feldspar("info /no/such/scan 2>&1 >/dev/null");

  EXPECT_EQ(outcome.exit_code, 4);
  expect_one_line_with(outcome, "/no/such/scan");
}

TEST(Program, ExitsWithFourWhenResultsCannotBeWritten) {
  const Outcome outcome = feldspar("devices 2>&1 >/dev/full");

  EXPECT_EQ(outcome.exit_code, 4);
}

TEST(Program, DescribesASingleImageButDoesNotReconstructIt) {
  FELDSPAR_NEEDS_DATA("zeiss/chip_single.xrm");
  const std::string image = (feldspar::testing::test_data() / "zeiss/chip_single.xrm").string();

  const Outcome info = feldspar(fmt::format("info '{}' 2>&1", image));
  const feldspar::testing::TempFolder folder;
  const Outcome recon =
      feldspar(fmt::format("recon '{}' -o '{}' 2>&1 >/dev/null", image, (folder / "x.h5").string()));

  EXPECT_EQ(info.exit_code, 0) << info.output;
  EXPECT_NE(info.output.find("512 x 512 pixels"), std::string::npos) << info.output;
  EXPECT_NE(info.output.find("single image"), std::string::npos) << info.output;
  EXPECT_EQ(recon.exit_code, 8);
  expect_one_line_with(recon, "single image");
}

TEST(Program, EveryCommandHasHelpWithAnExample) {
  for (const char* command : {"info", "recon", "batch", "batch status", "join", "simulate", "convert",
                              "template", "slice", "devices"}) {
    const Outcome outcome = feldspar(std::string(command) + " --help 2>/dev/null");

    EXPECT_EQ(outcome.exit_code, 0) << command;
    EXPECT_NE(outcome.output.find("xample"), std::string::npos) << outcome.output;
  }
}

TEST(Program, ListsItsDevicesForPrograms) {
  const Outcome outcome = feldspar("devices --json 2>/dev/null");

  const auto devices = nlohmann::json::parse(outcome.output);

  ASSERT_FALSE(devices.empty());
  EXPECT_TRUE(std::any_of(devices.begin(), devices.end(), [](const auto& device) {
    return device["name"].template get<std::string>().starts_with("cpu") && device["usable"] == true;
  })) << outcome.output;
}

}  // namespace
