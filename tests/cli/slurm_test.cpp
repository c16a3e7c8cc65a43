// A batch on a real Slurm of one node, which the test starts and stops itself; a task is requeued on the way.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

class Slurm : public testing::ProgramFolder {
 protected:
  void SetUp() override {
    if (shell("PATH=$PATH:/usr/sbin command -v slurmctld slurmd munged sbatch scontrol").exit_code != 0 ||
        shell(
            "PATH=$PATH:/usr/sbin; for p in slurmctld slurmd munged sbatch; do command -v $p || exit 1; done")
                .exit_code != 0)
      GTEST_SKIP() << "needs the packages slurmctld, slurmd, slurm-client and munge";
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to start Slurm's daemons";
    started_ = true;
    const testing::Outcome up = shell(node("up"));
    if (up.exit_code != 0) GTEST_SKIP() << "this machine lets no Slurm start: " << up.output;
  }
  void TearDown() override {
    if (started_) (void)shell(node("down"));
  }
  [[nodiscard]] static std::string node(const std::string& command) {
    return "PATH=$PATH:/usr/sbin '" FELDSPAR_SOURCE_DIR "/tests/support/slurm_node' " + command + " slurm";
  }
  [[nodiscard]] testing::Outcome with_slurm(const std::string& arguments) const {
    return run(arguments, "SLURM_CONF=$PWD/slurm/slurm.conf");
  }
  [[nodiscard]] testing::Outcome slurm(const std::string& command) const {
    return shell("export SLURM_CONF=$PWD/slurm/slurm.conf; " + command);
  }
  /// True once `command` succeeds, within `seconds`.
  [[nodiscard]] bool comes(const std::string& command, int seconds) const {
    for (int n = 0; n < 10 * seconds; ++n) {
      if (slurm(command).exit_code == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }
  bool started_ = false;
};

TEST_F(Slurm, JoinsTheVolumeThoughATaskWasKilledAndRequeued) {
  expect_success("simulate markers --columns 64 --rows 64 --pitch 3.2mm --views 300 -o scan");
  expect_success("recon scan -o expected.h5 --size 240,240,240 --device reference --views 0:300:5");
  std::ofstream(folder_ / "bad.xtekct") << "garbage";
  std::ofstream(folder_ / "jobs.toml")
      << "[slurm]\ncpus = 1\nmemory = \"110MiB\"\n[settings]\nsize = \"240,240,240\"\ndevice = "
         "\"reference\"\nviews = "
         "\"0:300:5\"\n"
         "[[job]]\nscan = \"scan\"\nname = \"v\"\nshares = 2\n[[job]]\nscan = \"bad.xtekct\"\n";
  const testing::Outcome submitted = with_slurm("batch jobs.toml --slurm");
  ASSERT_EQ(submitted.exit_code, 0) << submitted.output;

  ASSERT_TRUE(comes("grep -q '^[0-9]' v.part-1-of-2.h5.journal", 60))
      << slurm("squeue; tail -n 5 jobs.batch/*.log").output;
  const std::string ids = slurm("squeue -h -r -t R -o %A | tr '\\n' ' '").output;
  const testing::Outcome requeued = slurm("for id in " + ids + "; do scontrol requeue $id; done");
  ASSERT_EQ(requeued.exit_code, 0) << ids << requeued.output;
  // Slurm lets a requeued task wait two minutes unless it is told that it may begin.
  ASSERT_TRUE(comes("squeue -h -o %T | grep -q PENDING; for id in " + ids +
                        "; do scontrol update jobid=$id starttime=now || exit 1; done",
                    30));
  ASSERT_TRUE(comes("test -e v.h5 && test -z \"$(squeue -h)\"", 240))
      << slurm("squeue; tail -n 3 jobs.batch/*.log; tail slurm/log/*").output;

  EXPECT_TRUE(voxels("v.h5") == voxels("expected.h5"));
  EXPECT_EQ(shell("grep -l 'going on' jobs.batch/v.part-*.log").exit_code, 0);
  const testing::Outcome status = with_slurm("batch status jobs.toml");
  EXPECT_NE(status.output.find("1 of 2 volumes done, 1 failed"), std::string::npos) << status.output;
  EXPECT_NE(status.output.find("bad.xtekct"), std::string::npos) << status.output;
}

}  // namespace
}  // namespace feldspar
