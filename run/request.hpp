// What is wanted of a reconstruction: every choice there is, typed, with its default. Nothing in it needs a
// file to be opened.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/units.hpp"
#include "geometry/similarity.hpp"
#include "geometry/vec3.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/open_scan.hpp"
#include "kernels/ramp.hpp"
#include "recon/correct/find_corrections.hpp"
#include "recon/correct/scatter.hpp"
#include "recon/correct/stripe_free_source.hpp"
#include "recon/truncation/context.hpp"
#include "recon/truncation/outline.hpp"

namespace feldspar::run {

/// Views first, first + step, ... before `end`, as in Python.
struct ViewRange {
  int first = 0;                          ///< index
  std::optional<int> end = std::nullopt;  ///< the index behind the last; none for all
  int step = 1;                           ///< from each to the next

  /// True where nothing is left out.
  [[nodiscard]] bool is_all() const { return first == 0 && !end && step == 1; }
  /// Their indices out of `count`. Throws Error(usage) where none is left or `end` is beyond them.
  [[nodiscard]] std::vector<int> of(int count) const;
};

/// One share of the slabs of a volume, as a node of a cluster does it.
struct ShareOf {
  int number = 1;  ///< from 1
  int count = 1;   ///< of all shares

  /// True where there is one share only.
  [[nodiscard]] bool is_whole() const { return count == 1; }
};

/// What a scan's file may state: compared with the projections, and looked for in them where it does not;
/// taken from the file at its word; or looked for anyhow.
enum class From { checked, file, search };
/// Something that is left alone, or done as the scan needs it.
enum class Treatment { off, automatic };

/// How a line integral is mapped to what it were at one energy; coefficients of p^0, p^1, ...
struct Hardening {
  /// Where it is from.
  enum class Kind { file, search, off, given };
  Kind kind = Kind::file;               ///< of this one
  std::vector<double> polynomial = {};  ///< where it is given
};

/// Neighbouring views that back-projection merges.
struct Merging {
  /// How many.
  enum class Kind { off, automatic, given };
  Kind kind = Kind::automatic;  ///< of this one
  int views = 1;                ///< where it is given
};

/// What a run may use.
struct Machine {
  std::string device = "auto";              ///< as kernels::open_backends
  std::optional<std::size_t> memory{};      ///< bytes of the whole process; none for default_memory()
  std::optional<std::size_t> gpu_memory{};  ///< bytes of each GPU; none for what its driver has free
  int threads = 0;                          ///< 0 for all that the process may use
};

/// What is wanted: everything that `feldspar recon` can be told.
struct Request {
  Request();  ///< with every default

  // Input
  std::filesystem::path scan;    ///< a file of it, or its folder
  io::OpenOptions open;          ///< how the scan is read
  ViewRange views;               ///< of the scan, that take part
  std::filesystem::path sample;  ///< what is known of it, io::read_sample(); empty for none

  // Region
  std::optional<double> voxel_size;               ///< mm; none for pitch / magnification
  std::optional<std::array<int, 3>> size;         ///< voxels in x, y, z; none for what the detector covers
  std::optional<geometry::Vec3> center;           ///< mm from the axis at the height of the central ray
  std::filesystem::path like;                     ///< a volume whose voxels to take; empty for none
  std::optional<geometry::Similarity> transform;  ///< where the scan's object lies among the voxels
  std::filesystem::path transform_file;           ///< that it stands in; empty where it was given
  bool cut_to_object = false;                     ///< the smallest box around the object

  // Geometry
  std::variant<From, LengthOrPixels> axis_offset =
      From::checked;                  ///< at the object, to the right of the central ray
  std::optional<double> axis_roll;    ///< rad; none as found or stated
  Treatment motion = Treatment::off;  ///< looking for shifts of single views

  // Corrections
  recon::CorrectionChoice correct;              ///< which of the intensities' errors to look for
  std::optional<recon::StripeMethod> stripes;   ///< of rings in sinograms; none by the gain of pixels
  Hardening hardening;                          ///< of the beam
  recon::ScatterModel scatter;                  ///< that is taken off the counts
  Treatment truncation = Treatment::automatic;  ///< of rows that the detector cuts off
  std::optional<recon::Outline> outline;        ///< of an object that is wider than the detector
  std::filesystem::path context;                ///< a wide volume; empty for none
  std::optional<recon::Placement> context_at;   ///< where this scan is in it

  // Filter and back-projection
  kernels::RampOptions ramp;  ///< the filter's
  Merging merging;            ///< of views

  // Output
  std::filesystem::path output;                 ///< the volume's file, .h5
  ShareOf share;                                ///< of the volume that is made
  io::VoxelType type = io::VoxelType::float32;  ///< as stored
  double lowest = -0.25, highest = 1;           ///< 1/mm that uint16 spans: noise about 0 keeps its mean
  int deflate = 0;                              ///< 0 stores plainly, up to 9
  bool hash_inputs = true;                      ///< and store what they were
  bool verify = true;                           ///< the volume, before it gets its name

  Machine machine;  ///< what the run may use
};

/// Throws Error(usage) for choices that exclude each other.
void validate(const Request& request);

/// The files that it names, all of which are inputs.
[[nodiscard]] std::vector<std::filesystem::path> inputs_of(const Request& request);

}  // namespace feldspar::run
