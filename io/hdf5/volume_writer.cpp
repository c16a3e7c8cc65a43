#include <fcntl.h>
#include <fmt/format.h>
#include <libdeflate.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "base/units.hpp"
#include "io/hdf5/handle.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;

constexpr int chunk_slices = 16;   // a chunk is 1 MiB of float32: good for slices and for sub-volumes
constexpr int chunk_across = 128;

/// Reorders bytes as HDF5's shuffle filter does: all first bytes, then all second bytes ...
void shuffle(const std::byte* from, std::size_t count, std::size_t size, std::byte* to) {
  for (std::size_t byte = 0; byte < size; ++byte)
    for (std::size_t n = 0; n < count; ++n) to[byte * count + n] = from[n * size + byte];
}

void sync(const fs::path& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  if (file < 0) return;
  const int status = ::fsync(file);
  const int error = errno;
  ::close(file);
  if (status != 0 && error != EINVAL)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be made durable: {}", path.string(), std::strerror(error)));
}

std::string xdmf_of(const fs::path& volume, const geometry::VolumeGrid& g, VoxelType type) {
  const bool is_float = type == VoxelType::float32;
  return fmt::format(
      R"(<?xml version="1.0" ?>
<!-- Opens {0} in ParaView: choose the reader "Xdmf2". -->
<Xdmf Version="2.0">
  <Domain>
    <Grid Name="volume" GridType="Uniform">
      <Topology TopologyType="3DCoRectMesh" Dimensions="{1} {2} {3}"/>
      <Geometry GeometryType="ORIGIN_DXDYDZ">
        <DataItem Dimensions="3" NumberType="Float" Precision="8" Format="XML">{4} {5} {6}</DataItem>
        <DataItem Dimensions="3" NumberType="Float" Precision="8" Format="XML">{7} {8} {9}</DataItem>
      </Geometry>
      <Attribute Name="attenuation" AttributeType="Scalar" Center="Node">
        <DataItem Dimensions="{1} {2} {3}" NumberType="{10}" Precision="{11}" Format="HDF">{0}:/entry/data/data</DataItem>
      </Attribute>
    </Grid>
  </Domain>
</Xdmf>
)",
      volume.filename().string(), g.nz, g.ny, g.nx, g.origin.z, g.origin.y, g.origin.x, g.spacing.z, g.spacing.y, g.spacing.x,
      is_float ? "Float" : "UInt", is_float ? 4 : 2);
}

}  // namespace

struct VolumeWriter::State {
  /// A layer of chunks that has not got all its slices yet.
  struct Layer {
    Array3<float> slices;
    int filled = 0;
  };

  fs::path path, partial;
  geometry::VolumeGrid grid;
  VolumeFileOptions options;
  ThreadPool pool;
  Hdf5Id file, entry, dataset;
  hsize_t chunk[3] = {};
  std::map<int, Layer> layers;
  std::vector<bool> written;
  std::mutex mutex;
  std::atomic<std::int64_t> clipped{0};
  bool finished = false;

  State(fs::path p, const geometry::VolumeGrid& g, const VolumeFileOptions& o)
      : path(std::move(p)), grid(g), options(o), pool(o.deflate > 0 ? o.threads : 1),
        written(static_cast<std::size_t>(g.nz)) {}

  [[nodiscard]] std::string doing(const char* what) const { return fmt::format("{}: cannot {}", path.string(), what); }
  [[nodiscard]] std::size_t voxel_bytes() const { return options.type == VoxelType::float32 ? 4 : 2; }

  void prepare_place() {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::error_code error;
    if (!fs::is_directory(folder, error))
      throw Error(ErrorKind::io, fmt::format("{}: the folder {} does not exist; make it first", path.string(), folder.string()));
    if (fs::is_directory(path, error))
      throw Error(ErrorKind::io, fmt::format("{}: is a folder; name a file to write", path.string()));
    if (fs::exists(path, error) && !options.overwrite)
      throw Error(ErrorKind::io, fmt::format("{}: exists already; choose another name or give --overwrite", path.string()));
    const std::size_t need = grid.voxels() * voxel_bytes();
    struct statvfs disk {};
    if (options.deflate == 0 && ::statvfs(folder.c_str(), &disk) == 0) {
      const std::size_t room = static_cast<std::size_t>(disk.f_bavail) * disk.f_frsize;
      if (room < need)
        throw Error(ErrorKind::io, fmt::format("{}: the volume needs {}, but the disk has {} left; free some, or try --type "
                                               "uint16 or --compress 1",
                                               path.string(), format_bytes(need), format_bytes(room)));
    }
    // Two runs that write to one name each have a file of their own until the end.
    partial = path;
    partial += fmt::format(".{}.partial", ::getpid());
  }

  void create() {
    silence_hdf5();
    file = Hdf5Id(H5Fcreate(partial.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose, doing("be made"));
    write_attribute(file, "NX_class", "NXroot");
    write_attribute(file, "default", "entry");
    write_attribute(file, "creator", "feldspar");
    entry = make_group(file, "entry", "NXentry");
    write_attribute(entry, "default", "data");
    write_text(entry, "definition", "NXtomoproc");
    const Hdf5Id data = make_group(entry, "data", "NXdata");
    write_attribute(data, "signal", "data");
    write_attribute(data, "axes", std::vector<std::string>{"z", "y", "x"});
    for (int axis = 0; axis < 3; ++axis) write_attribute(data, fmt::format("{}_indices", "zyx"[axis]), axis);

    const hsize_t size[3] = {hsize_t(grid.nz), hsize_t(grid.ny), hsize_t(grid.nx)};
    const hsize_t wanted[3] = {chunk_slices, chunk_across, chunk_across};
    for (int n = 0; n < 3; ++n) chunk[n] = std::min(size[n], wanted[n]);
    const Hdf5Id layout(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, doing("be made"));
    check_hdf5(H5Pset_chunk(layout, 3, chunk), doing("be made"));
    check_hdf5(H5Pset_fill_time(layout, H5D_FILL_TIME_NEVER), doing("be made"));
    if (options.deflate > 0) {
      check_hdf5(H5Pset_shuffle(layout), doing("be made"));
      check_hdf5(H5Pset_deflate(layout, static_cast<unsigned>(options.deflate)), doing("be made"));
    }
    const Hdf5Id space(H5Screate_simple(3, size, nullptr), H5Sclose, doing("be made"));
    const hid_t type = options.type == VoxelType::float32 ? H5T_IEEE_F32LE : H5T_STD_U16LE;
    dataset = Hdf5Id(H5Dcreate2(data, "data", type, space, H5P_DEFAULT, layout, H5P_DEFAULT), H5Dclose, doing("be made"));
    write_attribute(dataset, "units", options.type == VoxelType::float32 ? "1/mm" : "");
    write_attribute(dataset, "long_name", "Linear attenuation (1/mm)");
    write_attribute(dataset, "interpretation", "image");
    write_attribute(dataset, "element_size_um",
                    std::vector<double>{1000 * grid.spacing.z, 1000 * grid.spacing.y, 1000 * grid.spacing.x});
    write_axis(data, "z", grid.nz, grid.origin.z, grid.spacing.z);
    write_axis(data, "y", grid.ny, grid.origin.y, grid.spacing.y);
    write_axis(data, "x", grid.nx, grid.origin.x, grid.spacing.x);
    if (options.type == VoxelType::uint16) {
      write_number(data, "data_scaling_factor", slope());
      write_number(data, "data_offset", options.lowest);
    }
  }

  static void write_values(hid_t parent, const char* name, const std::vector<double>& values, bool scalar) {
    const hsize_t count = values.size();
    const Hdf5Id space(scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, nullptr), H5Sclose, "cannot write an axis");
    const Hdf5Id set(H5Dcreate2(parent, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose,
                     "cannot write an axis");
    check_hdf5(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "cannot write an axis");
    if (scalar) return;
    write_attribute(set, "units", "mm");
    write_attribute(set, "long_name", fmt::format("{} (mm)", name));
  }
  static void write_axis(hid_t parent, const char* name, int count, double origin, double spacing) {
    std::vector<double> places;
    for (int n = 0; n < count; ++n) places.push_back(origin + n * spacing);
    write_values(parent, name, places, false);
  }
  static void write_number(hid_t parent, const char* name, double value) { write_values(parent, name, {value}, true); }

  [[nodiscard]] double slope() const { return (options.highest - options.lowest) / 65535; }

  /// The voxels of one chunk from a layer of slices, as they are stored.
  void gather(View3<const float> layer, int first_y, int first_x, std::vector<std::byte>& out) {
    const int nz = static_cast<int>(chunk[0]), ny = static_cast<int>(chunk[1]), nx = static_cast<int>(chunk[2]);
    out.assign(static_cast<std::size_t>(nz) * ny * nx * voxel_bytes(), std::byte{0});
    const int width = std::min(nx, layer.nx - first_x);
    std::int64_t beyond = 0;
    for (int z = 0; z < layer.nz; ++z)
      for (int y = 0; y < std::min(ny, layer.ny - first_y); ++y) {
        const float* from = layer.row(first_y + y, z) + first_x;
        std::byte* to = out.data() + (static_cast<std::size_t>(z) * ny + y) * nx * voxel_bytes();
        if (options.type == VoxelType::float32) {
          std::memcpy(to, from, static_cast<std::size_t>(width) * 4);
          continue;
        }
        for (int x = 0; x < width; ++x) {
          const double step = std::isnan(from[x]) ? 0 : std::round((from[x] - options.lowest) / slope());
          const double kept = std::clamp(step, 0.0, 65535.0);
          beyond += kept != step || std::isnan(from[x]);
          const auto stored = static_cast<std::uint16_t>(kept);
          std::memcpy(to + x * 2, &stored, 2);
        }
      }
    clipped += beyond;
  }

  /// Compresses as HDF5's shuffle and deflate filters would.
  void compress(std::vector<std::byte>& chunk_bytes) const {
    std::vector<std::byte> shuffled(chunk_bytes.size());
    shuffle(chunk_bytes.data(), chunk_bytes.size() / voxel_bytes(), voxel_bytes(), shuffled.data());
    const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> compressor(
        libdeflate_alloc_compressor(options.deflate), libdeflate_free_compressor);
    if (!compressor) throw Error(ErrorKind::out_of_memory, doing("compress: no memory"));
    chunk_bytes.resize(libdeflate_zlib_compress_bound(compressor.get(), shuffled.size()));
    chunk_bytes.resize(libdeflate_zlib_compress(compressor.get(), shuffled.data(), shuffled.size(), chunk_bytes.data(),
                                                chunk_bytes.size()));
  }

  /// Stores one layer of chunks, whose first slice is `first` and which is complete or the volume's last.
  void store_layer(int first, View3<const float> layer) {
    const int across = static_cast<int>((hsize_t(grid.nx) + chunk[2] - 1) / chunk[2]);
    const int deep = static_cast<int>((hsize_t(grid.ny) + chunk[1] - 1) / chunk[1]);
    std::vector<std::vector<std::byte>> buffers(static_cast<std::size_t>(pool.size()));
    pool.for_each(static_cast<std::ptrdiff_t>(across) * deep, [&](std::ptrdiff_t job, int worker) {
      std::vector<std::byte>& bytes = buffers[static_cast<std::size_t>(worker)];
      const int y = static_cast<int>(job / across * std::ptrdiff_t(chunk[1])), x = static_cast<int>(job % across * std::ptrdiff_t(chunk[2]));
      gather(layer, y, x, bytes);
      if (options.deflate > 0) compress(bytes);
      const hsize_t offset[3] = {hsize_t(first), hsize_t(y), hsize_t(x)};
      const std::scoped_lock lock(mutex);
      check_hdf5(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, offset, bytes.size(), bytes.data()),
                 fmt::format("{}: writing {} of voxels failed (is the disk full?)", path.string(), format_bytes(bytes.size())));
    });
  }

  void write_record(const VolumeRecord& record) {
    write_text(entry, "title", record.title);
    const auto put = [&](hid_t group, const Record& values) {
      for (const auto& [name, value] : values) {
        std::string safe = name;
        std::replace(safe.begin(), safe.end(), '/', '.');
        if (safe.empty() || H5Lexists(group, safe.c_str(), H5P_DEFAULT) > 0) continue;
        write_text(group, safe, value);
      }
    };
    const Hdf5Id instrument = make_group(entry, "instrument", "NXinstrument");
    put(instrument, record.instrument);
    const Hdf5Id source = make_group(instrument, "source", "NXsource");
    write_text(source, "probe", "x-ray");
    put(make_group(entry, "sample", "NXsample"), {{"name", record.sample_name}});
    put(make_group(entry, "scan", "NXcollection"), record.scan);
    const Hdf5Id process = make_group(entry, "reconstruction", "NXprocess");
    put(process, record.reconstruction);
    write_text(process, "configuration", record.configuration);
    put(make_group(process, "inputs", "NXcollection"), record.inputs);
    std::string findings;
    for (const std::string& finding : record.findings) findings += finding + "\n";
    write_text(process, "findings", findings);
  }

  void rename_into_place() {
    sync(partial, O_RDWR);
    fs::path sidecar = path;
    sidecar.replace_extension(".xmf");
    if (options.xdmf) {
      std::ofstream out(sidecar);
      out << xdmf_of(path, grid, options.type);
      if (!out.flush()) throw Error(ErrorKind::io, fmt::format("{}: cannot be written", sidecar.string()));
    }
    const int status = options.overwrite
                           ? ::rename(partial.c_str(), path.c_str())
                           : ::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE);
    if (status != 0) {
      const int error = errno;
      if (error == EINVAL && !fs::exists(path) && ::rename(partial.c_str(), path.c_str()) == 0) return;  // old file systems
      throw Error(ErrorKind::io, fmt::format("{}: the finished volume cannot be given its name: {}", path.string(),
                                             std::strerror(error)));
    }
    sync(path.has_parent_path() ? path.parent_path() : fs::path("."), O_RDONLY | O_DIRECTORY);
  }
};

VolumeWriter::VolumeWriter(fs::path path, const geometry::VolumeGrid& grid, const VolumeFileOptions& options)
    : state_(std::make_unique<State>(std::move(path), grid, options)) {
  geometry::validate(grid);
  state_->prepare_place();
  try {
    state_->create();
  } catch (...) {
    state_->file.reset();
    std::error_code ignored;
    fs::remove(state_->partial, ignored);
    throw;
  }
}

VolumeWriter::~VolumeWriter() {
  if (!state_ || state_->finished) return;
  state_->dataset.reset();
  state_->entry.reset();
  state_->file.reset();
  std::error_code ignored;
  fs::remove(state_->partial, ignored);
}

void VolumeWriter::write(int first_slice, View3<const float> slab) {
  State& s = *state_;
  expects(slab.nx == s.grid.nx && slab.ny == s.grid.ny && first_slice >= 0 && first_slice + slab.nz <= s.grid.nz,
          "the slab does not lie on the volume's grid");
  for (int z = first_slice; z < first_slice + slab.nz; ++z) {
    expects(!s.written[static_cast<std::size_t>(z)], "a slice was written twice");
    s.written[static_cast<std::size_t>(z)] = true;
  }
  const int height = static_cast<int>(s.chunk[0]);
  for (int z = first_slice; z < first_slice + slab.nz;) {
    const int layer_first = z / height * height, layer_slices = std::min(height, s.grid.nz - layer_first);
    const int count = std::min(first_slice + slab.nz, layer_first + layer_slices) - z;
    const View3<const float> part = slab.planes(z - first_slice, count);
    if (count == layer_slices) {
      s.store_layer(layer_first, part);
    } else {  // wait for the slab that has the rest
      State::Layer& layer = s.layers[layer_first];
      if (!layer.slices.data()) layer.slices = Array3<float>(s.grid.nx, s.grid.ny, layer_slices, "a layer of chunks");
      std::memcpy(layer.slices.view().row(0, z - layer_first), part.data, part.bytes());
      layer.filled += count;
      if (layer.filled == layer_slices) {
        s.store_layer(layer_first, layer.slices.view());
        s.layers.erase(layer_first);
      }
    }
    z += count;
  }
}

void VolumeWriter::finish(const VolumeRecord& record) {
  State& s = *state_;
  expects(std::all_of(s.written.begin(), s.written.end(), [](bool b) { return b; }), "not every slice was written");
  s.write_record(record);
  s.dataset.reset();
  s.entry.reset();
  check_hdf5(H5Fflush(s.file, H5F_SCOPE_GLOBAL), s.doing("be written"));
  s.file.reset();
  s.rename_into_place();
  s.finished = true;
}

std::int64_t VolumeWriter::clipped() const noexcept { return state_->clipped; }

}  // namespace feldspar::io
