// What a format of volumes for other programs tells the registry in volume_formats.cpp: its endings, and what
// stands in its files beside the voxels. The voxels themselves lie in one block in all of them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "geometry/volume_grid.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::io {

/// A volume as it is to be stored: voxels x fastest, little-endian.
struct ExportedVolume {
  geometry::VolumeGrid grid;            ///< where its voxels are, mm
  VoxelType type = VoxelType::float32;  ///< float32 is in 1/mm
  double slope = 1, intercept = 0;      ///< 1/mm = stored * slope + intercept
  double lowest = 0, highest = 0;       ///< 1/mm, to begin with on a screen
  std::string title;                    ///< one line

  /// Bytes of a voxel.
  [[nodiscard]] std::size_t bytes() const { return type == VoxelType::float32 ? 4 : 2; }
};

/// The files of a volume.
struct ExportLayout {
  std::filesystem::path data;                                              ///< holds the voxels
  std::string head;                                                        ///< bytes before them
  std::vector<std::pair<std::filesystem::path, std::string>> beside = {};  ///< other files, with their text
};

/// What a format offers.
struct VolumeFormat {
  const char* name;                  ///< as --format takes it: "nrrd"
  const char* what;                  ///< for people: "NRRD (3D Slicer, ITK, ParaView)"
  std::vector<const char*> endings;  ///< ".nrrd", ".nhdr"
  /// The files of a volume that is called `output`. Throws Error(unsupported) for what it cannot hold.
  ExportLayout (*lay_out)(const std::filesystem::path& output, const ExportedVolume& volume);
};

/// All formats, in the order of the help.
[[nodiscard]] const std::vector<VolumeFormat>& volume_formats();

/// The one that `output` ends like; null where none does.
[[nodiscard]] const VolumeFormat* volume_format_like(const std::filesystem::path& output);

/// The one of this name, or else the one that `output` ends like. Throws Error(usage) where there is none.
[[nodiscard]] const VolumeFormat& volume_format_of(const std::filesystem::path& output,
                                                   const std::string& name);

}  // namespace feldspar::io
