// MetaImage, its header attached (.mha) or apart (.mhd): https://itk.org/Wiki/ITK/MetaIO/Documentation
#include <fmt/format.h>

#include "io/export/volume_format.hpp"

namespace feldspar::io {
namespace {

/// `data`: what holds the voxels, or LOCAL. Its entry is the last: what follows it are voxels.
std::string header_of(const ExportedVolume& volume, const std::string& data) {
  const geometry::VolumeGrid& g = volume.grid;
  const bool floats = volume.type == VoxelType::float32;
  std::string text = fmt::format(
      "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
      "CompressedData = False\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = {} {} {}\n"
      "CenterOfRotation = 0 0 0\nElementSpacing = {} {} {}\nDimSize = {} {} {}\n",
      g.origin.x, g.origin.y, g.origin.z, g.spacing.x, g.spacing.y, g.spacing.z, g.nx, g.ny, g.nz);
  if (!floats)
    text += fmt::format("ElementToIntensityFunctionSlope = {}\nElementToIntensityFunctionOffset = {}\n",
                        volume.slope, volume.intercept);
  return text +
         fmt::format("ElementType = {}\nElementDataFile = {}\n", floats ? "MET_FLOAT" : "MET_USHORT", data);
}

ExportLayout lay_out(const std::filesystem::path& output, const ExportedVolume& volume) {
  if (output.extension() != ".mhd") return {output, header_of(volume, "LOCAL")};
  const std::filesystem::path data = std::filesystem::path(output).replace_extension(".raw");
  return {data, "", {{output, header_of(volume, data.filename().string())}}};
}

}  // namespace

extern const VolumeFormat meta_image_format;
const VolumeFormat meta_image_format{"mha", "MetaImage: ITK, 3D Slicer, Avizo", {".mha", ".mhd"}, lay_out};

}  // namespace feldspar::io
