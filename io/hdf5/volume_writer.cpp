// Writing a volume file: the voxels as they come, the record at the end.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/units.hpp"
#include "io/hdf5/chunk_writer.hpp"
#include "io/hdf5/handle.hpp"
#include "io/hdf5/layout.hpp"
#include "io/hdf5/output_file.hpp"
#include "io/hdf5/slab_journal.hpp"
#include "io/hdf5/text.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/hdf5/volume_mark.hpp"
#include "io/hdf5/vtk_group.hpp"
#include "io/partial_file.hpp"

namespace feldspar::io {
namespace {

using namespace hdf5;

VoxelCoding coding_of(const VolumeFileOptions& options) {
  if (options.type == VoxelType::float32) return {};
  if (!(std::isfinite(options.lowest) && std::isfinite(options.highest) && options.lowest < options.highest))
    throw Error(ErrorKind::usage,
                fmt::format("the range of a uint16 volume must have two finite ends, the lower first; "
                            "it is {} to {} 1/mm",
                            options.lowest, options.highest));
  return {VoxelType::uint16, (options.highest - options.lowest) / VoxelCoding::highest_code, options.lowest};
}

std::array<hsize_t, 3> extent_of(Shape shape) {
  return {static_cast<hsize_t>(shape.nz), static_cast<hsize_t>(shape.ny), static_cast<hsize_t>(shape.nx)};
}

Dataset create_voxels(const Group& group, Shape volume, VoxelCoding coding, int deflate) {
  const Properties create(H5Pcreate(H5P_DATASET_CREATE), "making dataset properties");
  check(H5Pset_chunk(create, 3, extent_of(chunk_shape(volume)).data()), "setting the chunks");
  check(H5Pset_fill_time(create, H5D_FILL_TIME_NEVER), "leaving the fill out");
  // Plain chunks get their places at once: from then on the file's index never changes, and a crash cannot
  // tear it.
  if (deflate == 0) check(H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY), "placing the chunks");
  if (deflate > 0) {
    check(H5Pset_shuffle(create), "adding shuffle");
    check(H5Pset_deflate(create, static_cast<unsigned>(deflate)), "adding deflate");
  }
  const Space space(H5Screate_simple(3, extent_of(volume).data(), nullptr), "describing the volume");
  const hid_t type = coding.type == VoxelType::float32 ? H5T_IEEE_F32LE : H5T_STD_U16LE;
  return {H5Dcreate2(group, layout::voxels, type, space, H5P_DEFAULT, create, H5P_DEFAULT),
          "making the voxels"};
}

void put_element_size(const Dataset& voxels, const geometry::VolumeGrid& grid) {
  const double size[3] = {grid.spacing.z * 1e3, grid.spacing.y * 1e3, grid.spacing.x * 1e3};
  const hsize_t three = 3;
  const Space space(H5Screate_simple(1, &three, nullptr), "describing a row");
  const Attribute element(
      H5Acreate2(voxels, "element_size_um", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT),
      "making an attribute");
  check(H5Awrite(element, H5T_NATIVE_DOUBLE, size), "writing an attribute");
}

void describe_voxels(const Dataset& voxels, const geometry::VolumeGrid& grid, VoxelCoding coding) {
  put_attribute(voxels, "interpretation", "image");
  put_element_size(voxels, grid);
  if (coding.type == VoxelType::float32) {
    put_attribute(voxels, "units", layout::per_mm);
    put_attribute(voxels, "long_name", "Linear attenuation");
    return;
  }
  // Viewers show the codes: the name must say what they are, and no unit may claim they were 1/mm.
  put_attribute(
      voxels, "long_name",
      fmt::format("Linear attenuation, 16-bit code (1/mm = code * {} + {})", coding.factor, coding.offset));
  put_attribute(voxels, "scale_factor", coding.factor);  // the names of the CF conventions, for xarray
  put_attribute(voxels, "add_offset", coding.offset);
}

void put_coding(const Group& group, VoxelCoding coding) {
  if (coding.type == VoxelType::float32) return;
  put_attribute(put_number(group, layout::scaling_factor, coding.factor), "units", layout::per_mm);
  put_attribute(put_number(group, layout::offset, coding.offset), "units", layout::per_mm);
}

void put_axis(const Group& group, int dimension, int count, double first, double spacing) {
  std::vector<double> centres(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) centres[i] = first + i * spacing;
  const std::string name = layout::axes[dimension];
  const Dataset axis = put_numbers(group, name, centres);
  put_attribute(axis, "units", "mm");
  put_attribute(axis, "long_name", name);
  put_attribute(axis, layout::spacing, spacing);
  put_indices(group, (name + "_indices").c_str(), dimension);
}

void put_inputs(const Group& reconstruction, const Record& inputs) {
  std::vector<std::string> paths, hashes;
  for (const auto& [path, hash] : inputs) {
    paths.push_back(path);
    hashes.push_back(hash);
  }
  const Group group = make_group(reconstruction, "inputs", "NXcollection");
  put_texts(group, "path", paths);
  put_texts(group, "hash", hashes);
}

void put_reconstruction(const Group& entry, const VolumeRecord& record,
                        const std::vector<std::string>& hashes) {
  const Group reconstruction = make_group(entry, "reconstruction", "NXprocess");
  put_texts(reconstruction, layout::layer_hashes, hashes);
  put_text(reconstruction, "configuration", record.configuration);
  put_plan(reconstruction, record.plan);
  put_texts(reconstruction, "findings", texts_of(record.findings));
  if (!record.findings.empty()) put_texts(reconstruction, "finding_data", data_of(record.findings));
  put_inputs(reconstruction, record.inputs);
  put_record(reconstruction, record.reconstruction);
}

void put_volume_record(const Group& entry, const VolumeRecord& record,
                       const std::vector<std::string>& hashes) {
  put_text(entry, "title", record.title);
  put_text(Group(H5Gopen2(entry, layout::data_group, H5P_DEFAULT), "opening the data"), "title",
           record.title);
  put_text(entry, "definition", "NXtomoproc");
  const Group sample = make_group(entry, "sample", "NXsample");
  put_text(sample, "name", record.sample_name);
  put_record(sample, record.sample);
  const Group instrument = make_group(entry, "instrument", "NXinstrument");
  put_text(make_group(instrument, "source", "NXsource"), "probe", "x-ray");
  put_record(instrument, record.instrument);
  put_record(make_group(entry, "scan", "NXcollection"), record.scan);
  if (!record.part.empty()) put_record(make_group(entry, "part", "NXcollection"), record.part);
  put_reconstruction(entry, record, hashes);
}

std::filesystem::path journal_of(std::filesystem::path path) { return path += ".journal"; }

}  // namespace

std::vector<Output> volume_outputs(const std::filesystem::path& path) {
  const std::filesystem::path journal = journal_of(path);
  return {{path}, {journal, Output::Kind::side_file}, {journal.string() + ".new", Output::Kind::side_file}};
}

struct VolumeWriter::State {
  State(std::filesystem::path path, const geometry::VolumeGrid& volume, const VolumeFileOptions& chosen)
      : grid(volume),
        options(chosen),
        coding(coding_of(chosen)),
        journal(journal_of(path), chosen.identity),
        partial(std::move(path), chosen.overwrite,
                chosen.resume && chosen.deflate == 0 && !chosen.identity.empty() ? PartialFile::Start::as_left
                                                                                 : PartialFile::Start::empty),
        need(volume.voxels() * coding.bytes()) {}
  /// Giving up first: what HDF5 still writes while it closes the file goes nowhere. What a journal vouches
  /// for is kept.
  ~State() {
    if (journaled() && !distrusted && !journal.empty()) partial.keep(true);
    if (journaled() && !partial.kept()) journal.remove();
    partial.give_up();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void check_room() const {
    const std::uint64_t room = partial.room();
    if (room >= need) return;
    const std::string message =
        fmt::format("{}: the volume takes {}{}, and its disk has room for {}", partial.final_path().string(),
                    format_bytes(need), options.deflate > 0 ? " before compression" : "", format_bytes(room));
    if (options.deflate == 0)
      throw Error(ErrorKind::io, message + "; free some, choose another disk, or store uint16 or compressed");
    log_warning(message);
  }

  /// Runs `body`; what HDF5 could not do becomes an Error that names the file and its need.
  template <class Body>
  void guarded(Body&& body) {
    const std::scoped_lock lock(mutex);
    silence();
    try {
      body();
      file.check();
    } catch (const Failure& failure) {
      const char* const reason = partial.error() != 0 ? std::strerror(partial.error()) : failure.what();
      throw Error(ErrorKind::io, fmt::format("{}: cannot be written: {} (the volume takes {}, room left {})",
                                             partial.final_path().string(), reason, format_bytes(need),
                                             format_bytes(partial.room())));
    }
  }

  void create() {
    const Shape shape{grid.nx, grid.ny, grid.nz};
    file = OutputFile::create(partial);
    put_root_attributes(file);
    entry = make_group(file, layout::entry, "NXentry");
    put_attribute(entry, "default", layout::data_group);
    const Group data = make_group(entry, layout::data_group, "NXdata");
    const std::vector<std::string> axes(std::begin(layout::axes), std::end(layout::axes));
    put_attribute(data, "signal", layout::voxels);
    put_attribute(data, "axes", axes);
    put_axis(data, 0, grid.nz, grid.origin.z, grid.spacing.z);
    put_axis(data, 1, grid.ny, grid.origin.y, grid.spacing.y);
    put_axis(data, 2, grid.nx, grid.origin.x, grid.spacing.x);
    put_coding(data, coding);
    put_vtk_group(file, grid, coding);
    voxels = create_voxels(data, shape, coding, options.deflate);  // last: end_journal() keeps what is before
    describe_voxels(voxels, grid, coding);
    chunks.emplace(voxels, shape, coding, options.deflate, options.threads);
  }

  [[nodiscard]] bool journaled() const { return !options.identity.empty() && options.deflate == 0; }

  /// Opens what an earlier run left behind. False when there is nothing to go on with.
  bool go_on() {
    partial.keep(true);  // an error from here on must not cost what another run left
    const auto [entries, index] = journal.read();
    partial.keep(!entries.empty());
    if (entries.empty()) return false;
    if (index && !partial.restore(*index)) {
      log_warning(fmt::format("{}: is not the file that its journal describes: starting again",
                              partial.temporary_path().string()));
      partial.keep(false);
      return false;
    }
    const Shape shape{grid.nx, grid.ny, grid.nz};
    try {
      file = OutputFile::reopen(partial);
      entry = Group(H5Gopen2(file, layout::entry, H5P_DEFAULT), "opening the entry");
      voxels = Dataset(H5Dopen2(file, layout::voxels_path, H5P_DEFAULT), "opening the voxels");
    } catch (const Failure& failure) {
      log_warning(fmt::format("{}: cannot be gone on with ({}): starting again",
                              partial.temporary_path().string(), failure.what()));
      voxels = {}, entry = {}, file = {};
      partial.keep(false);
      return false;
    }
    chunks.emplace(voxels, shape, coding, options.deflate, options.threads);
    for (const auto& [slices, clipped_there, hashes] : entries) {
      if (slices.end > grid.nz)
        throw Error(ErrorKind::bad_file,
                    fmt::format("{}: its journal names slices that the volume has not",
                                partial.final_path().string()),
                    {{"resume", "", "start again without"}});
      chunks->take_as_written(slices, clipped_there, hashes);
    }
    clipped = chunks->clipped();
    resumed = true;
    journal.begin(entries);
    return true;
  }

  /// Makes an empty file that a crash from now on leaves readable.
  void begin_journal() {
    check(H5Fflush(file, H5F_SCOPE_LOCAL), "writing the index");
    partial.sync();
    journal.begin({});
  }

  /// Writes what is not there from an earlier run, whose slabs may have been cut elsewhere.
  void write(int first_slice, View3<const float> slab) {
    for (int z = 0; z < slab.nz;) {
      int end = z + 1;
      const bool there = resumed && chunks->has({first_slice + z, first_slice + end});
      while (end < slab.nz && there == (resumed && chunks->has({first_slice + end, first_slice + end + 1})))
        ++end;
      if (!there) {
        chunks->write(first_slice + z, slab.planes(z, end - z));
        const std::int64_t before = std::exchange(clipped, chunks->clipped());
        note({first_slice + z, first_slice + end}, clipped - before);
      }
      z = end;
    }
  }

  /// Vouches for slices that were written just now, if all their chunks are in the file.
  void note(geometry::Range slices, std::int64_t clipped_there) {
    const bool whole =
        slices.first % layer_slices == 0 && (slices.end % layer_slices == 0 || slices.end == grid.nz);
    if (!journaled() || !whole) return;
    file.check();
    partial.sync();
    const auto& hashes = chunks->hashes();
    journal.add({slices, clipped_there, {hashes.begin() + slices.first, hashes.begin() + slices.end}});
  }

  /// Keeps what the record is going to change: all that lies before the voxels.
  void end_journal() {
    const hsize_t first_chunk[3] = {0, 0, 0};
    unsigned filters = 0;
    haddr_t address = 0;
    hsize_t bytes = 0;
    check(H5Dget_chunk_info_by_coord(voxels, first_chunk, &filters, &address, &bytes), "finding the voxels");
    journal.end(partial.head(address));
  }

  void close() {
    chunks.reset();
    voxels.close("closing the voxels");
    entry.close("closing the entry");
    file.close();
  }

  geometry::VolumeGrid grid;
  VolumeFileOptions options;
  VoxelCoding coding;
  SlabJournal journal;
  PartialFile partial;
  std::uint64_t need;
  std::mutex mutex;
  OutputFile file;
  Group entry;
  Dataset voxels;
  std::optional<ChunkWriter> chunks;
  std::int64_t clipped = 0;
  bool resumed = false;
  bool distrusted = false;
};

VolumeWriter::VolumeWriter(std::filesystem::path path, const geometry::VolumeGrid& grid,
                           const VolumeFileOptions& options) {
  if (grid.nx <= 0 || grid.ny <= 0 || grid.nz <= 0)
    throw Error(ErrorKind::usage, fmt::format("{}: a volume of {} x {} x {} voxels cannot be written",
                                              path.string(), grid.nx, grid.ny, grid.nz));
  if (options.deflate < 0 || options.deflate > 9)
    throw Error(ErrorKind::usage, fmt::format("deflate is {}; it goes from 0 to 9", options.deflate));
  state_ = std::make_unique<State>(std::move(path), grid, options);
  state_->check_room();
  state_->guarded([this] {
    if (state_->options.resume && state_->journaled() && state_->go_on()) return;
    // A journal that another run left must never vouch for the file that is made now.
    state_->journal.remove();
    state_->create();
    if (state_->journaled()) state_->begin_journal();
  });
}

bool VolumeWriter::has(geometry::Range slices) const { return state_->chunks && state_->chunks->has(slices); }

VolumeWriter::~VolumeWriter() = default;

void VolumeWriter::write(int first_slice, View3<const float> slab) {
  state_->guarded([&] {
    expects(state_->chunks.has_value(), "a slab came after the volume was finished");
    state_->write(first_slice, slab);
  });
}

void VolumeWriter::finish(const VolumeRecord& record, const Verification& verify) {
  State& state = *state_;
  state.guarded([&] {
    expects(state.chunks && state.chunks->complete(),
            "a volume was finished before all its slices were written");
    if (state.journaled()) state.end_journal();
    put_volume_record(state.entry, record, state.chunks->hashes());
    state.close();
  });
  if (verify) {
    const Record found = verify(VolumeReader(state.partial.temporary_path(), true));
    state.guarded([&] { put_verification(state.partial, found); });
  }
  state.partial.publish();
  state.journal.remove();
}

bool is_finished(const std::filesystem::path& path, const std::string& identity) {
  if (!is_volume(path) || VolumeReader(path).text("reconstruction/identity") != identity) return false;
  SlabJournal(journal_of(path), identity).remove();  // of a run that was killed right after it gave the name
  return true;
}

void VolumeWriter::distrust() noexcept {
  state_->journal.remove();
  state_->partial.keep(false);
  state_->distrusted = true;
}

bool VolumeWriter::can_be_resumed() const noexcept {
  return state_->journaled() && !state_->distrusted && !state_->journal.empty();
}

std::int64_t VolumeWriter::clipped() const noexcept { return state_->clipped; }

}  // namespace feldspar::io
