// NRRD 4, its header attached (.nrrd) or apart (.nhdr): http://teem.sourceforge.net/nrrd/format.html
#include <fmt/format.h>

#include "io/export/volume_format.hpp"

namespace feldspar::io {
namespace {

/// But for the empty line that ends it.
std::string header_of(const ExportedVolume& volume) {
  const geometry::VolumeGrid& g = volume.grid;
  return fmt::format(
      "NRRD0004\ntype: {}\ndimension: 3\nspace: left-posterior-superior\nsizes: {} {} {}\n"
      "space directions: ({},0,0) (0,{},0) (0,0,{})\nkinds: domain domain domain\nendian: little\n"
      "encoding: raw\nspace origin: ({},{},{})\nspace units: \"mm\" \"mm\" \"mm\"\n",
      volume.type == VoxelType::float32 ? "float" : "uint16", g.nx, g.ny, g.nz, g.spacing.x, g.spacing.y,
      g.spacing.z, g.origin.x, g.origin.y, g.origin.z);
}

ExportLayout lay_out(const std::filesystem::path& output, const ExportedVolume& volume) {
  const bool apart = output.extension() == ".nhdr";
  const std::filesystem::path data = apart ? std::filesystem::path(output).replace_extension(".raw") : output;
  std::string text = header_of(volume);
  if (!volume.title.empty()) text += fmt::format("content: {}\n", volume.title);
  if (apart) text += fmt::format("data file: {}\n", data.filename().string());
  text += "voxel unit:=1/mm\n";
  if (volume.type != VoxelType::float32)
    text += fmt::format("slope:={}\nintercept:={}\n", volume.slope, volume.intercept);
  text += "\n";
  if (apart) return {data, "", {{output, text}}};
  return {data, text};
}

}  // namespace

extern const VolumeFormat nrrd_format;
const VolumeFormat nrrd_format{"nrrd", "NRRD: 3D Slicer, ITK, ParaView", {".nrrd", ".nhdr"}, lay_out};

}  // namespace feldspar::io
