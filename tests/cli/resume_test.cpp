// Runs that are killed at random moments and gone on with: the volume is the one of a run that nothing hit.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <random>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

class Resume : public testing::ProgramFolder {
 protected:
  /// A scan that is reconstructed in many slabs, one after the other.
  void SetUp() override {
    expect_success("simulate markers --columns 48 --rows 48 --pitch 4.2mm --views 60 -o scan");
  }
  [[nodiscard]] static std::string with_fault(const std::string& fault) {
    return "FELDSPAR_FAULT='" + fault + "' LD_PRELOAD='" FELDSPAR_FAULT_SHIM "'";
  }
  static constexpr const char* command =
      "recon scan -o v.h5 --resume --threads 1 --memory 69.4MiB --axis-offset metadata --verify off --size "
      "48,48,96";
};

TEST_F(Resume, EndsInTheSameBitsWheneverARunIsKilled) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  expect_success(command);
  const double whole = std::chrono::duration<double>(Clock::now() - start).count();
  const auto expected = voxels("v.h5");
  std::mt19937 random(20261123);
  std::uniform_real_distribution<double> moment(0, whole);

  int killed = 0;
  for (int n = 0; n < FELDSPAR_KILLS; ++n) {
    std::filesystem::remove(folder_ / "v.h5");
    std::string moments;
    for (int kill = 0; kill <= n % 3 && !has("v.h5"); ++kill) {
      const double after = moment(random);
      moments += fmt::format(" {:.4f}", after);
      killed += run(command, fmt::format("timeout -s KILL {:.4f}", after)).exit_code == 137;
    }
    const auto left = has("v.h5.journal");
    const testing::Outcome last = run(command);
    ASSERT_EQ(last.exit_code, 0) << last.output << " after kills at" << moments << " s";
    ASSERT_EQ(voxels("v.h5") == expected, true)
        << "after kills at" << moments << " s, journal left: " << left;
    EXPECT_FALSE(has("v.h5.partial") || has("v.h5.journal")) << moments;
  }
  EXPECT_GT(killed, 0);
}

/// Killed before each call that brings something to the disk, or before each so-and-so-manyth of them.
TEST_F(Resume, EndsInTheSameBitsWhicheverStepOfWritingIsTheLast) {
  expect_success(command);
  const auto expected = voxels("v.h5");
  constexpr int step = FELDSPAR_KILLS < 50 ? 9 : 1;

  for (const char* call : {"fsync .partial", "fsync .journal", "write .journal", "pwrite .partial"}) {
    const std::string words = call, name = words.substr(0, words.find(' ')),
                      path = words.substr(words.find(' '));
    const int stride = name == "pwrite" ? 7 * step : step;
    for (int n = 0; n < 1000; n += stride) {
      std::filesystem::remove(folder_ / "v.h5");
      if (run(command, with_fault(fmt::format("{} KILL {} 1{}", name, n, path))).exit_code == 0) {
        ASSERT_GT(n, 0) << call;
        break;
      }
      const testing::Outcome last = run(command);
      ASSERT_EQ(last.exit_code, 0) << last.output << " after a kill at " << call << ' ' << n;
      ASSERT_TRUE(voxels("v.h5") == expected) << "after a kill at " << call << ' ' << n;
      ASSERT_FALSE(has("v.h5.partial") || has("v.h5.journal")) << call << ' ' << n;
    }
  }
}

TEST_F(Resume, IsRefusedWhenInputsOrOptionsChanged) {
  const testing::Outcome stopped = run(command, with_fault("pwrite ENOSPC 40 1000000 .partial"));
  ASSERT_EQ(stopped.exit_code, 4) << stopped.output;
  ASSERT_TRUE(has("v.h5.journal")) << stopped.output;

  expect_failure(std::string(command) + " --window hann", 2, {"v.h5.journal", "other inputs, options"});
  const auto image = folder_ / "scan/markers_0030.tif";
  const auto time = std::filesystem::last_write_time(image);
  const auto change_byte = [&] {
    std::fstream file(image, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(2000);
    const char other = static_cast<char>(~file.get());
    file.seekp(2000);
    file.put(other);
    file.close();
    std::filesystem::last_write_time(image, time);
  };
  change_byte();  // which leaves size and time as they were
  expect_failure(command, 2, {"v.h5.journal", "other inputs, options"});
  change_byte();
  EXPECT_EQ(run(command, with_fault("pwrite ENOSPC 12 1000000 .partial")).exit_code, 4);
  std::ofstream(folder_ / "scan/markers_0001.tif", std::ios::app) << "x";
  expect_failure(command, 2, {"v.h5.journal", "other inputs, options"});
}

}  // namespace
}  // namespace feldspar
