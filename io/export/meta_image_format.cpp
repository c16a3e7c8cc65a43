// MetaImage, its header attached (.mha) or apart (.mhd): https://itk.org/Wiki/ITK/MetaIO/Documentation
#include <fmt/format.h>

#include "io/export/volume_format.hpp"

namespace feldspar::io {
namespace {

ExportLayout lay_out(const std::filesystem::path& output, const ExportedVolume& volume) {
  const geometry::VolumeGrid& g = volume.grid;
  const bool apart = output.extension() == ".mhd";
  const std::filesystem::path data = apart ? std::filesystem::path(output).replace_extension(".raw") : output;
  std::string text = fmt::format(
      "ObjectType = Image\n"
      "NDims = 3\n"
      "BinaryData = True\n"
      "BinaryDataByteOrderMSB = False\n"
      "CompressedData = False\n"
      "TransformMatrix = 1 0 0 0 1 0 0 0 1\n"
      "Offset = {} {} {}\n"
      "CenterOfRotation = 0 0 0\n"
      "ElementSpacing = {} {} {}\n"
      "DimSize = {} {} {}\n",
      g.origin.x, g.origin.y, g.origin.z, g.spacing.x, g.spacing.y, g.spacing.z, g.nx, g.ny, g.nz);
  if (volume.type != VoxelType::float32)
    text += fmt::format("ElementToIntensityFunctionSlope = {}\nElementToIntensityFunctionOffset = {}\n",
                        volume.slope, volume.intercept);
  // This entry is the last: what follows it are voxels.
  text += fmt::format("ElementType = {}\nElementDataFile = {}\n",
                      volume.type == VoxelType::float32 ? "MET_FLOAT" : "MET_USHORT",
                      apart ? data.filename().string() : "LOCAL");
  if (apart) return {data, "", {{output, text}}};
  return {data, text};
}

}  // namespace

extern const VolumeFormat meta_image_format;
const VolumeFormat meta_image_format{"mha", "MetaImage: ITK, 3D Slicer, Avizo", {".mha", ".mhd"}, lay_out};

}  // namespace feldspar::io
