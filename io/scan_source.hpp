// A scan on disk, as every reader offers it: geometry and metadata before any pixel, then raw counts of
// any block of views, rows and columns.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/findings.hpp"
#include "geometry/coverage.hpp"
#include "geometry/scan.hpp"

namespace feldspar::io {

/// What counts are read as: narrower integers widen to uint16, everything else becomes float32.
enum class CountType { uint16, float32 };
/// Bytes of one count.
[[nodiscard]] constexpr std::size_t bytes_of(CountType type) { return type == CountType::uint16 ? 2 : 4; }

/// One thing the source says, and what became of it.
struct SourceField {
  /// What became of it: it decides the result, does not, says otherwise than another field, or informs only.
  enum class Use { used, ignored, contradicted, informative };
  std::string section;         ///< "XTekCT"
  std::string name;            ///< as the file spells it: "SrcToObject"
  std::string value;           ///< as the file writes it
  Use use = Use::informative;  ///< what became of it
  std::string note;            ///< why it is ignored, or what it contradicts
};
/// "used", "ignored", "contradicted" or "informative".
[[nodiscard]] const char* name_of(SourceField::Use use) noexcept;

/// Open-beam and dark counts, in the orientation of read().
struct References {
  std::vector<float> white;  ///< one value, or columns x rows
  std::vector<float> dark;   ///< empty for 0, one value, or columns x rows
  float saturation = 0;      ///< the counts at which the detector is full; 0 when unknown
};

/// The volume the source itself proposes, as VoxelsX and VoxelSizeX of a Nikon file; zero when it has none.
struct ProposedGrid {
  int nx = 0, ny = 0, nz = 0;                       ///< voxels along each side
  double spacing = 0;                               ///< mm from voxel to voxel
  double offset_x = 0, offset_y = 0, offset_z = 0;  ///< of the grid's centre
};

/// Facts for people and for the output; empty or 0 when unknown.
struct ScanDescription {
  std::string format;      ///< "Nikon X-Tek CT"
  std::string name;        ///< of the sample or scan
  std::string instrument;  ///< model of the machine
  double voltage_kv = 0;   ///< of the tube
  double current_ua = 0;   ///< of the tube
  double exposure_s = 0;   ///< a view
  std::string filter;      ///< "1.0 mm Cu"
  std::string date;        ///< as the source writes it
  /// The correction of beam hardening that the source asks for: a line integral p becomes the sum of
  /// hardening[n] * p^n. Empty when it asks for none.
  std::vector<double> hardening{};
};

/// A scan as a reader offers it: everything but pixels at once, pixels by parts.
class ScanSource {
 public:
  virtual ~ScanSource() = default;

  [[nodiscard]] virtual const geometry::CircularScan& scan() const = 0;      ///< geometry, one angle a view
  [[nodiscard]] virtual const ScanDescription& description() const = 0;      ///< facts for people
  [[nodiscard]] virtual const std::vector<SourceField>& fields() const = 0;  ///< all that it says
  [[nodiscard]] virtual const Findings& findings() const = 0;  ///< what was ignored, assumed or contradicted
  [[nodiscard]] virtual const References& references() const = 0;       ///< open-beam and dark counts
  [[nodiscard]] virtual const ProposedGrid& proposed_grid() const = 0;  ///< zero when it proposes none
  [[nodiscard]] virtual CountType count_type() const = 0;               ///< of what read() gives

  /// Every file the result depends on; those of the projections in the order of the views.
  [[nodiscard]] virtual std::vector<std::filesystem::path> files() const = 0;

  /// Reads the pixels of `window` of the views with these indices into `counts`: columns fastest, then
  /// rows, then views, of count_type(); row 0 is the lowest, column 0 the leftmost seen from the source.
  /// Only the rows asked for are read from disk. Thread-safe. Throws Error(io) or Error(bad_file) naming
  /// the file.
  virtual void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const = 0;
};

/// Another source, of which a derived class changes some: all else is as there.
class WrappedSource : public ScanSource {
 public:
  /// Keeps `inner`.
  explicit WrappedSource(std::unique_ptr<ScanSource> inner) : owned_(std::move(inner)), inner_(*owned_) {}
  /// `inner` must outlive it.
  explicit WrappedSource(const ScanSource& inner) : inner_(inner) {}

  [[nodiscard]] const geometry::CircularScan& scan() const override { return inner_.scan(); }
  [[nodiscard]] const ScanDescription& description() const override { return inner_.description(); }
  [[nodiscard]] const std::vector<SourceField>& fields() const override { return inner_.fields(); }
  [[nodiscard]] const Findings& findings() const override { return inner_.findings(); }
  [[nodiscard]] const References& references() const override { return inner_.references(); }
  [[nodiscard]] const ProposedGrid& proposed_grid() const override { return inner_.proposed_grid(); }
  [[nodiscard]] CountType count_type() const override { return inner_.count_type(); }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return inner_.files(); }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    inner_.read(views, window, counts);
  }

 protected:
  [[nodiscard]] const ScanSource& inner() const { return inner_; }  ///< the other source

 private:
  std::unique_ptr<const ScanSource> owned_;
  const ScanSource& inner_;
};

}  // namespace feldspar::io
