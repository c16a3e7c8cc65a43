// Reading a volume file, whole or in part, back to attenuation.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>
#include <sstream>
#include <utility>

#include "base/crash.hpp"
#include "base/error.hpp"
#include "base/stop.hpp"
#include "io/content_hash.hpp"
#include "io/hdf5/handle.hpp"
#include "io/hdf5/layout.hpp"
#include "io/hdf5/text.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/hdf5/voxel_coding.hpp"

namespace feldspar::io {
namespace {

using namespace hdf5;

File open_file(const std::filesystem::path& path, bool ours) {
  // O_NONBLOCK: a pipe under that name must not stop the program.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(errno)));
  (void)::close(descriptor);
  if (!std::filesystem::is_regular_file(path))
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: is no file but a folder, pipe or device", path.string()));
  if (H5Fis_hdf5(path.c_str()) <= 0)
    throw Error(ErrorKind::bad_file, fmt::format("{}: is no HDF5 file", path.string()));
  const Properties access(H5Pcreate(H5P_FILE_ACCESS), "making file properties");
  if (ours) check(H5Pset_file_locking(access, false, true), "leaving the lock to us");
  return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), "opening the file"};
}

/// The extent of the voxels, z first.
std::vector<hsize_t> extent_of(const Dataset& voxels) {
  const Space space(H5Dget_space(voxels), "asking for the extent");
  const int dimensions = check(H5Sget_simple_extent_ndims(space), "counting the dimensions");
  std::vector<hsize_t> extent(static_cast<std::size_t>(dimensions));
  check(H5Sget_simple_extent_dims(space, extent.data(), nullptr), "asking for the extent");
  constexpr hsize_t most = 1 << 20;  // a side, before its axis is read into memory
  if (dimensions != 3 || *std::max_element(extent.begin(), extent.end()) > most ||
      *std::min_element(extent.begin(), extent.end()) == 0)
    throw Failure(
        fmt::format("{} must have three dimensions, none empty or beyond {}", layout::voxels_path, most));
  return extent;
}

std::vector<double> get_numbers(hid_t group, const char* name, hsize_t count) {
  const Dataset dataset = open_dataset(group, name, name);
  const Space space(H5Dget_space(dataset), "asking for the extent");
  const hssize_t found = check(H5Sget_simple_extent_npoints(space), "counting values");
  if (static_cast<hsize_t>(found) != count)
    throw Failure(fmt::format("{} has {} values where {} belong", name, found, count));
  std::vector<double> values(count);
  check(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), name);
  return values;
}

struct Axis {
  double first = 0;
  double spacing = 0;
};

Axis get_axis(hid_t group, int dimension, hsize_t count) {
  const char* name = layout::axes[dimension];
  const std::vector<double> centres = get_numbers(group, name, count);
  const Dataset dataset(H5Dopen2(group, name, H5P_DEFAULT), name);
  Axis axis{.first = centres.front()};
  const Attribute spacing(H5Aopen(dataset, layout::spacing, H5P_DEFAULT), "the spacing of an axis");
  check(H5Aread(spacing, H5T_NATIVE_DOUBLE, &axis.spacing), "the spacing of an axis");
  const double last = axis.first + axis.spacing * static_cast<double>(count - 1);
  if (!std::isfinite(axis.first) || !(axis.spacing > 0) || std::abs(centres.back() - last) > axis.spacing / 2)
    throw Failure(fmt::format("axis {} runs from {} to {} mm, which is not what its spacing of {} mm makes",
                              name, centres.front(), centres.back(), axis.spacing));
  return axis;
}

/// Parts that the voxels are read from, where the file itself has none. HDF5 would read one that is missing,
/// or cannot be opened, as its fill value without a word.
std::string name_of_part(const Properties& create, std::size_t n) {
  std::string name(4096, '\0');
  name.resize(static_cast<std::size_t>(
      check(H5Pget_virtual_filename(create, n, name.data(), name.size()), "asking for a part")));
  return name;
}

std::vector<std::filesystem::path> find_parts(const Dataset& voxels, const std::filesystem::path& path) {
  const Properties create(H5Dget_create_plist(voxels), "asking for the layout");
  std::vector<std::filesystem::path> parts;
  if (H5Pget_layout(create) != H5D_VIRTUAL) return parts;
  std::size_t count = 0;
  check(H5Pget_virtual_count(create, &count), "counting the parts");
  for (std::size_t n = 0; n < count; ++n) {
    const std::string name = name_of_part(create, n);
    std::error_code ignored;
    parts.push_back(path.parent_path() / name);
    if (!std::filesystem::exists(parts.back(), ignored))
      throw Error(
          ErrorKind::io,
          fmt::format("{}: its part {} is not there; it must lie where it did when the parts were joined",
                      path.string(), name),
          {{"solid", "", "to have a copy of the parts in it, join them with"}});
    const File part = open_file(path.parent_path() / name, false);
    (void)open_dataset(part, layout::voxels_path, ("opening the voxels of its part " + name).c_str());
  }
  return parts;
}

/// Of the values of a slice as they are stored.
std::string hash_of(std::span<const float> values, VoxelCoding coding) {
  Hasher hasher;
  if (coding.type == VoxelType::float32) {
    hasher.add(values.data(), values.size_bytes());
    return hasher.text();
  }
  std::array<std::uint16_t, 4096> codes;
  for (std::size_t first = 0; first < values.size(); first += codes.size()) {
    const std::size_t count = std::min(codes.size(), values.size() - first);
    for (std::size_t n = 0; n < count; ++n) codes[n] = static_cast<std::uint16_t>(values[first + n]);
    hasher.add(codes.data(), count * sizeof codes[0]);
  }
  return hasher.text();
}

}  // namespace

namespace hdf5 {

VoxelCoding coding_in(hid_t group, const Dataset& voxels) {
  const Type type(H5Dget_type(voxels), "asking for the type");
  if (H5Tget_class(type) == H5T_FLOAT) return {};
  if (H5Tget_class(type) != H5T_INTEGER)
    throw Failure(fmt::format("{} holds neither floating-point numbers nor integers", layout::voxels_path));
  const auto factor = get_numbers(group, layout::scaling_factor, 1),
             offset = get_numbers(group, layout::offset, 1);
  return {VoxelType::uint16, factor[0], offset[0]};
}

}  // namespace hdf5

namespace {

/// Of the layers, as they were when they were written; none where they are not known.
std::vector<std::string> hashes_in(const Group& entry, hsize_t layers) {
  std::vector<std::string> hashes;
  std::istringstream lines(get_text(entry, std::string("reconstruction/") + layout::layer_hashes));
  for (std::string line; std::getline(lines, line);) hashes.push_back(line);
  if (!hashes.empty() && hashes.size() != layers)
    throw Failure(fmt::format("there are hashes of {} layers, but {} layers", hashes.size(), layers));
  return hashes;
}

}  // namespace

struct VolumeReader::State {
  explicit State(std::filesystem::path file_path) : path(std::move(file_path)) {}

  void open(bool ours) {
    file = open_file(path, ours);
    for (const char* part : {"/entry", "/entry/data", layout::voxels_path})
      if (H5Lexists(file, part, H5P_DEFAULT) <= 0) throw Failure(fmt::format("there is no {}", part));
    entry = Group(H5Gopen2(file, layout::entry, H5P_DEFAULT), "opening the entry");
    const Group data(H5Gopen2(entry, layout::data_group, H5P_DEFAULT), "opening the data");
    voxels = open_dataset(data, layout::voxels, "opening the voxels");
    const std::vector<hsize_t> extent = extent_of(voxels);
    const Axis z = get_axis(data, 0, extent[0]), y = get_axis(data, 1, extent[1]),
               x = get_axis(data, 2, extent[2]);
    grid = {.nx = static_cast<int>(extent[2]),
            .ny = static_cast<int>(extent[1]),
            .nz = static_cast<int>(extent[0]),
            .spacing = {x.spacing, y.spacing, z.spacing},
            .origin = {x.first, y.first, z.first}};
    coding = coding_in(data, voxels);
    parts = find_parts(voxels, path);
    title = get_text(entry, "title");
    hashes = hashes_in(entry, extent[0]);
  }

  /// Voxels as they are stored: codes are not decoded.
  [[nodiscard]] Array3<float> read_stored(int x, int nx, int y, int ny, int z, int nz);

  std::filesystem::path path;
  std::vector<std::filesystem::path> parts;
  std::mutex mutex;
  File file;
  Group entry;
  Dataset voxels;
  geometry::VolumeGrid grid;
  VoxelCoding coding;
  std::string title;
  std::vector<std::string> hashes;
};

VolumeReader::VolumeReader(const std::filesystem::path& path, bool ours)
    : state_(std::make_unique<State>(path)) {
  silence();
  const FileInHand in_hand(path);
  try {
    state_->open(ours);
  } catch (const Failure& failure) {
    throw Error(ErrorKind::bad_file, fmt::format("{}: is no volume of feldspar, or is damaged: {}",
                                                 path.string(), failure.what()));
  }
}

VolumeReader::~VolumeReader() = default;

const geometry::VolumeGrid& VolumeReader::grid() const noexcept { return state_->grid; }
const std::string& VolumeReader::title() const noexcept { return state_->title; }

std::vector<std::filesystem::path> VolumeReader::files() const {
  std::vector<std::filesystem::path> all = state_->parts;
  all.push_back(state_->path);
  return all;
}

StoredRange VolumeReader::range() const noexcept {
  const VoxelCoding& coding = state_->coding;
  if (coding.type == VoxelType::float32) return {};
  return {coding.offset, coding.offset + VoxelCoding::highest_code * coding.factor, coding.factor};
}

const std::vector<std::string>& VolumeReader::layer_hashes() const noexcept { return state_->hashes; }

Array3<float> VolumeReader::State::read_stored(int x, int nx, int y, int ny, int z, int nz) {
  const auto inside = [](int first, int count, int all) {
    return first >= 0 && count > 0 && count <= all - first;
  };
  if (!inside(x, nx, grid.nx) || !inside(y, ny, grid.ny) || !inside(z, nz, grid.nz))
    throw Error(ErrorKind::usage,
                fmt::format("{}: voxels {}+{} x {}+{} x {}+{} are not all inside its {} x {} x {}",
                            path.string(), x, nx, y, ny, z, nz, grid.nx, grid.ny, grid.nz));
  stop_if_requested();
  Array3<float> result(nx, ny, nz, "voxels of a volume file");
  const hsize_t start[3] = {static_cast<hsize_t>(z), static_cast<hsize_t>(y), static_cast<hsize_t>(x)};
  const hsize_t count[3] = {static_cast<hsize_t>(nz), static_cast<hsize_t>(ny), static_cast<hsize_t>(nx)};
  const std::scoped_lock lock(mutex);
  silence();
  const FileInHand in_hand(path);
  try {
    const Space memory(H5Screate_simple(3, count, nullptr), "describing the voxels");
    const Space space(H5Dget_space(voxels), "asking for the extent");
    check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr), "choosing the voxels");
    check(H5Dread(voxels, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, result.data()), "reading voxels");
  } catch (const Failure& failure) {
    throw Error(ErrorKind::io, fmt::format("{}: cannot be read: {}", path.string(), failure.what()));
  }
  return result;
}

Array3<float> VolumeReader::read(int x, int nx, int y, int ny, int z, int nz) const {
  Array3<float> result = state_->read_stored(x, nx, y, ny, z, nz);
  state_->coding.decode(result.data(), result.size());
  return result;
}

Array3<float> VolumeReader::read_slices(int z, int nz, std::vector<std::string>& hashes) const {
  const geometry::VolumeGrid& grid = state_->grid;
  Array3<float> result = state_->read_stored(0, grid.nx, 0, grid.ny, z, nz);
  hashes.clear();
  for (int k = 0; k < nz; ++k)
    hashes.push_back(hash_of(std::as_const(result).view().planes(k, 1).values(), state_->coding));
  state_->coding.decode(result.data(), result.size());
  return result;
}

std::string VolumeReader::text(const std::string& name) const {
  const std::scoped_lock lock(state_->mutex);
  silence();
  try {
    return get_text(state_->entry, name);
  } catch (const Failure& failure) {
    throw Error(ErrorKind::io,
                fmt::format("{}: {} cannot be read: {}", state_->path.string(), name, failure.what()));
  }
}

Record VolumeReader::record(const std::string& group) const {
  const std::scoped_lock lock(state_->mutex);
  silence();
  try {
    return get_record(state_->entry, group);
  } catch (const Failure& failure) {
    throw Error(ErrorKind::io,
                fmt::format("{}: {} cannot be read: {}", state_->path.string(), group, failure.what()));
  }
}

}  // namespace feldspar::io
