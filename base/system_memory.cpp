#include "base/system_memory.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace feldspar {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t no_limit = ~std::uint64_t{0};

fs::path below(const fs::path& root, const fs::path& path) { return root / path.relative_path(); }

/// The number that a file of one number holds; `otherwise` for "max" and where it cannot be read.
std::uint64_t number_in(const fs::path& file, std::uint64_t otherwise) {
  std::ifstream text(file);
  std::uint64_t value = 0;
  return text >> value ? value : otherwise;
}

/// The number behind `key` in a file of lines "key number" or "key: number unit".
std::optional<std::uint64_t> number_behind(const fs::path& file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    std::uint64_t value = 0;
    if (words >> word >> value && (word == key || word == key + ":")) return value;
  }
  return std::nullopt;
}

/// A hierarchy of control groups that limits memory, as it is mounted here.
struct Hierarchy {
  int version = 0;
  std::string root;  ///< which of its groups stands at the mount point
  fs::path mount;
};

/// Spaces and the like stand in mountinfo as octal numbers.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t n = 0; n < text.size(); ++n) {
    const bool octal = text[n] == '\\' && n + 3 < text.size() &&
                       std::all_of(text.begin() + static_cast<std::ptrdiff_t>(n) + 1,
                                   text.begin() + static_cast<std::ptrdiff_t>(n) + 4,
                                   [](char c) { return c >= '0' && c <= '7'; });
    plain += octal ? static_cast<char>(std::stoi(text.substr(n + 1, 3), nullptr, 8)) : text[n];
    if (octal) n += 3;
  }
  return plain;
}

bool has_word(const std::string& list, const std::string& word) {
  std::istringstream words(list);
  for (std::string one; std::getline(words, one, ',');)
    if (one == word) return true;
  return false;
}

/// "36 35 98:0 /group /mount/point rw,... optional... - cgroup2 name rw,memory".
std::vector<Hierarchy> hierarchies(const fs::path& root) {
  std::vector<Hierarchy> found;
  std::ifstream lines(root / "proc/self/mountinfo");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id, parent, device, group, mount, word, type, source, options;
    words >> id >> parent >> device >> group >> mount;
    while (words >> word && word != "-") {
    }
    words >> type >> source >> options;
    if (type == "cgroup2") found.push_back({2, unescaped(group), unescaped(mount)});
    if (type == "cgroup" && has_word(options, "memory"))
      found.push_back({1, unescaped(group), unescaped(mount)});
  }
  return found;
}

/// Which group of the hierarchy this process is in: of lines "4:cpu,memory:/a/b", those of version 2
/// "0::/a/b".
std::string own_group(const fs::path& root, int version) {
  std::ifstream lines(root / "proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (version == 2 ? controllers.empty() : has_word(controllers, "memory")) return line.substr(second + 1);
  }
  return "/";
}

/// What a group leaves; no_limit where it sets none.
std::uint64_t left_by(const fs::path& group, int version) {
  std::uint64_t limit = no_limit, used = 0;
  const char* droppable = "inactive_file";
  if (version == 2) {
    limit = std::min(number_in(group / "memory.max", no_limit), number_in(group / "memory.high", no_limit));
    used = number_in(group / "memory.current", 0);
  } else {
    droppable = "total_inactive_file";
    limit = std::min(number_in(group / "memory.limit_in_bytes", no_limit),
                     number_behind(group / "memory.stat", "hierarchical_memory_limit").value_or(no_limit));
    used = number_in(group / "memory.usage_in_bytes", 0);
  }
  if (limit == no_limit) return no_limit;
  used -= std::min(used, number_behind(group / "memory.stat", droppable).value_or(0));
  return limit - std::min(limit, used);
}

/// What the groups from the process's own up to the one at the mount point leave.
std::uint64_t left_by(const fs::path& root, const Hierarchy& hierarchy) {
  const fs::path top = below(root, hierarchy.mount);
  fs::path inside = own_group(root, hierarchy.version);
  // Within a container the own group may be named as from outside; the mount then shows a part of it.
  fs::path relative = inside.lexically_relative(hierarchy.root);
  if (relative.empty() || *relative.begin() == "..") relative = inside.relative_path();
  fs::path group = (top / relative).lexically_normal();
  std::error_code unseen;
  if (!fs::is_directory(group, unseen)) group = top.lexically_normal();
  std::uint64_t least = no_limit;
  for (fs::path end = top.lexically_normal();; group = group.parent_path()) {
    least = std::min(least, left_by(group, hierarchy.version));
    if (group == end || !group.has_relative_path() || group == group.parent_path()) return least;
  }
}

}  // namespace

std::size_t available_memory(const fs::path& root) {
  std::uint64_t available = std::uint64_t{8} << 30;
  if (const auto kilobytes = number_behind(root / "proc/meminfo", "MemAvailable"))
    available = *kilobytes * 1024;
  for (const Hierarchy& hierarchy : hierarchies(root))
    available = std::min(available, left_by(root, hierarchy));
  return available;
}

ResidentMemory resident_memory() {
  const auto bytes = [](const char* key) {
    return static_cast<std::size_t>(number_behind("/proc/self/status", key).value_or(0)) * 1024;
  };
  return {bytes("VmRSS"), bytes("VmHWM")};
}

void give_freed_memory_back() {
  // The thresholds otherwise grow to 32 MiB, and every thread's heap keeps twice that.
  constexpr int block = 256 << 10, kept = 512 << 10, heaps = 8;
  (void)mallopt(M_MMAP_THRESHOLD, block);
  (void)mallopt(M_TRIM_THRESHOLD, kept);
  (void)mallopt(M_TOP_PAD, 64 << 10);
  (void)mallopt(M_ARENA_MAX, heaps);
}

}  // namespace feldspar
