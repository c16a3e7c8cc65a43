// Checks the parts against each other, then writes a file that maps their voxels or holds a copy of them.
#include "io/hdf5/volume_join.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "io/hdf5/copies.hpp"
#include "io/hdf5/handle.hpp"
#include "io/hdf5/layout.hpp"
#include "io/hdf5/output_file.hpp"
#include "io/hdf5/text.hpp"
#include "io/hdf5/voxel_coding.hpp"
#include "io/hdf5/vtk_group.hpp"
#include "io/partial_file.hpp"

namespace feldspar::io {
namespace {

using namespace hdf5;

struct Part {
  std::filesystem::path path;
  VolumePart about;
  geometry::VolumeGrid grid;
  Findings findings;
  std::vector<std::string> hashes;  ///< of its layers
};

Part read_part(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::path unfinished = path;
  unfinished += ".partial";
  if (!std::filesystem::exists(path, ignored) && std::filesystem::exists(unfinished, ignored))
    throw Error(ErrorKind::io, fmt::format("{}: is not complete yet", path.string()),
                {{"resume", "", "wait for its run, or repeat that run's command with"}});
  const VolumeReader volume(path);
  return {
      path, part_in(volume, path), volume.grid(),
      findings_in_lines(volume.text("reconstruction/findings"), volume.text("reconstruction/finding_data")),
      volume.layer_hashes()};
}

[[noreturn]] void refuse(const Part& part, const std::string& what) {
  throw Error(ErrorKind::bad_file, fmt::format("{}: {}", part.path.string(), what));
}

void check_alike(const Part& part, const Part& first) {
  if (part.about.identity != first.about.identity)
    refuse(part,
           fmt::format("was made from other inputs, with other options, on another kind of device or by "
                       "another version than {}; make both by the same command",
                       first.path.string()));
  const geometry::VolumeGrid &a = part.grid, &b = first.grid;
  if (a.nx != b.nx || a.ny != b.ny || a.spacing != b.spacing || a.origin.x != b.origin.x ||
      a.origin.y != b.origin.y || part.about.whole_slices != first.about.whole_slices)
    refuse(part,
           fmt::format("is {} x {} voxels of a volume of {} slices, but {} is {} x {} of {}", a.nx, a.ny,
                       part.about.whole_slices, first.path.string(), b.nx, b.ny, first.about.whole_slices));
}

/// Throws unless the part's slices begin at `end`.
void check_follows(const Part& part, int end) {
  const geometry::Range& here = part.about.slices;
  if (here.first < end)
    refuse(part, fmt::format("holds slices {} to {}, but another part has them up to {} already; give each "
                             "part once",
                             here.first, here.end - 1, end - 1));
  if (here.first > end)
    refuse(part, fmt::format("begins with slice {}, but no part has slices {} to {}; give that part as well",
                             here.first, end, here.first - 1));
}

/// Throws unless the parts, ordered by their slices, hold each slice of the volume once.
void check_complete(const std::vector<Part>& parts) {
  int end = 0;
  for (const Part& part : parts) {
    check_alike(part, parts.front());
    check_follows(part, end);
    end = part.about.slices.end;
  }
  const Part& last = parts.back();
  if (end < last.about.whole_slices)
    refuse(last,
           fmt::format("is the last part and ends before slice {} of {}; give the missing parts as well", end,
                       last.about.whole_slices));
}

std::vector<Part> read_parts(const std::vector<std::filesystem::path>& paths) {
  expects(!paths.empty(), "there are no parts to join", ErrorKind::usage);
  std::vector<Part> parts;
  parts.reserve(paths.size());
  for (const auto& path : paths) parts.push_back(read_part(path));
  std::sort(parts.begin(), parts.end(),
            [](const Part& a, const Part& b) { return a.about.slices.first < b.about.slices.first; });
  check_complete(parts);
  return parts;
}

File open_part(const Part& part) {
  return {H5Fopen(part.path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening a part"};
}

/// Where the file at `output` finds the part: as seen from its folder, so that both may move together.
std::string seen_from(const std::filesystem::path& output, const Part& part) {
  const auto folder = std::filesystem::weakly_canonical(std::filesystem::absolute(output).parent_path());
  return std::filesystem::canonical(part.path).lexically_relative(folder).string();
}

/// One volume in the making.
class Joining {
 public:
  Joining(const std::vector<Part>& parts, const std::filesystem::path& output, const JoinOptions& options)
      : parts_(parts), output_(output), options_(options), partial_(output, options.overwrite) {
    grid_ = parts.front().grid;
    grid_.nz = parts.front().about.whole_slices;
    grid_.origin.z = parts.front().about.origin_z;
    const File first = open_part(parts.front());
    const Group data(H5Gopen2(first, "/entry/data", H5P_DEFAULT), "opening the data of a part");
    coding_ = coding_in(data, Dataset(H5Dopen2(data, layout::voxels, H5P_DEFAULT), "opening the voxels"));
  }

  void write(Progress& progress) {
    check_room();
    OutputFile file = OutputFile::create(partial_);
    {
      put_root_attributes(file);
      const File first = open_part(parts_.front());
      const Group entry(H5Gcreate2(file, layout::entry, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                        "making the entry");
      const Group model(H5Gopen2(first, layout::entry, H5P_DEFAULT), "opening the entry of a part");
      copy_attributes(model, entry);
      copy_members(model, entry, {layout::data_group, "part"});
      file.check();
      put_vtk_group(file, grid_, coding_);
      put_data(model, entry, progress);
      put_history(entry);
    }
    file.close();
  }

  /// Asks `verify`, and gives the file its name.
  void publish(const VolumeWriter::Verification& verify) {
    if (verify) {
      const Record found = verify(VolumeReader(partial_.temporary_path(), true));
      put_verification(partial_, found);
    }
    partial_.publish();
  }

  /// The reason of a failure that the system gave; 0 without any.
  [[nodiscard]] int error() const noexcept { return partial_.error(); }

 private:
  void check_room() const {
    const std::uint64_t need = options_.solid ? grid_.voxels() * coding_.bytes() : 0;
    if (need > partial_.room())
      throw Error(ErrorKind::io,
                  fmt::format("{}: the volume takes {} bytes, and its disk has room for {}", output_.string(),
                              need, partial_.room()),
                  {{"solid", "", "it takes none without"}});
  }

  void put_data(const Group& model, const Group& entry, Progress& progress) {
    const Group from(H5Gopen2(model, layout::data_group, H5P_DEFAULT), "opening the data of a part");
    const Group data(H5Gcreate2(entry, layout::data_group, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                     "making the data");
    copy_attributes(from, data);
    copy_members(from, data, {layout::voxels, layout::axes[0]});
    std::vector<double> centres;
    centres.reserve(static_cast<std::size_t>(grid_.nz));
    for (int k = 0; k < grid_.nz; ++k) centres.push_back(grid_.centre_of(0, 0, k).z);
    const Dataset z = put_numbers(data, layout::axes[0], centres);
    copy_attributes(Dataset(H5Dopen2(from, layout::axes[0], H5P_DEFAULT), "opening an axis"), z);
    const Dataset voxels(H5Dopen2(from, layout::voxels, H5P_DEFAULT), "opening the voxels of a part");
    const Dataset joined = make_voxels(voxels, data);
    copy_attributes(voxels, joined);
    if (options_.solid) copy_voxels(joined, progress);
  }

  Dataset make_voxels(const Dataset& model, const Group& data) const {
    const Type type(H5Dget_type(model), "asking for the type");
    const hsize_t extent[3] = {hsize_t(grid_.nz), hsize_t(grid_.ny), hsize_t(grid_.nx)};
    const Space space(H5Screate_simple(3, extent, nullptr), "describing the volume");
    const Properties create = options_.solid ? Properties(H5Dget_create_plist(model), "asking for the chunks")
                                             : mapping(type, space);
    return {H5Dcreate2(data, layout::voxels, type, space, H5P_DEFAULT, create, H5P_DEFAULT),
            "making the voxels"};
  }

  Properties mapping(const Type& type, const Space& whole) const {
    Properties create(H5Pcreate(H5P_DATASET_CREATE), "making dataset properties");
    if (H5Tget_class(type) == H5T_FLOAT) {
      const float missing = std::numeric_limits<float>::quiet_NaN();  // what a lost part reads as
      check(H5Pset_fill_value(create, H5T_NATIVE_FLOAT, &missing), "setting the fill value");
    }
    for (const Part& part : parts_) {
      const Space here = slices_of(whole, part.about.slices);
      const hsize_t extent[3] = {hsize_t(part.grid.nz), hsize_t(grid_.ny), hsize_t(grid_.nx)};
      const Space there(H5Screate_simple(3, extent, nullptr), "describing a part");
      check(H5Pset_virtual(create, here, seen_from(output_, part).c_str(), layout::voxels_path, there),
            "mapping a part");
    }
    return create;
  }

  Space slices_of(const Space& whole, geometry::Range slices) const {
    Space part(H5Scopy(whole), "copying a space");
    const hsize_t start[3] = {hsize_t(slices.first), 0, 0};
    const hsize_t count[3] = {hsize_t(slices.count()), hsize_t(grid_.ny), hsize_t(grid_.nx)};
    check(H5Sselect_hyperslab(part, H5S_SELECT_SET, start, nullptr, count, nullptr), "choosing slices");
    return part;
  }

  void copy_voxels(const Dataset& joined, Progress& progress) const {
    constexpr int step = VolumeWriter::layer_slices;
    progress.expect(grid_.nz);
    const Type type(H5Dget_type(joined), "asking for the type");
    const Space whole(H5Dget_space(joined), "asking for the extent");
    const Array3<std::byte> layer(grid_.nx * static_cast<int>(coding_.bytes()), grid_.ny, step, "slices");
    for (const Part& part : parts_) {
      const File file = open_part(part);
      const Dataset voxels(H5Dopen2(file, layout::voxels_path, H5P_DEFAULT), "opening the voxels of a part");
      const Space there(H5Dget_space(voxels), "asking for the extent");
      for (int z = 0; z < part.grid.nz; z += step) {
        const geometry::Range from{z, std::min(part.grid.nz, z + step)};
        const int first = part.about.slices.first + z;
        const hsize_t extent[3] = {hsize_t(from.count()), hsize_t(grid_.ny), hsize_t(grid_.nx)};
        const Space memory(H5Screate_simple(3, extent, nullptr), "describing slices");
        check(H5Dread(voxels, type, memory, slices_of(there, from), H5P_DEFAULT, layer.data()),
              ("reading " + part.path.string()).c_str());
        check(H5Dwrite(joined, type, memory, slices_of(whole, {first, first + from.count()}), H5P_DEFAULT,
                       layer.data()),
              "writing the voxels");
        if (partial_.error() != 0) throw Failure("writing the voxels");
        progress.advance(from.count(), "joining");
      }
    }
  }

  /// What each run recorded, and the findings of all of them at the place where readers look.
  void put_history(const Group& entry) const {
    Findings findings;
    std::vector<std::string> hashes;
    const Group history = make_group(entry, "parts", "NXcollection");
    for (const Part& part : parts_) {
      for (const Finding& finding : part.findings)
        if (std::find(findings.begin(), findings.end(), finding) == findings.end())
          findings.push_back(finding);
      hashes.insert(hashes.end(), part.hashes.begin(), part.hashes.end());
      const Group group = make_group(history, part.path.filename().string(), "NXcollection");
      put_record(group,
                 {{"slices", fmt::format("{} to {}", part.about.slices.first, part.about.slices.end - 1)}});
      const File file = open_part(part);
      check(H5Ocopy(file, "/entry/reconstruction", group, "reconstruction", H5P_DEFAULT, H5P_DEFAULT),
            "copying the record of a part");
    }
    const Group reconstruction(H5Gopen2(entry, "reconstruction", H5P_DEFAULT), "opening the record");
    for (const char* replaced : {"findings", "finding_data", "identity", layout::layer_hashes})
      if (H5Lexists(reconstruction, replaced, H5P_DEFAULT) > 0)
        check(H5Ldelete(reconstruction, replaced, H5P_DEFAULT), "replacing a record");
    put_texts(reconstruction, "findings", texts_of(findings));
    if (!findings.empty()) put_texts(reconstruction, "finding_data", data_of(findings));
    if (static_cast<int>(hashes.size()) == grid_.nz) put_texts(reconstruction, layout::layer_hashes, hashes);
    put_record(reconstruction,
               {{"identity", parts_.front().about.identity},
                {"joined", fmt::format("{} parts, {}; times and counts here are of the first", parts_.size(),
                                       options_.solid ? "copied" : "virtual")}});
  }

  const std::vector<Part>& parts_;
  const std::filesystem::path& output_;
  JoinOptions options_;
  PartialFile partial_;
  geometry::VolumeGrid grid_;
  VoxelCoding coding_;
};

}  // namespace

bool join_volumes(const std::vector<std::filesystem::path>& paths, const std::filesystem::path& output,
                  const JoinOptions& options, Progress& progress, const VolumeWriter::Verification& verify) {
  silence();
  const std::vector<Part> parts = read_parts(paths);
  if (!options.overwrite && is_finished(output, parts.front().about.identity)) return false;
  std::optional<Joining> joining;
  try {
    joining.emplace(parts, output, options);
    joining->write(progress);
    joining->publish(verify);
  } catch (const Failure& failure) {
    const int error = joining ? joining->error() : 0;
    throw Error(ErrorKind::io, fmt::format("{}: cannot be written: {}", output.string(),
                                           error != 0 ? std::strerror(error) : failure.what()));
  }
  return true;
}

}  // namespace feldspar::io
