#include "recon/find/axis_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace feldspar::recon {
namespace {

constexpr double warned_difference = 0.3;  ///< columns

void compare(AxisChoice& choice, const geometry::RotationAxis& stated) {
  const double rays = choice.rays.axis.offset, sharp = choice.sharpness.axis.offset;
  const auto warn = [&](const char* one, double a, const char* other, double b) {
    if (std::abs(a - b) <= warned_difference * choice.pixel) return;
    choice.findings.push_back(
        {"axis.contradicted",
         fmt::format(
             "the rotation axis is at {:.4f} mm by the {}, at {:.4f} mm by the {}: {:+.2f} pixels apart", a,
             one, b, other, (a - b) / choice.pixel),
         "",
         {{"axis-offset", fmt::format("{:.5f}mm", a), "look at a volume with"}}});
  };
  if (choice.rays.known) warn("reverse rays", rays, "metadata", stated.offset);
  if (choice.rays.known && choice.sharpness.known) warn("sharpness of slices", sharp, "reverse rays", rays);
  if (!choice.rays.known && choice.sharpness.known)
    warn("sharpness of slices", sharp, "metadata", stated.offset);
}

}  // namespace

std::size_t axis_bytes(const io::ScanSource& source, const geometry::CircularScan& scan,
                       std::span<const int> views, const Resources& resources, const AxisSearch& how) {
  const std::size_t count = views.empty() ? scan.angles.size() : views.size();
  return std::max(centre_bytes(source, count),
                  sharpness_bytes(source, scan, views, resources, {.keep_slices = how.keep_slices}));
}

AxisChoice choose_axis(const io::ScanSource& source, const geometry::CircularScan& scan,
                       std::span<const int> views, const Resources& resources, const AxisSearch& how) {
  AxisChoice choice;
  choice.axis = scan.axis, choice.method = "metadata";
  choice.pixel = scan.detector.column_pitch / scan.magnification();
  geometry::CircularScan from = scan;
  choice.rays = find_centre(source, scan, views, resources);
  from.axis = choice.rays.axis;
  choice.sharpness = sharpen_centre(
      source, from, views, resources,
      {.reach = choice.rays.known ? nearby_columns : everywhere_columns, .keep_slices = how.keep_slices});
  if (choice.rays.known) {
    choice.axis = choice.rays.to_use(), choice.method = "reverse rays";
    choice.offset_uncertainty = choice.rays.offset_uncertainty;
  } else if (choice.sharpness.known) {
    choice.axis = choice.sharpness.axis, choice.method = "sharpness";
    choice.offset_uncertainty = choice.sharpness.offset_uncertainty;
  } else {
    choice.findings.push_back(
        {"axis.unseen",
         "neither reverse rays nor the sharpness of slices tell where the rotation axis is (as of "
         "projections that show air only): the scan's own is kept, unchecked",
         "",
         {{"axis-offset", "", "state it by hand with"}}});
  }
  compare(choice, scan.axis);
  return choice;
}

}  // namespace feldspar::recon
