#include "io/hdf5/dataset_storage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>

#include "base/error.hpp"

namespace feldspar::io::hdf5 {
namespace {

namespace fs = std::filesystem;

constexpr int deepest = 4;  // virtual datasets of virtual datasets

struct FilterName {
  int id;
  const char* name;
};
/// Registered with the HDF Group, as far as detectors and beamlines write them.
constexpr FilterName filter_names[] = {
    {1, "deflate"},        {4, "szip"},
    {307, "bzip2"},        {32000, "LZF, which h5py alone reads without a plugin"},
    {32001, "Blosc"},      {32004, "LZ4"},
    {32008, "bitshuffle"}, {32013, "ZFP"},
    {32015, "Zstandard"},  {32017, "SZ"},
    {32024, "SZ3"},        {32026, "Blosc2"},
    {32018, "FCIDECOMP"},  {32019, "JPEG"},
};

std::string name_of_filter(int id) {
  for (const FilterName& filter : filter_names)
    if (filter.id == id) return fmt::format("{} (HDF5 filter {})", filter.name, id);
  return fmt::format("HDF5 filter {}", id);
}

struct Extent {
  std::vector<hsize_t> size;
  [[nodiscard]] int dimensions() const { return static_cast<int>(size.size()); }
};

Extent extent_of(hid_t data) {
  const Space space(H5Dget_space(data), "asking for an extent");
  const int count = check(H5Sget_simple_extent_ndims(space), "asking for an extent");
  Extent extent{std::vector<hsize_t>(static_cast<std::size_t>(count))};
  if (count > 0) check(H5Sget_simple_extent_dims(space, extent.size.data(), nullptr), "asking for an extent");
  return extent;
}

/// Looks through one dataset and what it is made of.
class Search {
 public:
  Search(fs::path path, std::string name, hid_t data, int dimension, int depth)
      : path_(std::move(path)),
        name_(std::move(name)),
        data_(data),
        creation_(H5Dget_create_plist(data), "asking how a dataset is stored"),
        extent_(extent_of(data)),
        dimension_(static_cast<std::size_t>(dimension)),
        depth_(depth) {}

  DatasetStorage run() {
    const H5D_layout_t layout = H5Pget_layout(creation_);
    if (layout == H5D_VIRTUAL) look_at_sources();
    if (layout == H5D_CHUNKED) look_at_filters(), look_at_chunks();
    if (layout == H5D_CONTIGUOUS && check(H5Pget_external_count(creation_), "counting external files") > 0)
      look_at_external_files();
    collect_gaps();
    return std::move(found_);
  }

 private:
  /// The positions along the dimension that a selection touches.
  struct Touched {
    hsize_t first = 0, stride = 1, count = 1, block = 1;
  };

  [[nodiscard]] hsize_t length() const {
    return dimension_ < extent_.size.size() ? extent_.size[dimension_] : 1;
  }
  [[nodiscard]] fs::path folder() const {
    return path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  }

  void look_at_filters();
  [[nodiscard]] bool was_skipped(int filter) const;
  void look_at_chunks();
  void look_at_external_files();
  void look_at_sources();
  void look_at_source(std::size_t mapping);
  [[nodiscard]] std::optional<Touched> touched_by(hid_t selection) const;
  [[nodiscard]] std::string trouble_with(const std::string& file, const std::string& set, hid_t wanted,
                                         hsize_t filled);
  [[nodiscard]] std::optional<fs::path> find_source(const std::string& file) const;
  void lose(const Touched& touched, const std::string& why);
  void collect_gaps();

  template <class Use>
  void for_each(const Touched& touched, Use use) const {
    for (hsize_t n = 0; n < touched.count; ++n)
      for (hsize_t b = 0; b < touched.block; ++b) {
        const hsize_t at = touched.first + n * touched.stride + b;
        if (at >= length()) return;
        use(static_cast<int>(at));
      }
  }

  fs::path path_;
  std::string name_;
  hid_t data_;
  Properties creation_;
  Extent extent_;
  std::size_t dimension_;
  int depth_;
  std::map<int, std::string> lost_;
  DatasetStorage found_;
};

/// True when the first chunk was written without the n-th filter, as optional ones are where they are
/// missing.
bool Search::was_skipped(int filter) const {
  const Space all(H5Dget_space(data_), "asking for an extent");
  std::vector<hsize_t> offset(extent_.size.size());
  hsize_t there = 0, bytes = 0;
  haddr_t address = 0;
  unsigned skipped = 0;
  if (H5Dget_num_chunks(data_, all, &there) < 0 || there == 0) return true;
  check(H5Dget_chunk_info(data_, all, 0, offset.data(), &skipped, &address, &bytes), "asking for a chunk");
  return (skipped >> filter & 1) != 0;
}

void Search::look_at_filters() {
  const int count = check(H5Pget_nfilters(creation_), "counting filters");
  for (int n = 0; n < count; ++n) {
    unsigned flags = 0, configuration = 0;
    std::size_t values = 0;
    const int id = check(H5Pget_filter2(creation_, static_cast<unsigned>(n), &flags, &values, nullptr, 0,
                                        nullptr, &configuration),
                         "asking for a filter");
    const bool available = H5Zfilter_avail(id) > 0;
    (void)H5Eclear2(H5E_DEFAULT);  // the search for a plugin leaves its errors
    if (available || was_skipped(n)) continue;
    throw Error(
        ErrorKind::unsupported,
        fmt::format("{}: {} is compressed with {}, which the HDF5 library here does not have; install its "
                    "plugin and set HDF5_PLUGIN_PATH to the plugin's folder (as python3 -c 'import "
                    "hdf5plugin; print(hdf5plugin.PLUGIN_PATH)' prints it after pip install hdf5plugin), "
                    "or rewrite the file where it can be read: h5repack -f NONE IN OUT",
                    path_.string(), name_, name_of_filter(id)));
  }
}

/// Chunks that were never written.
void Search::look_at_chunks() {
  std::vector<hsize_t> chunk(extent_.size.size());
  check(H5Pget_chunk(creation_, extent_.dimensions(), chunk.data()), "asking for the size of a chunk");
  std::vector<hsize_t> chunks(chunk.size());
  double expected = 1;
  for (std::size_t d = 0; d < chunk.size(); ++d) {
    chunks[d] = (extent_.size[d] + chunk[d] - 1) / chunk[d];
    expected *= static_cast<double>(chunks[d]);
  }
  hsize_t there = 0;
  const Space all(H5Dget_space(data_), "asking for an extent");
  check(H5Dget_num_chunks(data_, all, &there), "counting chunks");
  constexpr double most = 50e6;  // of a damaged file that claims more, all are asked for by nobody
  if (expected > most || static_cast<double>(there) >= expected) return;
  std::vector<hsize_t> at(chunk.size(), 0);
  for (bool more = true; more;) {
    std::vector<hsize_t> offset(at);
    for (std::size_t d = 0; d < at.size(); ++d) offset[d] *= chunk[d];
    hsize_t bytes = 0;
    if (H5Dget_chunk_storage_size(data_, offset.data(), &bytes) < 0 || bytes == 0)
      lose({offset[dimension_], 1, 1, chunk[dimension_]}, "their pixels were never written");
    more = false;
    for (std::size_t d = at.size(); d-- > 0 && !more;) {
      more = ++at[d] < chunks[d];
      if (!more) at[d] = 0;
    }
  }
  (void)H5Eclear2(H5E_DEFAULT);
}

/// They are whole files of any kind: one that lies elsewhere is no part of a scan, whatever the file says.
void Search::look_at_external_files() {
  const int count = H5Pget_external_count(creation_);
  std::error_code error;
  const fs::path home = fs::weakly_canonical(folder(), error);
  for (int n = 0; n < count; ++n) {
    std::array<char, 4096> text{};
    off_t offset = 0;
    hsize_t bytes = 0;
    check(H5Pget_external(creation_, static_cast<unsigned>(n), text.size() - 1, text.data(), &offset, &bytes),
          "asking for an external file");
    const fs::path named(text.data());
    const fs::path file = fs::weakly_canonical(named.is_absolute() ? named : home / named, error);
    const fs::path inside = file.lexically_relative(home);
    if (inside.empty() || *inside.begin() == "..")
      throw Error(ErrorKind::bad_file,
                  fmt::format("{}: {} keeps its values in {}, outside the folder of the scan, which is not "
                              "read; put that file beside the scan and name it without a folder",
                              path_.string(), name_, named.string()));
    found_.files.push_back(home / inside);
    const bool there = fs::is_regular_file(file, error);
    const std::uintmax_t held = there ? fs::file_size(file, error) : 0;
    const bool whole =
        there && (bytes == H5F_UNLIMITED || (held >= static_cast<std::uintmax_t>(offset) &&
                                             held - static_cast<std::uintmax_t>(offset) >= bytes));
    if (!whole)
      lose({0, 1, 1, length()},
           fmt::format("{} {}", file.string(), there ? "is shorter than it should be" : "is missing"));
  }
}

std::optional<Search::Touched> Search::touched_by(hid_t selection) const {
  if (H5Sget_select_type(selection) == H5S_SEL_ALL) return Touched{0, 1, 1, length()};
  if (H5Sget_select_type(selection) != H5S_SEL_HYPERSLABS) return std::nullopt;
  std::array<hsize_t, H5S_MAX_RANK> start{}, stride{}, count{}, block{};
  if (H5Sis_regular_hyperslab(selection) > 0) {
    check(H5Sget_regular_hyperslab(selection, start.data(), stride.data(), count.data(), block.data()),
          "asking for a selection");
    return Touched{start[dimension_], stride[dimension_], std::min(count[dimension_], length()),
                   std::min(block[dimension_], length())};
  }
  if (H5Sget_select_bounds(selection, start.data(), stride.data()) < 0) return std::nullopt;
  return Touched{start[dimension_], 1, 1, stride[dimension_] - start[dimension_] + 1};
}

/// Those that the environment names for sources beside the file in `origin`.
std::vector<fs::path> named_folders(const fs::path& origin) {
  std::vector<fs::path> folders;
  const char* const prefixes = std::getenv("HDF5_VDS_PREFIX");
  std::istringstream list(prefixes ? prefixes : "");
  for (std::string prefix; std::getline(list, prefix, ':');)
    folders.push_back(prefix.starts_with("${ORIGIN}") ? origin / fs::path(prefix.substr(9)).relative_path()
                                                      : fs::path(prefix));
  return folders;
}

/// Where the library looks, in its order.
std::optional<fs::path> Search::find_source(const std::string& file) const {
  if (file == ".") return path_;
  std::error_code error;
  const fs::path named(file);
  if (named.is_absolute() && fs::is_regular_file(named, error)) return named;
  const fs::path relative = named.is_absolute() ? named.filename() : named;
  std::vector<fs::path> folders = named_folders(folder());
  folders.push_back(folder());
  folders.push_back(".");
  folders.push_back(fs::weakly_canonical(path_, error).parent_path());
  for (const fs::path& place : folders)
    if (fs::is_regular_file(place / relative, error)) return place / relative;
  return std::nullopt;
}

/// What keeps the source of a mapping from being read, or nothing. `wanted` is what the mapping takes of it,
/// `filled` how many values that must be; 0 when it does not say.
std::string Search::trouble_with(const std::string& file, const std::string& set, hid_t wanted,
                                 hsize_t filled) {
  const auto found = find_source(file);
  if (!found) return fmt::format("{} is missing", file);
  if (file != "." && std::find(found_.files.begin(), found_.files.end(), *found) == found_.files.end())
    found_.files.push_back(*found);
  const hid_t handle = H5Fopen(found->c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (handle < 0) return (void)H5Eclear2(H5E_DEFAULT), fmt::format("{} cannot be opened as HDF5", file);
  const File source(handle, "opening a source");
  const hid_t object = H5Dopen2(source, set.c_str(), H5P_DEFAULT);
  if (object < 0) return (void)H5Eclear2(H5E_DEFAULT), fmt::format("{} holds no {}", file, set);
  const Dataset data(object, "opening a source");
  const Extent extent = extent_of(data);
  std::array<hsize_t, H5S_MAX_RANK> lowest{}, highest{};
  const bool all_of_it = H5Sget_select_type(wanted) == H5S_SEL_ALL;  // whose size the file does not keep
  const bool bounded = !all_of_it && H5Sget_simple_extent_ndims(wanted) == extent.dimensions() &&
                       H5Sget_select_bounds(wanted, lowest.data(), highest.data()) >= 0;
  (void)H5Eclear2(H5E_DEFAULT);
  hsize_t held = 1;
  bool too_short = false;
  for (std::size_t d = 0; d < extent.size.size(); ++d) {
    held *= extent.size[d];
    too_short = too_short || (bounded && highest[d] >= extent.size[d]);
  }
  if (too_short || (all_of_it && held < filled))
    return fmt::format("{} of {} is shorter than it should be", set, file);
  DatasetStorage inner = Search(*found, set, data, 0, depth_ + 1).run();
  for (fs::path& each : inner.files) found_.files.push_back(std::move(each));
  return inner.gaps.empty() ? "" : fmt::format("of {}, {}", file, inner.gaps.front().why);
}

void Search::look_at_source(std::size_t mapping) {
  const Space to(H5Pget_virtual_vspace(creation_, mapping), "asking for a mapping"),
      from(H5Pget_virtual_srcspace(creation_, mapping), "asking for a mapping");
  const auto text_of = [&](auto ask, const char* what) {
    std::string text(static_cast<std::size_t>(check(ask(creation_, mapping, nullptr, 0), what)) + 1, '\0');
    check(ask(creation_, mapping, text.data(), text.size()), what);
    text.pop_back();
    return text;
  };
  const std::string file = text_of(H5Pget_virtual_filename, "asking for a source's file"),
                    set = text_of(H5Pget_virtual_dsetname, "asking for a source's name");
  const auto touched = touched_by(to);
  const Touched all = touched.value_or(Touched{0, 1, 1, length()});
  const bool numbered = file.find("%b") != std::string::npos || set.find("%b") != std::string::npos;
  if (!numbered) {
    const hssize_t filled = H5Sget_select_npoints(to);
    (void)H5Eclear2(H5E_DEFAULT);
    const std::string why = trouble_with(file, set, from, filled > 0 ? static_cast<hsize_t>(filled) : 0);
    if (!why.empty())
      lose(all, why);
    else
      for_each(all, [&](int at) { lost_[at]; });  // covered: nothing is wrong as yet
    return;
  }
  const auto with = [](std::string text, hsize_t n) {
    for (std::size_t at; (at = text.find("%b")) != std::string::npos;) text.replace(at, 2, std::to_string(n));
    return text;
  };
  for (hsize_t n = 0; n < all.count && all.first + n * all.stride < length(); ++n) {
    const Touched block{all.first + n * all.stride, 1, 1, all.block};
    if (const std::string why = trouble_with(with(file, n), with(set, n), from, 0); !why.empty())
      lose(block, why);
    else
      for_each(block, [&](int at) { lost_[at]; });
  }
}

/// Every index that a mapping fills has an entry in lost_, with a text where it went wrong; those without an
/// entry are filled by none.
void Search::look_at_sources() {
  if (depth_ > deepest)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: {} is a virtual dataset of virtual datasets, more than {} deep",
                            path_.string(), name_, deepest));
  std::size_t mappings = 0;
  check(H5Pget_virtual_count(creation_, &mappings), "counting mappings");
  for (std::size_t n = 0; n < mappings; ++n) look_at_source(n);
  for (int at = 0; at < static_cast<int>(length()); ++at)
    lost_.try_emplace(at, "no source is named for them");
}

void Search::lose(const Touched& touched, const std::string& why) {
  for_each(touched, [&](int at) {
    std::string& said = lost_[at];
    if (said.empty()) said = why;
  });
}

void Search::collect_gaps() {
  for (const auto& [at, why] : lost_) {
    if (why.empty()) continue;
    const auto same = std::find_if(found_.gaps.begin(), found_.gaps.end(),
                                   [&, &text = why](const Gap& gap) { return gap.why == text; });
    if (same != found_.gaps.end())
      same->indices.push_back(at);
    else
      found_.gaps.push_back({{at}, why});
  }
}

}  // namespace

DatasetStorage storage_of(const fs::path& path, const std::string& name, hid_t data, int dimension) {
  return Search(path, name, data, dimension, 0).run();
}

std::string listed(const std::vector<int>& indices) {
  std::string text;
  for (std::size_t n = 0; n < indices.size();) {
    std::size_t end = n + 1;
    while (end < indices.size() && indices[end] == indices[end - 1] + 1) ++end;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", indices[n]);
    if (end - n > 1) text += fmt::format(" to {}", indices[end - 1]);
    n = end;
  }
  return text;
}

}  // namespace feldspar::io::hdf5
