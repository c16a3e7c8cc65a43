// Folders of scans hold more than projections, under names that have changed since they were written.
#include "io/nikon/projection_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <system_error>

#include "base/error.hpp"
#include "io/numbered_names.hpp"

namespace feldspar::io::nikon {
namespace {

namespace fs = std::filesystem;

/// What one folder holds under one prefix.
struct Candidates {
  fs::path folder;
  std::string prefix;
  std::map<long long, fs::path> by_number;
  std::vector<std::string> others;  ///< image files that are no projection
};

bool is_tiff_name(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == name.npos) return false;
  return same_letters(name.substr(dot), ".tif") || same_letters(name.substr(dot), ".tiff");
}

std::vector<fs::path> sorted_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    files.push_back(entry->path());
  if (error)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be read: {}", folder.string(), error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

/// macOS leaves "._NAME" beside every file it copies; the 180 degree image is CT Pro's own check of the axis.
bool is_silently_ignored(const std::string& name, const std::string& prefix) {
  return name.starts_with("._") || same_letters(name, prefix + "180deg.tif") ||
         same_letters(name, prefix + "180deg.tiff");
}

Candidates look_in(const fs::path& folder, const std::string& prefix) {
  Candidates found{.folder = folder, .prefix = prefix, .by_number = {}, .others = {}};
  for (const fs::path& path : sorted_files(folder)) {
    const std::string name = path.filename().string();
    if (!is_tiff_name(name)) continue;
    const long long number = projection_number(name, prefix);
    if (number < 0) {
      if (!is_silently_ignored(name, prefix)) found.others.push_back(name);
      continue;
    }
    const auto [other, is_new] = found.by_number.emplace(number, path);
    if (!is_new)
      throw Error(ErrorKind::bad_file,
                  fmt::format("{}: {} and {} are both projection {}; move one of them away", folder.string(),
                              other->second.filename().string(), name, number));
  }
  return found;
}

/// Where the projections may be: where the file says, under the last part of a path of another machine,
/// beside it.
std::vector<fs::path> folders_of(const XtekctFile& file) {
  const fs::path own = file.path.has_parent_path() ? file.path.parent_path() : fs::path(".");
  std::string stated = file.text("InputFolderName");
  std::replace(stated.begin(), stated.end(), '\\', '/');
  while (stated.size() > 1 && stated.back() == '/') stated.pop_back();
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& folder) {
    std::error_code ignored;
    if (fs::is_directory(folder, ignored)) folders.push_back(folder);
  };
  if (!stated.empty()) {
    add(own / stated);
    add(own / fs::path(stated).filename());
  }
  add(own);
  return folders;
}

std::vector<std::string> prefixes_of(const XtekctFile& file) {
  const auto separator =
      file.find("XTekCT", "InputSeparator") ? file.text("InputSeparator") : std::string("_");
  std::vector<std::string> prefixes;
  for (const std::string& name : {file.text("InputName"), file.text("Name"), file.path.stem().string()})
    if (!name.empty() && std::find(prefixes.begin(), prefixes.end(), name + separator) == prefixes.end())
      prefixes.push_back(name + separator);
  return prefixes;
}

/// The first place and name under which there are projections. A place or name other than the stated ones is
/// a finding.
Candidates find_candidates(const XtekctFile& file, Findings& findings) {
  const auto folders = folders_of(file);
  const auto prefixes = prefixes_of(file);
  const bool names_folder = !file.text("InputFolderName").empty();
  for (const fs::path& folder : folders)
    for (const std::string& prefix : prefixes) {
      Candidates found = look_in(folder, prefix);
      if (found.by_number.empty()) continue;
      if (names_folder && folder == folders.back())
        findings.push_back(
            {"file.place",
             fmt::format("{}: InputFolderName is \"{}\", which is not there or holds no projection; those in "
                         "{} are used",
                         file.path.filename().string(), file.text("InputFolderName"), folder.string()),
             "InputFolderName"});
      if (prefix != prefixes.front())
        findings.push_back(
            {"file.place",
             fmt::format("{}: there is no projection {}NUMBER.tif; those called {}NUMBER.tif are used",
                         file.path.filename().string(), prefixes.front(), prefix),
             "InputName"});
      return found;
    }
  std::string looked;
  for (const fs::path& folder : folders) looked += (looked.empty() ? "" : " and ") + folder.string();
  throw Error(ErrorKind::io,
              fmt::format("{}: no projection {}NUMBER.tif was found in {}; put the .xtekct beside its "
                          "projections, or name their folder in InputFolderName",
                          file.path.string(), prefixes.front(), looked));
}

/// Throws Error(bad_file) when numbers lie outside 1 .. count + 1.
void check_surplus(const XtekctFile& file, const Candidates& found, int count) {
  std::vector<std::string> surplus;
  for (const auto& [number, path] : found.by_number)
    if (number < 1 || number > count + 1) surplus.push_back(path.filename().string());
  if (!surplus.empty())
    throw Error(
        ErrorKind::bad_file,
        fmt::format(
            "{}: Projections is {}, so that projections 1 to {} were expected, but {} has {} more: {}; "
            "move them away, or correct Projections in a copy of the file",
            file.path.string(), count, count, found.folder.string(), surplus.size(), format_names(surplus)));
}

}  // namespace

long long projection_number(const std::string& name, const std::string& prefix) {
  if (!is_tiff_name(name) || name.size() <= prefix.size()) return -1;
  if (!same_letters(std::string_view(name).substr(0, prefix.size()), prefix)) return -1;
  const std::string_view digits =
      std::string_view(name).substr(prefix.size(), name.rfind('.') - prefix.size());
  long long number = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool all = error == std::errc{} && end == digits.data() + digits.size() && digits.front() != '-';
  return all ? number : -1;
}

ProjectionFiles find_projections(const XtekctFile& file, int count, bool allow_missing) {
  ProjectionFiles result;
  const Candidates found = find_candidates(file, result.findings);
  const std::string scan = file.path.filename().string();
  if (!found.others.empty())
    result.findings.push_back(
        {"files.ignored",
         fmt::format("{}: ignored in {}, because they are no projections {}NUMBER.tif: {} (flat and dark "
                     "images are not needed: Nikon's projections are corrected already)",
                     scan, found.folder.string(), found.prefix, format_names(found.others))});
  check_surplus(file, found, count);
  if (found.by_number.contains(count + 1))
    result.findings.push_back({"views.surplus",
                               fmt::format("{}: {} is one more than the {} projections of the scan; it "
                                           "repeats the first view after the full turn and was dropped",
                                           scan, found.by_number.at(count + 1).filename().string(), count),
                               "Projections"});
  std::vector<int> missing;
  for (int number = 1; number <= count; ++number) {
    const auto at = found.by_number.find(number);
    if (at == found.by_number.end())
      missing.push_back(number);
    else
      result.projections.push_back({at->second, number - 1});
  }
  if (missing.empty()) return result;
  const std::string text = fmt::format("{} of {} projections are missing in {}: {}", missing.size(), count,
                                       found.folder.string(), format_numbers(missing));
  if (!allow_missing)
    throw Error(ErrorKind::bad_file, fmt::format("{}: {}", file.path.string(), text),
                {{"allow-missing", "", "to go on without them, give"}});
  result.findings.push_back(
      {"views.missing", fmt::format("{}: {}; their views are left out", scan, text), "Projections"});
  return result;
}

}  // namespace feldspar::io::nikon
