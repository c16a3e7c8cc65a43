#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "io/hdf5/handle.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::io {

struct VolumeReader::State {
  std::filesystem::path path;
  Hdf5Id file, dataset;
  geometry::VolumeGrid grid;
  std::string title;
  double slope = 1, offset = 0;

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorKind::bad_file, fmt::format("{}: {}; a volume written by feldspar has /entry/data/data with axes z, y, x",
                                                 path.string(), what));
  }

  std::vector<double> numbers(const char* name) const {
    const std::string full = std::string("/entry/data/") + name;
    if (H5Lexists(file, full.c_str(), H5P_DEFAULT) <= 0) return {};
    const Hdf5Id set(H5Dopen2(file, full.c_str(), H5P_DEFAULT), H5Dclose, path.string() + ": cannot read " + full);
    const Hdf5Id space(H5Dget_space(set), H5Sclose, path.string() + ": cannot read " + full);
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    if (count < 0 || count > 10'000'000) refuse(full + " has an impossible size");
    std::vector<double> values(static_cast<std::size_t>(count));
    check_hdf5(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), path.string() + ": cannot read " + full);
    return values;
  }

  void read_axis(const char* name, int count, double& origin, double& spacing) const {
    const std::vector<double> places = numbers(name);
    if (places.size() != static_cast<std::size_t>(count)) refuse(fmt::format("the axis {} does not fit the data", name));
    origin = places[0];
    spacing = count > 1 ? (places.back() - places[0]) / (count - 1) : 1;
    if (!std::isfinite(origin) || !std::isfinite(spacing) || !(spacing > 0)) refuse(fmt::format("the axis {} does not grow", name));
  }
};

VolumeReader::VolumeReader(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.path = path;
  silence_hdf5();
  if (!std::filesystem::exists(path)) throw Error(ErrorKind::io, fmt::format("{}: does not exist", path.string()));
  if (H5Fis_hdf5(path.c_str()) <= 0) throw Error(ErrorKind::bad_file, fmt::format("{}: is no HDF5 file, or a damaged one", path.string()));
  s.file = Hdf5Id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, path.string() + ": cannot be opened");
  for (const char* name : {"/entry", "/entry/data", "/entry/data/data"})
    if (H5Lexists(s.file, name, H5P_DEFAULT) <= 0) s.refuse(fmt::format("has no {}", name));
  s.dataset = Hdf5Id(H5Dopen2(s.file, "/entry/data/data", H5P_DEFAULT), H5Dclose, path.string() + ": cannot read the volume");
  const Hdf5Id space(H5Dget_space(s.dataset), H5Sclose, path.string() + ": cannot read the volume");
  hsize_t size[3] = {};
  if (H5Sget_simple_extent_ndims(space) != 3) s.refuse("the data are not three-dimensional");
  check_hdf5(H5Sget_simple_extent_dims(space, size, nullptr), path.string() + ": cannot read the volume");
  for (const hsize_t n : size)
    if (n < 1 || n > 1'000'000) s.refuse("the data have an impossible size");
  s.grid.nz = static_cast<int>(size[0]), s.grid.ny = static_cast<int>(size[1]), s.grid.nx = static_cast<int>(size[2]);
  s.read_axis("z", s.grid.nz, s.grid.origin.z, s.grid.spacing.z);
  s.read_axis("y", s.grid.ny, s.grid.origin.y, s.grid.spacing.y);
  s.read_axis("x", s.grid.nx, s.grid.origin.x, s.grid.spacing.x);
  s.title = read_text(s.file, "entry/title");
  const auto slope = s.numbers("data_scaling_factor"), offset = s.numbers("data_offset");
  if (!slope.empty()) s.slope = slope[0];
  if (!offset.empty()) s.offset = offset[0];
}

VolumeReader::~VolumeReader() = default;

const geometry::VolumeGrid& VolumeReader::grid() const noexcept { return state_->grid; }
const std::string& VolumeReader::title() const noexcept { return state_->title; }

Array3<float> VolumeReader::read(int x, int nx, int y, int ny, int z, int nz) const {
  const State& s = *state_;
  expects(x >= 0 && nx > 0 && x + nx <= s.grid.nx && y >= 0 && ny > 0 && y + ny <= s.grid.ny && z >= 0 && nz > 0 &&
              z + nz <= s.grid.nz,
          "the box lies outside the volume");
  Array3<float> box(nx, ny, nz, "a part of the volume");
  const hsize_t start[3] = {hsize_t(z), hsize_t(y), hsize_t(x)}, count[3] = {hsize_t(nz), hsize_t(ny), hsize_t(nx)};
  const Hdf5Id space(H5Dget_space(s.dataset), H5Sclose, s.path.string() + ": cannot read the volume");
  check_hdf5(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr), s.path.string() + ": cannot read the volume");
  const Hdf5Id memory(H5Screate_simple(3, count, nullptr), H5Sclose, s.path.string() + ": cannot read the volume");
  check_hdf5(H5Dread(s.dataset, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, box.data()), s.path.string() + ": cannot read the volume");
  if (s.slope != 1 || s.offset != 0)
    for (float& value : box.view().values()) value = static_cast<float>(value * s.slope + s.offset);
  return box;
}

std::string VolumeReader::text(const std::string& name) const { return read_text(state_->file, "entry/" + name); }

}  // namespace feldspar::io
