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
    if (shell("PATH=$PATH:/usr/sbin; for p in slurmctld slurmd munged sbatch scontrol; do command -v $p || "
              "exit 1; done")
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
  [[nodiscard]] testing::Outcome with_slurm(const std::string& arguments,
                                            const std::string& also = {}) const {
    return run(arguments, "SLURM_CONF=$PWD/slurm/slurm.conf " + also);
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
  /// What a failure is explained by.
  [[nodiscard]] std::string story() const {
    return slurm("squeue; ls . *; tail -n 5 *.batch/*.log v*.journal; tail slurm/log/*").output;
  }
  bool started_ = false;
};

TEST_F(Slurm, JoinsTheVolumeThoughATaskWasKilledAndRequeued) {
  expect_success("simulate markers --columns 48 --rows 48 --pitch 4.2mm --views 60 -o scan");
  expect_success("recon scan -o expected.h5 --size 160,160,192");
  std::ofstream(folder_ / "bad.xtekct") << "garbage";
  std::ofstream(folder_ / "jobs.toml")
      << "[slurm]\ncpus = 1\n[settings]\nsize = \"160,160,192\"\nmemory = "
         "\"102MiB\"\n[[job]]\nscan = \"scan\"\nname = \"v\"\nshares = 2\n[[job]]\nscan = \"bad.xtekct\"\n";
  std::ofstream(folder_ / "held") << "tasks wait before they vouch for their second slab\n";
  const testing::Outcome submitted =
      with_slurm("batch jobs.toml --slurm",
                 "FELDSPAR_FAULT_WHILE=$PWD/held FELDSPAR_FAULT='fsync WAIT 2 1 .h5.partial' "
                 "LD_PRELOAD='" FELDSPAR_FAULT_SHIM "'");
  ASSERT_EQ(submitted.exit_code, 0) << submitted.output;
  ASSERT_TRUE(comes("grep -q '^[0-9]' v.part-1-of-2.h5.journal", 120)) << story();

  const std::string id =
      slurm("sed -n 's/.*part-1-of-2\": \"\\([0-9_]*\\).*/\\1/p' jobs.batch/slurm.json | tr -d '\\n'").output;
  const testing::Outcome requeued = slurm("scontrol requeue " + id);
  ASSERT_EQ(requeued.exit_code, 0) << id << requeued.output << story();
  // Slurm lets a requeued task wait two minutes unless it is told otherwise; in the same second as the kill,
  // or the next, its node would take the task for the killed one.
  ASSERT_TRUE(comes("squeue -h -j " + id + " -t PD -o %T | grep -q PENDING && scontrol update jobid=" + id +
                        " starttime=now+4",
                    60))
      << story();
  std::filesystem::remove(folder_ / "held");
  ASSERT_TRUE(comes("test -e v.h5 && test -z \"$(squeue -h)\"", 180)) << story();

  EXPECT_TRUE(voxels("v.h5") == voxels("expected.h5"));
  EXPECT_EQ(shell("grep -q 'going on' jobs.batch/v.part-1-of-2.log").exit_code, 0) << story();
  const testing::Outcome status = with_slurm("batch status jobs.toml");
  EXPECT_NE(status.output.find("1 of 2 volumes done, 1 failed"), std::string::npos) << status.output;
  EXPECT_NE(status.output.find("bad.xtekct"), std::string::npos) << status.output;
}

TEST_F(Slurm, TakesAnyNameAndEndsCleanlyWhenItIsCancelled) {
  const std::string odd = "it's \"$HOME\"; #\u00fc \\ %j\r\n#SBATCH --hold\n-x\t";
  expect_success("simulate markers --columns 48 --rows 48 --pitch 4.2mm --views 60 -o scan");
  std::filesystem::create_directory(folder_ / odd);
  std::filesystem::rename(folder_ / "scan", folder_ / odd / odd);
  std::ofstream(folder_ / odd / (odd + ".toml"))
      << "[slurm]\ncpus = 1\n[settings]\nsize = \"160,160,192\"\nmemory = \"102MiB\"\n"
         "[[job]]\nscan = \"it's*\"\nname = \"-dash\"\n";
  std::ofstream(folder_ / "held") << "the task waits before it vouches for its second slab\n";
  const testing::Outcome submitted =
      with_slurm("batch ./*/*.toml --slurm",
                 "FELDSPAR_FAULT_WHILE=$PWD/held FELDSPAR_FAULT='fsync WAIT 2 1 .h5.partial' "
                 "LD_PRELOAD='" FELDSPAR_FAULT_SHIM "'");
  ASSERT_EQ(submitted.exit_code, 0) << submitted.output;
  ASSERT_TRUE(comes("grep -q '^[0-9]' ./*/-dash.h5.journal", 120)) << story();

  (void)slurm("scancel $(squeue -h -o %i)");
  std::filesystem::remove(folder_ / "held");
  ASSERT_TRUE(comes("test -e ./*/*.batch/-dash.outcome && test -z \"$(squeue -h)\"", 60)) << story();
  EXPECT_EQ(slurm("grep -q '\"exit_code\": 7' ./*/*.batch/-dash.outcome").exit_code, 0)
      << slurm("cat ./*/*.batch/*dash.*").output;
  EXPECT_NE(with_slurm("batch status ./*/*.toml").output.find("1 interrupted"), std::string::npos);

  ASSERT_EQ(with_slurm("batch ./*/*.toml --slurm").exit_code, 0);
  ASSERT_TRUE(comes("test -e ./*/-dash.h5 && test -z \"$(squeue -h)\"", 120)) << story();
  EXPECT_EQ(slurm("grep -q 'going on' ./*/*.batch/-dash.log").exit_code, 0) << story();
  EXPECT_EQ(slurm("ls -d ./*/*.batch/slurm.log").exit_code, 0) << "the path has a backslash: one log for all";
}

TEST_F(Slurm, AsksTheClusterForItsLargestArray) {
  expect_success("simulate markers --columns 16 --rows 32 --pitch 12mm --views 16 -o scan");
  std::ofstream jobs(folder_ / "100% jobs.toml");
  jobs << "[slurm]\ncpus = 1\n";
  for (int n = 0; n < 5; ++n) jobs << fmt::format("[[job]]\nscan = \"scan\"\nname = \"v{}\"\n", n);
  jobs.close();
  ASSERT_EQ(slurm("echo MaxArraySize=3 >> slurm/slurm.conf && scontrol reconfigure").exit_code, 0);
  ASSERT_TRUE(comes("scontrol show config | grep -q 'MaxArraySize *= 3'", 20)) << story();

  const testing::Outcome submitted = with_slurm("batch '100% jobs.toml' --slurm");

  EXPECT_EQ(submitted.exit_code, 0) << submitted.output;
  EXPECT_EQ(shell("ls '100% jobs.batch' | grep -c sbatch").output, "2\n");
  EXPECT_TRUE(comes("test $(ls v?.h5 | wc -l) = 5 && test -z \"$(squeue -h)\"", 120)) << story();
  EXPECT_EQ(shell("ls '100% jobs.batch' | grep -c 'slurm-[0-9]*_[0-9].log'").output, "5\n");
}

}  // namespace
}  // namespace feldspar
