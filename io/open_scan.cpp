// Which reader a path belongs to; a new format adds its test of the content here and its name to `readers`.
#include "io/open_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "base/error.hpp"
#include "io/hdf5/nxtomo_source.hpp"
#include "io/nikon/nikon_source.hpp"
#include "io/nikon/xtekct.hpp"
#include "io/zeiss/compound_file.hpp"
#include "io/zeiss/txrm_source.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* readers =
    "readers exist for: Nikon X-Tek CT (.xtekct), NeXus NXtomo of a cone beam (.nxs, .h5), "
    "Zeiss Xradia (.txrm)";

bool has_xtekct_name(const fs::path& path) {
  return nikon::same_letters(path.extension().string(), ".xtekct") &&
         !path.filename().string().starts_with("._");
}

/// The scan files of a folder, the shortest name first: CT Pro's copies add to the name of the original.
std::vector<fs::path> xtekcts_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (has_xtekct_name(entry->path()) && entry->is_regular_file(error)) found.push_back(entry->path());
  if (error)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be read: {}", folder.string(), error.message()));
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    const std::size_t length_a = a.native().size(), length_b = b.native().size();
    return length_a != length_b ? length_a < length_b : a < b;
  });
  return found;
}

std::string beginning_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(ErrorKind::io, fmt::format("{}: cannot be opened", path.string()));
  std::string text(4096, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) throw Error(ErrorKind::io, fmt::format("{}: cannot be read", path.string()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

std::unique_ptr<ScanSource> open_folder(const fs::path& folder, const OpenOptions& options) {
  const std::vector<fs::path> xtekcts = xtekcts_in(folder);
  if (!xtekcts.empty()) return nikon::open_nikon(xtekcts, options);
  throw Error(ErrorKind::unsupported,
              fmt::format("{}: no scan was found in this folder; {}", folder.string(), readers));
}

/// Nikon's other trajectories have files of their own, with the same kind of text.
void refuse_other_trajectories(const fs::path& path) {
  for (const char* const extension : {".xtekhelixct", ".xtek2dct"})
    if (nikon::same_letters(path.extension().string(), extension))
      throw Error(ErrorKind::unsupported,
                  fmt::format("{}: {} is no circular cone-beam scan; {}", path.string(), extension, readers));
}

std::unique_ptr<ScanSource> open_file(const fs::path& path, const OpenOptions& options) {
  refuse_other_trajectories(path);
  const std::string beginning = beginning_of(path);
  if (nikon::looks_like_xtekct(beginning) || has_xtekct_name(path)) return nikon::open_nikon(path, options);
  if (zeiss::looks_like_compound_file(beginning)) return zeiss::open_txrm(path, options);
  if (looks_like_hdf5(path)) return open_nxtomo(path, options);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const std::vector<fs::path> beside = xtekcts_in(folder);
  if (!beside.empty())
    throw Error(ErrorKind::unsupported,
                fmt::format("{}: is no scan by itself; give {} beside it, or their folder", path.string(),
                            beside.front().filename().string()));
  throw Error(ErrorKind::unsupported,
              fmt::format("{}: no reader knows this file; {}", path.string(), readers));
}

}  // namespace

std::unique_ptr<ScanSource> open_scan(const fs::path& path, const OpenOptions& options) {
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
