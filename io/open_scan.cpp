// The registry of formats, and the search for the one that a file or folder belongs to.
#include "io/open_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>

#include "base/error.hpp"
#include "io/hdf5/exchange_source.hpp"
#include "io/hdf5/nxtomo_source.hpp"
#include "io/nikon/nikon_source.hpp"
#include "io/rtk/rtk_source.hpp"
#include "io/scan_format.hpp"
#include "io/stack/stack_source.hpp"
#include "io/vendors/nsi_project.hpp"
#include "io/vendors/phoenix_pca.hpp"
#include "io/vendors/skyscan_log.hpp"
#include "io/vendors/xre_settings.hpp"
#include "io/zeiss/txrm_source.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;

/// Asked in this order: the first that recognises a file gets it.
constexpr std::array formats{
    &nikon::format, &zeiss::format,        &stack::format,        &exchange_format,
    &nxtomo_format, &vendors::phoenix_pca, &vendors::skyscan_log, &vendors::xre_settings,
    &rtk::format,   &vendors::nsi_project,
};

struct Found {
  const ScanFormat* format = nullptr;
  fs::path path;
};

std::string names_of_formats() {
  std::string names;
  for (const ScanFormat* format : formats) names += (names.empty() ? "" : ", ") + std::string(format->name);
  return "readers exist for: " + names +
         "; a folder of TIFFs needs a scan.toml, which `feldspar template` prints";
}

FileStart start_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(ErrorKind::io, fmt::format("{}: cannot be opened", path.string()));
  FileStart file{path, std::string(4096, '\0')};
  stream.read(file.bytes.data(), static_cast<std::streamsize>(file.bytes.size()));
  if (stream.bad()) throw Error(ErrorKind::io, fmt::format("{}: cannot be read", path.string()));
  file.bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return file;
}

const ScanFormat* format_of(const FileStart& file) {
  for (const ScanFormat* format : formats)
    if (format->recognises(file)) return format;
  return nullptr;
}

/// Thousands of images beside a scan need not be opened to know that they describe none; and "._name" is
/// what a Mac leaves beside "name".
bool may_describe_a_scan(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  constexpr std::array images{".tif", ".tiff", ".raw", ".png", ".jpg", ".bmp", ".partial"};
  return !path.filename().string().starts_with("._") &&
         std::find(images.begin(), images.end(), extension) == images.end();
}

/// The files in `folder` that describe scans, the shortest name first: copies add to the original's name.
std::vector<Found> scans_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (may_describe_a_scan(entry->path()) && entry->is_regular_file(error)) files.push_back(entry->path());
  if (error)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be read: {}", folder.string(), error.message()));
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    const std::size_t length_a = a.native().size(), length_b = b.native().size();
    return length_a != length_b ? length_a < length_b : a < b;
  });
  std::vector<Found> found;
  for (const fs::path& file : files)
    if (const ScanFormat* format = format_of(start_of(file))) found.push_back({format, file});
  return found;
}

std::unique_ptr<ScanSource> open_folder(const fs::path& folder, const OpenOptions& options) {
  const std::vector<Found> found = scans_in(folder);
  if (found.empty())
    throw Error(ErrorKind::unsupported,
                fmt::format("{}: no scan was found in this folder; {}", folder.string(), names_of_formats()));
  const ScanFormat& format = *found.front().format;
  if (found.size() == 1) return format.open(found.front().path, options);
  std::vector<fs::path> paths;
  std::string names;
  bool same_format = true;
  for (const Found& scan : found) {
    same_format = same_format && scan.format == &format;
    paths.push_back(scan.path);
    if (paths.size() <= 5) names += (names.empty() ? "" : ", ") + scan.path.filename().string();
  }
  if (same_format && format.choose) return format.choose(paths, options);
  throw Error(ErrorKind::usage,
              fmt::format("{}: holds {} scans ({}{}); give the file that is meant instead of the folder",
                          folder.string(), found.size(), names, found.size() > 5 ? ", ..." : ""));
}

std::unique_ptr<ScanSource> open_file(const fs::path& path, const OpenOptions& options) {
  if (const ScanFormat* format = format_of(start_of(path))) return format->open(path, options);
  const std::vector<Found> beside = scans_in(path.has_parent_path() ? path.parent_path() : fs::path("."));
  if (!beside.empty())
    throw Error(ErrorKind::unsupported,
                fmt::format("{}: is no scan by itself; give {} beside it, or their folder", path.string(),
                            beside.front().path.filename().string()));
  throw Error(ErrorKind::unsupported,
              fmt::format("{}: no reader knows this file; {}", path.string(), names_of_formats()));
}

}  // namespace

std::unique_ptr<ScanSource> open_scan(const fs::path& path, const OpenOptions& options) {
  if (options.angles != "auto" && options.angles != "nominal" && options.angles != "file")
    throw Error(
        ErrorKind::usage,
        fmt::format("the angles are to be \"{}\", but auto, nominal or file was expected", options.angles),
        {{"angles", "auto"}});
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status))
    throw Error(ErrorKind::io,
                fmt::format("{}: {}", path.string(), error ? error.message() : "there is no such file"));
  if (fs::is_directory(status)) return open_folder(path, options);
  if (!fs::is_regular_file(status))
    throw Error(ErrorKind::bad_file, fmt::format("{}: is neither a file nor a folder", path.string()));
  return open_file(path, options);
}

}  // namespace feldspar::io
