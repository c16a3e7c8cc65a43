// A wider reconstruction of the same object, coarsened, to see what stands beside an interior scan's field.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/findings.hpp"
#include "base/memory.hpp"
#include "geometry/coverage.hpp"
#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"
#include "recon/truncation/outline.hpp"

namespace feldspar::recon {

/// Where an interior scan was taken in a wide volume: its point p is at turn(p) + shift there, with the turn
/// about z, counter-clockwise seen from +z.
struct Placement {
  geometry::Vec3 shift;  ///< mm
  double turn = 0;       ///< rad

  /// A direction, in the wide volume.
  [[nodiscard]] geometry::Vec3 turned(geometry::Vec3 v) const;
  /// A view, in the wide volume.
  [[nodiscard]] geometry::View moved(const geometry::View& view) const;
  /// A cylinder, in the wide volume.
  [[nodiscard]] Outline moved(const Outline& outline) const;
  /// The inverse, of the point of the wide volume's axis.
  [[nodiscard]] Outline back(const Outline& outline) const;
};

/// A volume that is read piece by piece: voxels [y, y+ny) x [z, z+nz) of all x.
struct WideVolume {
  geometry::VolumeGrid grid;                                        ///< where its voxels are
  std::function<Array3<float>(int y, int ny, int z, int nz)> read;  ///< 1/mm
};

/// An interior scan in a wide volume, and what it needs of it.
struct InteriorScan {
  Placement placement;                    ///< of the scan in the wide volume
  std::span<const geometry::View> views;  ///< of an upright detector
  int rows = 0;                           ///< of that detector
  double finest = 0;                      ///< mm: as many voxels are averaged as fit into it
  std::optional<Outline> mask = {};       ///< in the interior scan's world: what lies outside is air
};

/// Host memory of a context: its voxels, and what reading them takes besides.
struct ContextBytes {
  std::size_t kept = 0, reading = 0;  ///< bytes
};

/// Of one made of a wide volume of that grid.
[[nodiscard]] ContextBytes context_bytes(const geometry::VolumeGrid& wide, const InteriorScan& scan);

/// A wide reconstruction, kept as coarsely as continued rows need it.
class Context {
 public:
  /// Reads the slices that any view of `scan` can see beyond its detector. Throws Error(bad_file) when no
  /// slice is seen or a voxel is not finite.
  Context(const WideVolume& wide, const InteriorScan& scan, MemoryBudget* budget);

  /// Multiplies all attenuation.
  void scale(double gain);

  /// Of the voxels that are kept.
  [[nodiscard]] const geometry::VolumeGrid& grid() const noexcept { return grid_; }
  [[nodiscard]] View3<const float> voxels() const noexcept { return voxels_.view(); }  ///< 1/mm
  [[nodiscard]] const Placement& placement() const noexcept { return placement_; }     ///< as given
  /// The cylinder around everything in it, in the interior scan's world.
  [[nodiscard]] const Outline& outline() const noexcept { return outline_; }
  [[nodiscard]] const Findings& findings() const noexcept { return findings_; }  ///< where it falls short

 private:
  void load(const WideVolume& wide, int factor, geometry::Range slices, const std::optional<Outline>& mask);

  Placement placement_;
  geometry::VolumeGrid grid_;
  Array3<float> voxels_;
  Outline outline_;
  Findings findings_;
};

}  // namespace feldspar::recon
