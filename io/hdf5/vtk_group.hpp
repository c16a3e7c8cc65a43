// The group by which ParaView and VTK open a volume file.
#pragma once

#include "geometry/volume_grid.hpp"
#include "io/hdf5/handle.hpp"
#include "io/hdf5/voxel_coding.hpp"

namespace feldspar::io::hdf5 {

/// Adds the group /VTKHDF (image data, version 1.0 of the format; VTK 9.1, ParaView 5.10 and later) with a
/// link to the voxels, which need not be there yet. Origin and spacing are in mm. Not to a volume of one
/// slice: VTK asks for its voxels as an array of two dimensions, which they are not.
/// https://docs.vtk.org/en/latest/vtk_file_formats/vtkhdf_file_format/vtkhdf_specifications.html
void put_vtk_group(hid_t file, const geometry::VolumeGrid& grid, VoxelCoding coding);

}  // namespace feldspar::io::hdf5
