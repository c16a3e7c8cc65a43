// Volumes as HDF5 files that silx, h5web, napari and ParaView open by themselves, with the record of how
// they came to be. Layout: docs/formats.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/findings.hpp"
#include "base/memory.hpp"
#include "geometry/volume_grid.hpp"
#include "io/hdf5/plan_record.hpp"
#include "io/output_rule.hpp"
#include "io/volume_sink.hpp"

namespace feldspar::io {

/// How voxels are stored: as they are, or as 65536 steps of a range.
enum class VoxelType { float32, uint16 };

/// How a volume file is written.
struct VolumeFileOptions {
  VoxelType type = VoxelType::float32;  ///< of the voxels in the file
  /// Range in 1/mm that uint16 spans; values beyond it are clipped, and the clipped voxels counted. NaN
  /// counts as clipped and becomes `lowest`.
  double lowest = 0;
  double highest = 0;      ///< 1/mm, the other end of the range
  int deflate = 0;         ///< 0 stores plainly; 1 .. 9 compresses (shuffle + deflate, readable everywhere)
  bool overwrite = false;  ///< replace an existing file instead of refusing
  /// What the volume is made from, as one line. When it is given, NAME.journal lists the slabs that are
  /// durable, and a run that fails leaves NAME.partial and the journal behind for another to go on with.
  /// Plain volumes only: the index of compressed ones does not survive a crash.
  std::string identity = {};
  bool resume = false;  ///< go on with what a run of the same identity left behind, if there is any
  int threads = 0;      ///< that convert and compress; 0 takes what the process may use
};

/// Named values of one group of the file, in order.
using Record = std::vector<std::pair<std::string, std::string>>;

/// How a volume came to be, stored when it is finished.
struct VolumeRecord {
  std::string title;          ///< of the volume, for viewers
  std::string sample_name;    ///< of what was scanned; empty when unknown
  Record sample = {};         ///< what else is known of it: cycle, capacity
  Record instrument;          ///< format, name, voltage, current, exposure, filter
  Record scan;                ///< what the source said: "XTekCT/SrcToObject" -> "176.9 (used)"
  Record reconstruction;      ///< program, version, command, device, plan, filter, timings, date
  Record inputs;              ///< path -> hash
  Record part = {};           ///< of which volume this is a part, and which one; empty for a whole one
  std::string configuration;  ///< the effective one, as TOML that can be replayed
  StoredPlan plan = {};       ///< what it came to
  Findings findings;          ///< warnings and assumptions
};

class VolumeReader;

/// What a writer of the volume at `path` makes, for check_outputs().
[[nodiscard]] std::vector<Output> volume_outputs(const std::filesystem::path& path);

/// Writes a volume under a temporary name beside the final one; finish() makes it durable and gives it its
/// name. Destroyed unfinished, it removes what it wrote, so nothing ever looks complete that is not.
class VolumeWriter final : public VolumeSink {
 public:
  /// Slices that are stored together. Slabs that begin and end at multiples of it need no memory here;
  /// others keep up to this many slices of the volume (at most four times as many when slabs come out of
  /// order) until their neighbours have come.
  static constexpr int layer_slices = 16;

  /// Throws Error(io) when the file cannot be made there, exists and may not be replaced, or the disk has
  /// no room for the volume.
  VolumeWriter(std::filesystem::path path, const geometry::VolumeGrid& grid,
               const VolumeFileOptions& options);
  ~VolumeWriter() override;
  VolumeWriter(const VolumeWriter&) = delete;
  VolumeWriter& operator=(const VolumeWriter&) = delete;

  /// Stores a slab, of the grid's width and height. Slabs may come in any order, each once. Throws Error(io).
  void write(int first_slice, View3<const float> slab) override;

  /// True when the run that this one goes on with stored all of these slices.
  [[nodiscard]] bool has(geometry::Range slices) const override;

  /// Asks a complete file that has not its name yet whether it is right. What it returns is stored as
  /// /entry/verification; what it throws leaves the file without its name.
  using Verification = std::function<Record(const VolumeReader&)>;

  /// Writes the record, verifies, makes the file durable and gives it its name, in one step and for good:
  /// nothing edits it afterwards. Throws Error(internal) unless every slice has been written, Error(io).
  void finish(const VolumeRecord& record, const Verification& verify = {});

  /// What is stored so far is wrong: no later run shall go on with it.
  void distrust() noexcept;

  /// True when another run could go on with what is stored so far.
  [[nodiscard]] bool can_be_resumed() const noexcept;

  /// Voxels clipped to the range of uint16 so far.
  [[nodiscard]] std::int64_t clipped() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What the voxels of a file can hold.
struct StoredRange {
  double lowest = -std::numeric_limits<double>::infinity();  ///< 1/mm
  double highest = std::numeric_limits<double>::infinity();  ///< 1/mm
  double quantum = 0;  ///< 1/mm from one value to the next; 0 for floating point
};
/// True when a run of this identity has finished the volume at `path`; what it may have left beside it is
/// removed then. Throws what VolumeReader throws.
[[nodiscard]] bool is_finished(const std::filesystem::path& path, const std::string& identity);

/// A volume file open for reading.
class VolumeReader {
 public:
  /// `ours`: this process has the file locked, as one in the making is. Throws Error(io) when it cannot be
  /// read, Error(bad_file) when it is no volume of this layout.
  explicit VolumeReader(const std::filesystem::path& path, bool ours = false);
  ~VolumeReader();
  VolumeReader(const VolumeReader&) = delete;
  VolumeReader& operator=(const VolumeReader&) = delete;

  [[nodiscard]] const geometry::VolumeGrid& grid() const noexcept;  ///< where its voxels are
  [[nodiscard]] const std::string& title() const noexcept;          ///< VolumeRecord::title
  [[nodiscard]] StoredRange range() const noexcept;                 ///< what its voxels can hold
  /// The file itself and those that hold its voxels for it.
  [[nodiscard]] std::vector<std::filesystem::path> files() const;

  /// Voxels [x, x+nx) x [y, y+ny) x [z, z+nz) in 1/mm.
  [[nodiscard]] Array3<float> read(int x, int nx, int y, int ny, int z, int nz) const;

  /// Slices [z, z+nz), whole, in 1/mm; `hashes` gets what the hash of each one's stored values is now.
  [[nodiscard]] Array3<float> read_slices(int z, int nz, std::vector<std::string>& hashes) const;

  /// What the hashes of all slices were when they were written; none of a volume of an earlier version.
  [[nodiscard]] const std::vector<std::string>& layer_hashes() const noexcept;

  /// One stored text value, as "reconstruction/version"; empty when absent.
  [[nodiscard]] std::string text(const std::string& name) const;

  /// All texts of a group, as "sample"; none when absent.
  [[nodiscard]] Record record(const std::string& group) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace feldspar::io
