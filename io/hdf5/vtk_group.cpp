#include "io/hdf5/vtk_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "io/hdf5/layout.hpp"

namespace feldspar::io::hdf5 {
namespace {

void put(const Group& group, const char* name, hid_t stored, hid_t given, const void* values, hsize_t count) {
  const Space space(H5Screate_simple(1, &count, nullptr), "describing an attribute");
  const Attribute attribute(H5Acreate2(group, name, stored, space, H5P_DEFAULT, H5P_DEFAULT),
                            "making an attribute");
  check(H5Awrite(attribute, given, values), "writing an attribute");
}

void put_integers(const Group& group, const char* name, const std::vector<std::int64_t>& values) {
  put(group, name, H5T_STD_I64LE, H5T_NATIVE_INT64, values.data(), values.size());
}

void put_reals(const Group& group, const char* name, const std::vector<double>& values) {
  put(group, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data(), values.size());
}

/// VTK reads ASCII of a fixed length only.
void put_ascii(const Group& group, const char* name, const std::string& text) {
  const Type type(H5Tcopy(H5T_C_S1), "making a type");
  check(H5Tset_size(type, text.size()), "making a type");
  check(H5Tset_strpad(type, H5T_STR_NULLPAD), "making a type");
  const Attribute attribute(H5Acreate2(group, name, type, Space(H5Screate(H5S_SCALAR), "describing a text"),
                                       H5P_DEFAULT, H5P_DEFAULT),
                            "making an attribute");
  check(H5Awrite(attribute, type, text.data()), "writing an attribute");
}

/// What viewers call the voxels; no name of HDF5 has a slash.
std::string name_of(VoxelCoding coding) {
  if (coding.type == VoxelType::float32) return "attenuation (mm^-1)";
  return fmt::format("code (mm^-1 = code * {} + {})", coding.factor, coding.offset);
}

}  // namespace

void put_vtk_group(hid_t file, const geometry::VolumeGrid& grid, VoxelCoding coding) {
  if (std::min({grid.nx, grid.ny, grid.nz}) < 2) return;
  const Group group(H5Gcreate2(file, "VTKHDF", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), "making a group");
  put_integers(group, "Version", {1, 0});
  put_ascii(group, "Type", "ImageData");
  put_integers(group, "WholeExtent", {0, grid.nx - 1, 0, grid.ny - 1, 0, grid.nz - 1});
  put_reals(group, "Origin", {grid.origin.x, grid.origin.y, grid.origin.z});
  put_reals(group, "Spacing", {grid.spacing.x, grid.spacing.y, grid.spacing.z});
  put_reals(group, "Direction", {1, 0, 0, 0, 1, 0, 0, 0, 1});
  const Group points(H5Gcreate2(group, "PointData", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), "making a group");
  check(H5Lcreate_soft(layout::voxels_path, points, name_of(coding).c_str(), H5P_DEFAULT, H5P_DEFAULT),
        "linking the voxels");
}

}  // namespace feldspar::io::hdf5
