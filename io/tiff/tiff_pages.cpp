// The pages of a TIFF: images with tags of their own, or the planes that ImageJ keeps behind one.
#include <fmt/format.h>

#include <algorithm>

#include "io/tiff/tiff_file.hpp"
#include "io/tiff/tiff_handle.hpp"
#include "io/tiff/tiff_layout.hpp"

namespace feldspar::io {

TiffPages tiff_pages(const std::filesystem::path& path) {
  const TiffHandle file(path, TiffHandle::Mode::read);
  TiffPages found;
  const std::vector<std::uint64_t> directories = file.directories(found.damage);
  const std::uint32_t planes = imagej_planes(file);
  if (directories.size() == 1 && planes > 1) {
    const std::uint64_t held =
        planes_held(file, read_layout(file, {directories[0], 0, UnstatedPixels::uint32}));
    found.stated = planes;
    for (std::uint32_t plane = 0; plane < std::min<std::uint64_t>(planes, held); ++plane)
      found.pages.push_back({directories[0], plane});
    if (held < planes)
      found.damage = fmt::format("{}: is truncated: its description states {} images, but it holds {}",
                                 path.string(), planes, held);
    TiffPage last = found.pages.back();
    last.unstated = UnstatedPixels::uint32;  // as large as the other
    (void)read_layout(file, last);           // refuses what such a stack cannot be
  } else if (directories.size() == 1 && found.damage.empty()) {
    found.pages.push_back(the_only_image);
  } else {
    for (const std::uint64_t directory : directories) found.pages.push_back({directory, 0});
  }
  return found;
}

}  // namespace feldspar::io
