#include "kernels/attenuation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace feldspar::kernels {

void validate(const AttenuationSpec& spec) {
  const std::size_t pixels = static_cast<std::size_t>(spec.columns) * static_cast<std::size_t>(spec.rows);
  const auto check_size = [&](const std::vector<float>& image, const char* name, bool may_be_empty) {
    if (image.size() == pixels || image.size() == 1 || (may_be_empty && image.empty())) return;
    throw Error(ErrorKind::bad_file,
                fmt::format("the {} image has {} pixels, but the detector has {} x {} = {}", name,
                            image.size(), spec.columns, spec.rows, pixels));
  };
  check_size(spec.white, "white (open-beam)", false);
  check_size(spec.dark, "dark", true);
  const auto value = [](const std::vector<float>& image, std::size_t n) {
    return image.empty() ? 0.0f : image[image.size() == 1 ? 0 : n];
  };
  for (std::size_t n = 0; n < std::max(spec.white.size(), spec.dark.size()); ++n)
    if (value(spec.white, n) - value(spec.dark, n) > 1) return;
  throw Error(ErrorKind::bad_file,
              "the white (open-beam) level is nowhere more than one count above the dark level");
}

}  // namespace feldspar::kernels
