// The program as a shell sees it: exit codes, and what goes to stdout and stderr.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

namespace {

struct Outcome {
  int exit_code = -1;
  std::string output;
};

/// `arguments` as a shell would take them, with redirections.
Outcome feldspar(const std::string& arguments) {
  Outcome outcome;
  FILE* pipe = popen((std::string("'" FELDSPAR_PROGRAM "' ") + arguments).c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.output.append(buffer.data(), n);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
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

TEST(Program, EveryCommandHasHelpWithAnExample) {
  for (const char* command : {"info", "recon", "simulate", "slice", "devices"}) {
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
