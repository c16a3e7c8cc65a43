// What a batch hands to Slurm, with a Slurm that shell scripts play: any name, arrays as large as the cluster
// takes, and tasks that it lost.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <fstream>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

class BatchCluster : public testing::ProgramFolder {
 protected:
  void SetUp() override {
    expect_success("simulate markers --columns 16 --rows 32 --pitch 12mm --views 16 --name scan -o scan");
    script("scontrol", "test -n \"$MOST\" && echo \"MaxArraySize            = $MOST\"");
    script("squeue",
           "test ! -e \"$STATE/down\" && cat \"$STATE\"/queue 2>/dev/null; test ! -e \"$STATE/down\"");
    // Takes an array of $TAKES tasks at most, writes its words into a file, and does the tasks at once.
    script("sbatch",
           "test \"$1\" != --version || exit 0\n"
           "id=$(($(ls \"$STATE\" | grep -c words) + 1)); last=0; array=\n"
           "for word; do case $word in --array=0-*) array=y; last=${word#--array=0-};; esac; done\n"
           "test $((last + 1)) -le ${TAKES:-100000} || { echo 'sbatch: error: Invalid job array "
           "specification' >&2; "
           "exit 1; }\n"
           "printf '%s\\0' \"$@\" > \"$STATE/words-$id\"; echo \"sbatch: a word of the site\" >&2\n"
           "script=${@: -1}\n"
           "for ((n = 0; n <= last; ++n)); do\n"
           "  test -n \"$LOSES\" || SLURM_ARRAY_TASK_ID=${array:+$n} bash \"$script\" >>\"$STATE/log\" 2>&1\n"
           "done; echo $id");
  }
  void script(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(folder_ / "bin");
    std::filesystem::create_directories(folder_ / "state");
    std::ofstream(folder_ / "bin" / name) << "#!/bin/bash\n" << text << "\n";
    std::filesystem::permissions(folder_ / "bin" / name, std::filesystem::perms::all);
  }
  [[nodiscard]] testing::Outcome batch(const std::string& arguments,
                                       const std::string& variables = {}) const {
    return run("batch " + arguments, "STATE=$PWD/state PATH=$PWD/bin:$PATH " + variables);
  }
  void describe(const std::string& text) const { std::ofstream(folder_ / "jobs.toml") << text; }
  /// A description of so many jobs on the same scan.
  void describe(int jobs, const std::string& more) const {
    std::string text = more;
    for (int n = 0; n < jobs; ++n) text += fmt::format("[[job]]\nscan = \"scan\"\nname = \"j{}\"\n", n);
    describe(text);
  }
  /// The words of all submissions, those of one on a line.
  [[nodiscard]] std::string words() const {
    return shell("for n in state/words-*; do tr '\\0' ' ' < $n; echo; done").output;
  }
};

TEST_F(BatchCluster, MakesNoArrayLargerThanTheClusterTakes) {
  describe(5, "[slurm]\ncpus = 1\n");

  const testing::Outcome outcome = batch("jobs.toml --slurm", "MOST=2");

  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_EQ(shell("grep -c . state/words-* | wc -l").output, "3\n") << words();
  EXPECT_EQ(shell("grep -ac 'array=0-1' state/words-1").output, "1\n") << words();
  EXPECT_EQ(words().find("array=0-2"), std::string::npos) << words();
  for (int n = 0; n < 5; ++n) EXPECT_TRUE(has(fmt::format("j{}.h5", n))) << shell("cat state/log").output;
}

TEST_F(BatchCluster, HalvesAnArrayThatIsRefusedWhereTheLargestCannotBeAsked) {
  describe(5, "[slurm]\ncpus = 1\n");

  const testing::Outcome outcome = batch("jobs.toml --slurm", "TAKES=1");

  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("MaxArraySize"), std::string::npos) << outcome.output;
  for (int n = 0; n < 5; ++n) EXPECT_TRUE(has(fmt::format("j{}.h5", n))) << shell("cat state/log").output;
}

TEST_F(BatchCluster, HandsOverAnyNameAndAnyOption) {
  const std::string odd =
      "it's \"$HOME\"; touch injected #\u00fc \\ %j\r\ntouch injected\n#SBATCH --hold\n-x\t";
  std::filesystem::create_directory(folder_ / odd);
  std::filesystem::rename(folder_ / "scan", folder_ / odd / odd);
  std::ofstream(folder_ / odd / (odd + ".toml"))
      << "[slurm]\ncpus = 1\noptions = [\"-p gpu\", \"--comment=two words\"]\n"
      << "[[job]]\nname = \"-dash\"\nscan = \"it's*\"\n[[job]]\nname = \"--\"\nshares = 2\nscan = "
         "\"it's*\"\n";

  const testing::Outcome outcome = batch("./*/*.toml --slurm", "MOST=1001");

  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_TRUE(has(odd + "/-dash.h5")) << shell("cat state/log").output;
  EXPECT_TRUE(has(odd + "/--.h5")) << shell("cat state/log").output;
  EXPECT_EQ(shell("find . -name injected").output, "");
  EXPECT_EQ(shell("grep -rla '^#SBATCH' --include=*.sbatch .").output, "");
  EXPECT_EQ(shell("tr '\\0\\n' '\\n_' < state/words-1 | grep -A1 -x -e -p | tr '\\n' ' '").output, "-p gpu ");
  EXPECT_NE(words().find("--comment=two words"), std::string::npos) << words();
}

TEST_F(BatchCluster, NamesATaskThatTheClusterLost) {
  describe(2, "[slurm]\ncpus = 1\n");
  ASSERT_EQ(batch("jobs.toml --slurm", "MOST=10 LOSES=1").exit_code, 0);
  std::ofstream(folder_ / "state/queue") << "1_1|PENDING|Resources\n";

  const std::string status = batch("status jobs.toml").output;

  EXPECT_NE(status.find("Slurm no longer has it: it was job 1_0"), std::string::npos) << status;
  EXPECT_NE(status.find("PENDING (Resources)"), std::string::npos) << status;
  EXPECT_NE(status.find("1 interrupted, 1 waiting"), std::string::npos) << status;
}

TEST_F(BatchCluster, SubmitsNothingTwiceWhenTheQueueDoesNotAnswer) {
  describe(1, "[slurm]\ncpus = 1\n");
  ASSERT_EQ(batch("jobs.toml --slurm", "LOSES=1").exit_code, 0);
  std::ofstream(folder_ / "state/down") << "for maintenance";

  const testing::Outcome outcome = batch("jobs.toml --slurm", "LOSES=1");

  EXPECT_EQ(outcome.exit_code, 4) << outcome.output;
  EXPECT_NE(outcome.output.find("squeue"), std::string::npos) << outcome.output;
  EXPECT_FALSE(has("state/words-2"));
}

TEST_F(BatchCluster, MakesAllAgainOnlyWhenNothingIsQueued) {
  describe("[slurm]\ncpus = 1\n[[job]]\nscan = \"scan\"\nname = \"v\"\nshares = 2\n");
  ASSERT_EQ(batch("jobs.toml --slurm").exit_code, 0);
  const auto before = voxels("v.h5");
  describe(
      "[settings]\nwindow = \"hann\"\n[slurm]\ncpus = 1\n[[job]]\nscan = \"scan\"\nname = \"v\"\nshares = "
      "2\n");
  std::ofstream(folder_ / "state/queue") << "1_1|PENDING|Resources\n";

  const testing::Outcome refused = batch("jobs.toml --slurm --restart");
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_NE(refused.output.find("1_1"), std::string::npos) << refused.output;
  EXPECT_EQ(voxels("v.h5"), before);

  std::filesystem::remove(folder_ / "state/queue");
  ASSERT_EQ(batch("jobs.toml --slurm --restart").exit_code, 0);
  EXPECT_NE(voxels("v.h5"), before) << shell("cat state/log").output;
}

}  // namespace
}  // namespace feldspar
