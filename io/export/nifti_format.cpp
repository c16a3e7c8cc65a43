// NIfTI-1 in one file: https://nifti.nimh.nih.gov/nifti-1. Its world is right-anterior-superior, in which ITK
// and this program's left-posterior-superior have x and y turned round.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "io/export/volume_format.hpp"

namespace feldspar::io {
namespace {

constexpr std::size_t header_bytes = 348, first_voxel = 352;
constexpr int largest = 32767;

template <class Value>
void put(std::string& header, std::size_t at, Value value) {
  std::memcpy(header.data() + at, &value, sizeof value);
}

/// Size and type of the voxels.
void describe_voxels(std::string& h, const ExportedVolume& volume) {
  const geometry::VolumeGrid& g = volume.grid;
  const std::int16_t dimensions[] = {3,
                                     static_cast<std::int16_t>(g.nx),
                                     static_cast<std::int16_t>(g.ny),
                                     static_cast<std::int16_t>(g.nz),
                                     1,
                                     1,
                                     1,
                                     1};
  for (std::size_t n = 0; n < 8; ++n) put(h, 40 + 2 * n, dimensions[n]);
  put(h, 70, static_cast<std::int16_t>(volume.type == VoxelType::float32 ? 16 : 512));
  put(h, 72, static_cast<std::int16_t>(8 * volume.bytes()));
  put(h, 108, static_cast<float>(first_voxel));
  put(h, 112, static_cast<float>(volume.slope)), put(h, 116, static_cast<float>(volume.intercept));
  put(h, 124, static_cast<float>(volume.highest)), put(h, 128, static_cast<float>(volume.lowest));
}

/// Both ways of placing a volume are in use: a quaternion, here half a turn about z, and a matrix.
void place(std::string& h, const geometry::VolumeGrid& g) {
  const double steps[] = {1, g.spacing.x, g.spacing.y, g.spacing.z};  // the first is the sense of the axes
  for (std::size_t n = 0; n < 4; ++n) put(h, 76 + 4 * n, static_cast<float>(steps[n]));
  put(h, 123, std::int8_t{2});  // mm
  put(h, 252, std::int16_t{1}), put(h, 254, std::int16_t{1}), put(h, 264, 1.0f);
  const double origin[] = {-g.origin.x, -g.origin.y, g.origin.z},
               step[] = {-g.spacing.x, -g.spacing.y, g.spacing.z};
  for (std::size_t row = 0; row < 3; ++row) {
    put(h, 268 + 4 * row, static_cast<float>(origin[row]));
    put(h, 280 + 16 * row + 4 * row, static_cast<float>(step[row]));
    put(h, 280 + 16 * row + 12, static_cast<float>(origin[row]));
  }
}

ExportLayout lay_out(const std::filesystem::path& output, const ExportedVolume& volume) {
  const geometry::VolumeGrid& g = volume.grid;
  if (std::max({g.nx, g.ny, g.nz}) > largest)
    throw Error(ErrorKind::unsupported,
                fmt::format("{}: NIfTI holds up to {} voxels along a side, and this volume has {} x {} x {}; "
                            "choose another format, as NRRD",
                            output.string(), largest, g.nx, g.ny, g.nz));
  std::string h(first_voxel, '\0');
  put(h, 0, static_cast<std::int32_t>(header_bytes));
  describe_voxels(h, volume);
  place(h, g);
  const std::string about = "linear attenuation in 1/mm";
  std::copy(about.begin(), about.end(), h.begin() + 148);
  std::copy_n("n+1", 4, h.begin() + 344);
  return {output, h};
}

}  // namespace

extern const VolumeFormat nifti_format;
const VolumeFormat nifti_format{"nifti", "NIfTI-1: nibabel, ITK", {".nii"}, lay_out};

}  // namespace feldspar::io
