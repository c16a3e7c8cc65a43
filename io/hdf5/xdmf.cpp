// XDMF 2, as the reader of every ParaView since 3 takes it. Its order is z, y, x like the file's.
#include "io/hdf5/xdmf.hpp"

#include <fmt/format.h>

#include "io/hdf5/layout.hpp"

namespace feldspar::io::hdf5 {
namespace {

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
  }
  return result;
}

}  // namespace

std::string xdmf_of(const std::string& file_name, const geometry::VolumeGrid& grid, VoxelCoding coding) {
  const bool plain = coding.type == VoxelType::float32;
  const std::string name = plain ? std::string("attenuation (1/mm)")
                                 : fmt::format("code (1/mm = code * {} + {})", coding.factor, coding.offset);
  const std::string size = fmt::format("{} {} {}", grid.nz, grid.ny, grid.nx);
  return fmt::format(
      R"(<?xml version="1.0" ?>
<!DOCTYPE Xdmf SYSTEM "Xdmf.dtd" []>
<Xdmf Version="2.0">
  <Domain>
    <Grid Name="volume" GridType="Uniform">
      <Topology TopologyType="3DCoRectMesh" Dimensions="{size}"/>
      <Geometry GeometryType="ORIGIN_DXDYDZ">
        <DataItem Dimensions="3" NumberType="Float" Precision="8" Format="XML">{oz} {oy} {ox}</DataItem>
        <DataItem Dimensions="3" NumberType="Float" Precision="8" Format="XML">{dz} {dy} {dx}</DataItem>
      </Geometry>
      <Attribute Name="{name}" AttributeType="Scalar" Center="Node">
        <DataItem Dimensions="{size}" NumberType="{type}" Precision="{bytes}" Format="HDF">{file}:{path}</DataItem>
      </Attribute>
    </Grid>
  </Domain>
</Xdmf>
)",
      fmt::arg("size", size), fmt::arg("oz", grid.origin.z), fmt::arg("oy", grid.origin.y),
      fmt::arg("ox", grid.origin.x), fmt::arg("dz", grid.spacing.z), fmt::arg("dy", grid.spacing.y),
      fmt::arg("dx", grid.spacing.x), fmt::arg("name", name), fmt::arg("type", plain ? "Float" : "UInt"),
      fmt::arg("bytes", coding.bytes()), fmt::arg("file", escaped(file_name)),
      fmt::arg("path", layout::voxels_path));
}

}  // namespace feldspar::io::hdf5
