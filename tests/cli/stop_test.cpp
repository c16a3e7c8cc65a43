// The program and its children, asked to stop by every signal that a terminal or a cluster sends: nothing
// goes on, nothing finished is lost, and the same command goes on later.
#include <gtest/gtest.h>
#include <sched.h>

#include <fstream>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

class Stop : public testing::ProgramFolder {
 protected:
  void SetUp() override {
    expect_success("simulate markers --columns 48 --rows 48 --pitch 4.2mm --views 60 -o scan");
  }
  /// Starts the program, which waits before `fault`; when `ready` succeeds, does `then`, in which $pid is the
  /// program's; lets it go on, and prints its exit code.
  [[nodiscard]] std::string interrupt(const std::string& arguments, const std::string& fault,
                                      const std::string& ready, const std::string& then) const {
    (void)shell("rm -rf v.h5.* jobs.batch");
    std::ofstream(folder_ / "held") << "the program waits while this is there";
    return shell("export FELDSPAR_FAULT_WHILE=$PWD/held; FELDSPAR_FAULT='" + fault +
                 "' LD_PRELOAD='" FELDSPAR_FAULT_SHIM "' " + testing::quoted_program(FELDSPAR_PROGRAM) +
                 " -q " + arguments + " >said 2>&1 & pid=$!; for n in $(seq 600); do { " + ready +
                 "; } >/dev/null 2>&1 && ready=1 && break; sleep .1; done; test -z \"$ready\" || { " + then +
                 "; } >/dev/null 2>&1; rm held; wait $pid 2>/dev/null; echo $?")
        .output;
  }
  /// Processes that still work on this folder; waits for their end for a while.
  [[nodiscard]] std::string left_behind() const {
    return shell(
               "for n in $(seq 100); do pgrep -f \"confi[g] $PWD/jobs.batch\" >/dev/null || break; sleep .1; "
               "done; pgrep -af \"confi[g] $PWD/jobs.batch\"")
        .output;
  }
  static constexpr const char* options =
      "--threads 1 --memory 69.4MiB --verify off --axis-offset metadata --size 48,48,96";
  static constexpr const char* held_slab = "fsync WAIT 2 1 v.h5.partial";
  static constexpr const char* listens = "grep 'SigCgt.*[4-7c-f]...$' /proc/$pid/status";  // to SIGTERM
  static constexpr const char* slab_is_done = "grep '^[0-9]' v.h5.journal";
};

TEST_F(Stop, IsCleanHoweverOftenATaskIsToldTo) {
  const std::string command = std::string("recon scan -o v.h5 --resume ") + options;
  for (const char* signals :
       {"kill -TERM $pid", "kill -TERM $pid; sleep .1; kill -TERM $pid; kill -TERM $pid",
        "kill -HUP $pid; kill -TERM $pid; kill -HUP $pid"}) {
    EXPECT_EQ(interrupt(command, held_slab, slab_is_done, signals), "7\n")
        << signals << shell("cat said").output;
    EXPECT_TRUE(has("v.h5.journal") && !has("v.h5")) << signals;
  }
  const testing::Outcome last = shell(testing::quoted_program(FELDSPAR_PROGRAM) + " " + command);
  EXPECT_EQ(last.exit_code, 0) << last.output;
  EXPECT_NE(last.output.find("going on"), std::string::npos) << last.output;
}

TEST_F(Stop, EndsAVerification) {
  expect_success("recon scan -o v.h5 --verify off");

  EXPECT_EQ(interrupt("verify v.h5", "pread WAIT 3 1 v.h5", listens, "kill -TERM $pid"), "7\n")
      << shell("cat said").output;
}

TEST_F(Stop, LeavesNoChildBehindWhateverEndsTheBatch) {
  cpu_set_t one;  // so that the batch gives one thread, and the memory is for several slabs
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  std::ofstream(folder_ / "jobs.toml")
      << "[settings]\nsize = \"48,48,96\"\nmemory = \"69.4MiB\"\nverify = "
         "\"off\"\naxis-offset = \"metadata\"\n[[job]]\nscan = \"scan\"\nname = \"v\"\n";
  const auto expect = [&](const std::string& signals, const std::string& code) {
    EXPECT_EQ(interrupt("batch jobs.toml --local 1", held_slab, slab_is_done, signals), code)
        << signals << shell("cat said").output;
    EXPECT_EQ(left_behind(), "") << signals;
    EXPECT_TRUE(has("v.h5.journal") && !has("v.h5")) << signals;
    EXPECT_NE(run("batch status jobs.toml").output.find("1 interrupted"), std::string::npos) << signals;
  };
  expect("kill -HUP $pid", "7\n");
  expect("kill -KILL $pid", "137\n");
  expect("kill -TERM $pid", "7\n");
  // as scancel does: to every process of the step, one of which passes it on
  expect("kill -TERM $pid $(pgrep -P $pid); sleep .1; kill -TERM $pid $(pgrep -P $pid)", "7\n");

  expect_success("batch jobs.toml --local 1");
  EXPECT_EQ(shell("grep -c 'going on' jobs.batch/v.log").output, "1\n");
}

}  // namespace
}  // namespace feldspar
