// `--transform`: a scan reconstructed where another one's object lies, without resampling. Its views are
// turned and the voxels moved and scaled back, so that every voxel is computed where it belongs.
#pragma once

#include <optional>
#include <string>

#include "geometry/scan.hpp"
#include "geometry/similarity.hpp"
#include "geometry/volume_grid.hpp"
#include "recon/fdk/fdk.hpp"

namespace feldspar::run {

/// "SCALE,RX,RY,RZ,X,Y,Z", a rotation vector in degrees and a shift in mm, or the name of a TOML file as
/// `compare` writes it. Empty text is no transform. Throws Error(usage) naming what is wrong.
[[nodiscard]] std::optional<geometry::Similarity> parse_transform(const std::string& text,
                                                                  const std::string& option);

/// The first of those forms, to ten digits.
[[nodiscard]] std::string text_of(const geometry::Similarity& transform);

/// For people: "scale 1.016700, turned by 12.30 deg about z and leaning by 0.12 deg, moved by ... mm".
[[nodiscard]] std::string describe(const geometry::Similarity& transform);

/// The part of the transform that turns the object about its axis becomes part of the views' angles.
void turn(const geometry::Similarity& transform, geometry::CircularScan& scan);

/// Where the voxels of `grid` were before they were moved and scaled, as voxels of the scan's own scale.
[[nodiscard]] geometry::VolumeGrid unmoved(const geometry::Similarity& transform,
                                           const geometry::VolumeGrid& grid);

/// True for more than a thousandth of a degree.
[[nodiscard]] bool leans(const geometry::Similarity& transform);

/// The rest of the rotation: views of a detector that leans with the axis. The computed cylinder about the
/// volume's z axis becomes as narrow as what the leaning one holds over the whole height.
void lean(const geometry::Similarity& transform, recon::FdkSetup& setup, recon::FdkOptions& fdk);

}  // namespace feldspar::run
