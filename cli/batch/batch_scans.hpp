// The scans that a pattern of a batch stands for, without what batches and reconstructions left beside them.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

namespace feldspar::cli {

/// What belongs to a batch itself.
struct BatchPlaces {
  std::filesystem::path file;                         ///< its description
  std::filesystem::path folder;                       ///< of its logs
  std::vector<std::filesystem::path> output_folders;  ///< into which its volumes go
};

struct MatchingScans {
  std::vector<std::filesystem::path> scans;     ///< sorted
  std::vector<std::filesystem::path> left_out;  ///< products
};

/// The paths that match `pattern`, whose last component may have wildcards; a path that is there is itself.
/// Products are left out: what carries feldspar's own record of a volume, what a run keeps or writes beside
/// one, descriptions and folders of batches, folders that volumes of this batch go to, and the outputs of
/// tasks that have run: `was_made(path, scan)` tells those of the job that `scan` would be.
[[nodiscard]] MatchingScans scans_matching(
    const std::filesystem::path& pattern, const BatchPlaces& places,
    const std::function<bool(const std::filesystem::path& path, const std::filesystem::path& scan)>&
        was_made);

}  // namespace feldspar::cli
