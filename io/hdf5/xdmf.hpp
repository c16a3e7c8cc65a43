// The text file that tells ParaView and VisIt what a volume file holds.
#pragma once

#include <string>

#include "geometry/volume_grid.hpp"
#include "io/hdf5/voxel_coding.hpp"

namespace feldspar::io::hdf5 {

/// XDMF 2 for the volume in `file_name`, which is relative to the text's folder.
[[nodiscard]] std::string xdmf_of(const std::string& file_name, const geometry::VolumeGrid& grid,
                                  VoxelCoding coding);

}  // namespace feldspar::io::hdf5
