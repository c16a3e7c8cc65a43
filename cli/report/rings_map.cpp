#include "cli/report/rings_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/log.hpp"
#include "io/png/png_file.hpp"

namespace feldspar::cli {

void check_rings_map(const run::Request& request) {
  if (!request.correct.rings || request.stripes)
    throw Error(ErrorKind::usage, "--rings-map shows the gain map, which only --rings gain makes");
}

void write_rings_map(const std::filesystem::path& file, const run::Plan& plan, bool overwrite) {
  if (!plan.corrections || plan.corrections->spec.pixel_offset.empty()) {
    log_info(fmt::format("--rings-map: no gain map was needed; {} is not written", file.string()));
    return;
  }
  const kernels::CorrectionSpec& spec = plan.corrections->spec;
  double sum2 = 0;
  for (const float value : spec.pixel_offset) sum2 += static_cast<double>(value) * static_cast<double>(value);
  const double most = 4 * std::sqrt(sum2 / static_cast<double>(spec.pixel_offset.size()));
  io::GreyPicture picture{.width = spec.columns, .height = spec.rows, .pixels = {}};
  for (int row = spec.rows - 1; row >= 0; --row)
    for (int column = 0; column < spec.columns; ++column) {
      const float value = spec.pixel_offset[static_cast<std::size_t>(row) * spec.columns + column];
      picture.pixels.push_back(static_cast<std::uint8_t>(
          std::clamp(127.5 + 127.5 * static_cast<double>(value) / most, 0.0, 255.0)));
    }
  io::write_png(file, picture, overwrite);
  log_info(fmt::format("{}: what is added to every pixel's line integrals, {:+.4f} black to {:+.4f} white",
                       file.string(), -most, most));
}

}  // namespace feldspar::cli
