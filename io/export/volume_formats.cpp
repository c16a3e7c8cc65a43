#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.hpp"
#include "io/export/volume_format.hpp"

namespace feldspar::io {

extern const VolumeFormat tiff_format, nrrd_format, meta_image_format, nifti_format, raw_format;

const std::vector<VolumeFormat>& volume_formats() {
  static const std::vector<VolumeFormat> all{tiff_format, nrrd_format, meta_image_format, nifti_format,
                                             raw_format};
  return all;
}

const VolumeFormat* volume_format_like(const std::filesystem::path& output) {
  std::string ending = output.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const VolumeFormat& format : volume_formats())
    if (std::find(format.endings.begin(), format.endings.end(), ending) != format.endings.end())
      return &format;
  return nullptr;
}

const VolumeFormat& volume_format_of(const std::filesystem::path& output, const std::string& name) {
  std::vector<std::string> names, endings;
  for (const VolumeFormat& format : volume_formats()) {
    if (name == format.name) return format;
    names.emplace_back(format.name);
    endings.insert(endings.end(), format.endings.begin(), format.endings.end());
  }
  if (!name.empty())
    throw Error(ErrorKind::usage, fmt::format("no format of volumes is called '{}'; there are {}", name,
                                              fmt::join(names, ", ")));
  if (const VolumeFormat* const format = volume_format_like(output)) return *format;
  throw Error(ErrorKind::usage,
              fmt::format("{}: its ending names no format of volumes; end it with {}, or name one of {}",
                          output.string(), fmt::join(endings, ", "), fmt::join(names, ", ")));
}

}  // namespace feldspar::io
