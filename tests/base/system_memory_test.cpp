// What the system and nested control groups leave, on trees of files as the kernel shows them.
#include "base/system_memory.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <vector>

#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

constexpr std::size_t gib = std::size_t{1} << 30;

/// A machine with 64 GiB to give.
class Machine {
 public:
  Machine() { write("proc/meminfo", "MemTotal:       99999999 kB\nMemAvailable:   67108864 kB\n"); }

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }
  /// A group of version 2.
  void group(const std::string& path, const std::string& most, std::size_t used) const {
    write(path + "/memory.max", most + "\n");
    write(path + "/memory.high", "max\n");
    write(path + "/memory.current", std::to_string(used) + "\n");
  }
  /// A group of version 1.
  void old_group(const std::string& path, std::size_t most, std::size_t used) const {
    write(path + "/memory.limit_in_bytes", std::to_string(most) + "\n");
    write(path + "/memory.usage_in_bytes", std::to_string(used) + "\n");
  }
  void mounted(const std::string& lines) const { write("proc/self/mountinfo", lines); }
  void in(const std::string& lines) const { write("proc/self/cgroup", lines); }
  [[nodiscard]] std::size_t available() const { return available_memory(folder_.path()); }

 private:
  testing::TempFolder folder_;
};

std::string bytes(std::size_t count) { return std::to_string(count); }

const std::string version_2 =
    "24 1 0:23 / /proc rw - proc proc rw\n"
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(AvailableMemory, IsWhatTheSystemHasWithoutGroups) {
  const Machine machine;

  EXPECT_EQ(machine.available(), 64 * gib);
}

TEST(AvailableMemory, IsTheLeastThatAnyGroupAroundTheProcessLeaves) {
  const Machine machine;
  machine.mounted(version_2), machine.in("0::/slurm/job_7/step_0/task_3\n");
  machine.group("sys/fs/cgroup/slurm", "max", 50 * gib);
  machine.group("sys/fs/cgroup/slurm/job_7", bytes(16 * gib), 6 * gib);
  machine.group("sys/fs/cgroup/slurm/job_7/step_0", bytes(40 * gib), gib);
  machine.group("sys/fs/cgroup/slurm/job_7/step_0/task_3", "max", gib);

  EXPECT_EQ(machine.available(), 10 * gib);
}

TEST(AvailableMemory, CountsALimitThatSlowsDownAsOneThatKills) {
  const Machine machine;
  machine.mounted(version_2), machine.in("0::/session\n");
  machine.group("sys/fs/cgroup/session", bytes(16 * gib), gib);
  machine.write("sys/fs/cgroup/session/memory.high", bytes(3 * gib));

  EXPECT_EQ(machine.available(), 2 * gib);
}

TEST(AvailableMemory, CountsPageCacheThatCanBeDroppedAsFree) {
  const Machine machine;
  machine.mounted(version_2), machine.in("0::/session\n");
  machine.group("sys/fs/cgroup/session", bytes(8 * gib), 8 * gib);
  machine.write("sys/fs/cgroup/session/memory.stat",
                "anon 5\ninactive_file " + bytes(5 * gib) + "\nslab 1\n");

  EXPECT_EQ(machine.available(), 5 * gib);
}

TEST(AvailableMemory, IsNothingWhereAGroupIsFull) {
  const Machine machine;
  machine.mounted(version_2), machine.in("0::/full\n");
  machine.group("sys/fs/cgroup/full", bytes(gib), gib + 4096);

  EXPECT_EQ(machine.available(), 0u);
}

TEST(AvailableMemory, KnowsVersionOne) {
  const Machine machine;
  machine.mounted(
      "33 24 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
      "34 24 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  machine.in("5:cpu,cpuacct:/elsewhere\n4:memory:/uid_1/job_9\n");
  machine.old_group("sys/fs/cgroup/memory", 0x7ffffffffffff000, 60 * gib);
  machine.old_group("sys/fs/cgroup/memory/uid_1", 12 * gib, 4 * gib);
  machine.old_group("sys/fs/cgroup/memory/uid_1/job_9", 10 * gib, gib);

  EXPECT_EQ(machine.available(), 8 * gib);
}

TEST(AvailableMemory, KnowsTheLimitOfVersionOneThatAHiddenGroupSets) {
  const Machine machine;
  machine.mounted("34 24 0:30 /docker/a1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  machine.in("4:memory:/docker/a1\n");
  machine.old_group("sys/fs/cgroup/memory", 0x7ffffffffffff000, gib);
  machine.write("sys/fs/cgroup/memory/memory.stat", "hierarchical_memory_limit " + bytes(5 * gib) +
                                                        "\ntotal_inactive_file " + bytes(gib / 2) + "\n");

  EXPECT_EQ(machine.available(), 5 * gib - gib / 2);
}

TEST(AvailableMemory, KnowsBothVersionsAtOnce) {
  const Machine machine;
  machine.mounted(
      "30 24 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
      "34 24 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  machine.in("4:memory:/job\n0::/user\n");
  machine.group("sys/fs/cgroup/unified/user", bytes(9 * gib), 0);
  machine.old_group("sys/fs/cgroup/memory/job", 6 * gib, 2 * gib);

  EXPECT_EQ(machine.available(), 4 * gib);
}

TEST(AvailableMemory, FindsTheGroupWithinAContainerThatNamesItFromOutside) {
  for (const char* own : {"0::/machine/pod_1/box\n", "0::/../../elsewhere\n", "0::/\n", "nonsense\n"}) {
    const Machine machine;
    machine.mounted("30 24 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n"), machine.in(own);
    machine.group("sys/fs/cgroup", bytes(2 * gib), gib / 2);

    EXPECT_EQ(machine.available(), gib + gib / 2) << own;
  }
}

TEST(AvailableMemory, FindsAGroupBelowTheOneThatIsMounted) {
  const Machine machine;
  machine.mounted("30 24 0:26 /pod_1 /a\\040place rw - cgroup2 cgroup rw\n"), machine.in("0::/pod_1/box\n");
  machine.group("a place", bytes(32 * gib), 0);
  machine.group("a place/box", bytes(7 * gib), 2 * gib);

  EXPECT_EQ(machine.available(), 5 * gib);
}

TEST(ResidentMemory, IsLessThanItsPeak) {
  const ResidentMemory memory = resident_memory();

  EXPECT_GT(memory.now, std::size_t{1} << 20);
  EXPECT_GE(memory.peak, memory.now);
}

TEST(GivesFreedMemoryBack, WhateverWasInUseBefore) {
  give_freed_memory_back();
  const std::size_t before = resident_memory().now;

  for (int round = 0; round < 3; ++round) {
    std::vector<std::vector<char>> blocks;
    for (int n = 0; n < 32; ++n) blocks.emplace_back(std::size_t{1} << 20, 'x');
  }

  EXPECT_LT(resident_memory().now, before + (std::size_t{4} << 20));
}

}  // namespace
}  // namespace feldspar
