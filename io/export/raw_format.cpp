// Voxels and nothing else, a .vgi by which VGSTUDIO opens them, and a text with what import dialogues ask
// for.
#include <fmt/format.h>

#include "io/export/volume_format.hpp"

namespace feldspar::io {
namespace {

std::string vgi_of(const std::string& name, const ExportedVolume& volume) {
  const geometry::VolumeGrid& g = volume.grid;
  const bool floats = volume.type == VoxelType::float32;
  const std::string type = floats ? "float" : "unsigned integer",
                    range = floats ? fmt::format("{} {}", volume.lowest, volume.highest) : "0 65535";
  return fmt::format(
      "{{volume1}}\n[representation]\nsize = {0} {1} {2}\ndatatype = {3}\ndatarange = {4}\n"
      "bitsperelement = {5}\n[file1]\nSkipHeader = 0\nFileFormat = raw\nSize = {0} {1} {2}\nName = {6}\n"
      "Datatype = {3}\ndatarange = {4}\nBitsPerElement = {5}\n"
      "{{volumeprimitive1}}\n[geometry]\nresolution = {7} {8} {9}\nunit = mm\n[volume]\nvolume = volume1\n"
      "[description]\ntext = {10}\n",
      g.nx, g.ny, g.nz, type, range, 8 * volume.bytes(), name, g.spacing.x, g.spacing.y, g.spacing.z,
      volume.title);
}

std::string text_of(const std::string& name, const ExportedVolume& volume) {
  const geometry::VolumeGrid& g = volume.grid;
  return fmt::format(
      "file             {}\nvoxels           {} x {} x {} (x fastest, then y, then z)\n"
      "type             {}, little-endian, no header\nvoxel size       {} x {} x {} mm\n"
      "first voxel      {}, {}, {} mm (its centre; z is the rotation axis)\n1/mm             {}\n",
      name, g.nx, g.ny, g.nz, volume.type == VoxelType::float32 ? "32-bit float" : "16-bit unsigned integer",
      g.spacing.x, g.spacing.y, g.spacing.z, g.origin.x, g.origin.y, g.origin.z,
      volume.type == VoxelType::float32 ? "value"
                                        : fmt::format("value * {} + {}", volume.slope, volume.intercept));
}

ExportLayout lay_out(const std::filesystem::path& output, const ExportedVolume& volume) {
  const auto beside = [&](const char* ending) {
    return std::filesystem::path(output).replace_extension(ending);
  };
  const std::string name = output.filename().string();
  return {output, "", {{beside(".vgi"), vgi_of(name, volume)}, {beside(".txt"), text_of(name, volume)}}};
}

}  // namespace

extern const VolumeFormat raw_format;
const VolumeFormat raw_format{
    "raw", "voxels alone, with a .vgi for VGSTUDIO and a .txt for others", {".raw", ".vol"}, lay_out};

}  // namespace feldspar::io
