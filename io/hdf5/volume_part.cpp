#include "io/hdf5/volume_part.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::io {

Record record_of(const VolumePart& part) {
  return {{"identity", part.identity},
          {"first_slice", fmt::format("{}", part.slices.first)},
          {"end_slice", fmt::format("{}", part.slices.end)},
          {"whole_slices", fmt::format("{}", part.whole_slices)},
          {"whole_origin_z_mm", fmt::format("{}", part.origin_z)}};
}

VolumePart part_in(const VolumeReader& volume, const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& what, const Remedies& remedies = {}) {
    throw Error(ErrorKind::bad_file, fmt::format("{}: {}", path.string(), what), remedies);
  };
  VolumePart part;
  part.identity = volume.text("part/identity");
  if (part.identity.empty())
    refuse("is a whole volume, not a part of one", {{"slabs", "K/N", "parts are reconstructed with"}});
  const auto number = [&](const char* name) {
    double value = 0;
    const std::string text = volume.text(std::string("part/") + name);
    if (!parse_number(text, value)) refuse(fmt::format("part/{} is '{}', which is no number", name, text));
    return value;
  };
  constexpr double most = 1 << 20;  // slices of a volume
  const double first = number("first_slice"), end = number("end_slice"), whole = number("whole_slices");
  if (!(0 <= first && first < end && end <= whole && whole <= most))
    refuse(fmt::format("claims slices {} to {} of {}, which cannot be", first, end, whole));
  part.slices = {static_cast<int>(first), static_cast<int>(end)};
  part.whole_slices = static_cast<int>(whole);
  part.origin_z = number("whole_origin_z_mm");
  if (part.slices.count() != volume.grid().nz)
    refuse(fmt::format("claims slices {} to {}, but holds {}", part.slices.first, part.slices.end,
                       volume.grid().nz));
  return part;
}

}  // namespace feldspar::io
