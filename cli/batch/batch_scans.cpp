#include "cli/batch/batch_scans.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "io/hdf5/volume_mark.hpp"

namespace feldspar::cli {
namespace {

namespace fs = std::filesystem;

bool begins_with(const fs::path& file, const std::string& text) {
  std::string start(text.size(), '\0');
  std::ifstream(file, std::ios::binary).read(start.data(), static_cast<std::streamsize>(start.size()));
  return start == text;
}

/// A volume, a part of one, or what lies beside it.
bool is_made_by_recon(const fs::path& path) {
  const fs::path kind = path.extension();
  if (kind == ".partial" || kind == ".journal" || kind == ".plan") return true;
  fs::path volume = path;
  if (kind == ".xmf") return io::is_volume(volume.replace_extension(".h5"));
  if (kind == ".toml") return begins_with(path, "# feldspar recon --config");
  return io::is_volume(path);
}

/// A description or the folder of a batch that has run: jobs.toml and jobs.batch stand side by side.
bool is_of_a_batch(const fs::path& path, const BatchPlaces& places) {
  std::error_code ignored;
  if (fs::equivalent(path, places.file, ignored) || fs::equivalent(path, places.folder, ignored)) return true;
  fs::path other = path;
  if (path.extension() == ".batch")
    return fs::is_directory(path, ignored) && fs::is_regular_file(other.replace_extension(".toml"), ignored);
  return path.extension() == ".toml" && fs::is_directory(other.replace_extension(".batch"), ignored);
}

bool holds(const fs::path& folder, const fs::path& inner) {
  std::error_code ignored;
  const fs::path outside = fs::weakly_canonical(folder, ignored),
                 inside = fs::weakly_canonical(inner / ".", ignored);
  return std::mismatch(outside.begin(), outside.end(), inside.begin(), inside.end()).first == outside.end();
}

bool is_product(const fs::path& path, const BatchPlaces& places) {
  std::error_code ignored;
  if (is_of_a_batch(path, places)) return true;
  if (!fs::is_directory(path, ignored)) return is_made_by_recon(path);
  return std::any_of(places.output_folders.begin(), places.output_folders.end(),
                     [&](const fs::path& folder) { return holds(path, folder); });
}

}  // namespace

MatchingScans scans_matching(const fs::path& pattern, const BatchPlaces& places,
                             const std::function<bool(const fs::path&, const fs::path&)>& was_made) {
  const std::string name = pattern.filename().string();
  std::error_code ignored;
  if (name.find_first_of("*?[") == std::string::npos || fs::exists(pattern, ignored)) return {{pattern}, {}};
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(pattern.parent_path(), ignored), end; !ignored && entry != end;
       entry.increment(ignored))
    if (::fnmatch(name.c_str(), entry->path().filename().c_str(), FNM_PERIOD) == 0)
      found.push_back(entry->path());
  std::sort(found.begin(), found.end());
  MatchingScans matching;
  for (const fs::path& path : found) {
    const bool made = is_product(path, places) ||
                      std::any_of(found.begin(), found.end(),
                                  [&](const fs::path& scan) { return scan != path && was_made(path, scan); });
    (made ? matching.left_out : matching.scans).push_back(path);
  }
  return matching;
}

}  // namespace feldspar::cli
