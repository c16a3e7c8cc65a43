// A folder in which the program is called, and the volumes that come out of it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "io/hdf5/volume_file.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::testing {

class ProgramFolder : public ::testing::Test {
 protected:
  /// `feldspar -q ARGUMENTS` inside the folder, after `before`: variables, limits, "timeout 1". The output is
  /// what went to stdout and stderr.
  [[nodiscard]] Outcome run(const std::string& arguments, const std::string& before = {}) const {
    return shell(before + " " + quoted_program(FELDSPAR_PROGRAM) + " -q " + arguments);
  }
  [[nodiscard]] Outcome shell(const std::string& command) const {
    return run_shell("cd '" + folder_.path().string() + "' && { " + command + " ; } 2>&1");
  }
  void expect_success(const std::string& arguments) const {
    const Outcome outcome = run(arguments);
    ASSERT_EQ(outcome.exit_code, 0) << arguments << ": " << outcome.output;
  }
  void expect_failure(const std::string& arguments, int code, const std::vector<std::string>& words) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, code) << arguments << ": " << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << word << " in: " << outcome.output;
  }
  [[nodiscard]] bool has(const std::string& name) const { return std::filesystem::exists(folder_ / name); }
  [[nodiscard]] std::vector<float> voxels(const std::string& file) const {
    const io::VolumeReader reader(folder_ / file);
    const auto& g = reader.grid();
    const auto box = reader.read(0, g.nx, 0, g.ny, 0, g.nz);
    return {box.view().values().begin(), box.view().values().end()};
  }
  TempFolder folder_;
};

}  // namespace feldspar::testing
