#include "run/transform.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/stack/toml_text.hpp"
#include "run/options.hpp"

namespace feldspar::run {
namespace {

using geometry::Vec3;

double lean_of(const geometry::Similarity& transform) {
  return geometry::norm(geometry::vector_of(geometry::upright_parts(transform.rotation).lean));
}

geometry::Similarity made_of(double scale, Vec3 degrees, Vec3 shift, const std::string& where) {
  const auto finite = [](Vec3 v) { return std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z); };
  if (!(scale > 0.01 && scale < 100) || !finite(degrees) || !finite(shift))
    throw Error(ErrorKind::usage,
                fmt::format("{}: a scale of {} is not between 0.01 and 100, or a number is not finite", where,
                            scale));
  return {scale, geometry::rotation_about(radians_per_degree * degrees), shift};
}

double number_at(const toml::table& table, const char* key, std::optional<std::size_t> element,
                 const std::string& file) {
  std::optional<double> value;
  if (!element)
    value = table[key].value<double>();
  else if (const toml::array* list = table[key].as_array(); list && list->size() == 3)
    value = list->get(*element)->value<double>();
  if (value) return *value;
  throw Error(ErrorKind::usage, fmt::format("{}: {} is not {}; `feldspar compare` writes such files", file,
                                            key, element ? "a list of three numbers" : "a number"));
}

geometry::Similarity read_transform(const std::string& file) {
  const toml::table table = io::stack::read_toml(file, ErrorKind::usage);
  const auto vector = [&](const char* key) {
    return Vec3{number_at(table, key, 0, file), number_at(table, key, 1, file),
                number_at(table, key, 2, file)};
  };
  return made_of(number_at(table, "scale", std::nullopt, file), vector("rotation_deg"), vector("shift_mm"),
                 file);
}

}  // namespace

std::optional<geometry::Similarity> parse_transform(const std::string& text, const std::string& option) {
  if (text.empty()) return std::nullopt;
  if (std::filesystem::is_regular_file(text)) return read_transform(text);
  if (std::count(text.begin(), text.end(), ',') != 6)
    throw Error(ErrorKind::usage,
                fmt::format("{}: '{}' is neither a file nor SCALE,RX,RY,RZ,X,Y,Z; write for example "
                            "1.0167,0,0,12.5deg,0.1mm,0,-1.2mm",
                            option, text));
  const auto parts = split_list(text, 7, option);
  double scale = 0;
  if (!parse_number(parts[0], scale))
    throw Error(ErrorKind::usage, fmt::format("{}: the scale '{}' is not a number", option, parts[0]));
  const auto degrees = [&](std::size_t n) { return parse_angle_rad(parts[n], option) / radians_per_degree; };
  return made_of(scale, {degrees(1), degrees(2), degrees(3)},
                 {parse_length_mm(parts[4], option), parse_length_mm(parts[5], option),
                  parse_length_mm(parts[6], option)},
                 option);
}

std::string text_of(const geometry::Similarity& t) {
  const Vec3 r = (1 / radians_per_degree) * geometry::vector_of(t.rotation);
  return fmt::format("{:.10g},{:.10g}deg,{:.10g}deg,{:.10g}deg,{:.10g}mm,{:.10g}mm,{:.10g}mm", t.scale, r.x,
                     r.y, r.z, t.shift.x, t.shift.y, t.shift.z);
}

std::string describe(const geometry::Similarity& t) {
  return fmt::format(
      "scale {:.6f}, turned by {:.3f} deg about z and leaning by {:.3f} deg, moved by {:.4f}, "
      "{:.4f}, {:.4f} mm",
      t.scale, geometry::upright_parts(t.rotation).turn / radians_per_degree, lean_of(t) / radians_per_degree,
      t.shift.x, t.shift.y, t.shift.z);
}

// A view at a larger angle stands further clockwise around the object, so turning it counter-clockwise takes
// angle away.
void turn(const geometry::Similarity& transform, geometry::CircularScan& scan) {
  const double turned = geometry::upright_parts(transform.rotation).turn;
  for (double& angle : scan.angles) angle -= turned;
}

geometry::VolumeGrid unmoved(const geometry::Similarity& transform, const geometry::VolumeGrid& grid) {
  geometry::VolumeGrid before = grid;
  before.spacing = (1 / transform.scale) * grid.spacing;
  before.origin = (1 / transform.scale) * (grid.origin - transform.shift);
  return before;
}

bool leans(const geometry::Similarity& transform) { return lean_of(transform) > 1e-3 * radians_per_degree; }

void lean(const geometry::Similarity& transform, recon::FdkSetup& setup, recon::FdkOptions& fdk) {
  const geometry::Rotation r = geometry::upright_parts(transform.rotation).lean;
  for (geometry::View& view : setup.views)
    view = {r * view.source, r * view.pixel_origin, r * view.column_step, r * view.row_step,
            r * view.direction};
  const double end = fdk.grid.origin.z + (fdk.grid.nz - 1) * fdk.grid.spacing.z;
  const double height = std::max(std::abs(fdk.grid.origin.z), std::abs(end));
  fdk.projector.radius =
      std::max(0.0, fdk.projector.radius - std::abs(std::tan(lean_of(transform))) * height);
  fdk.projector.merging = {};
}

}  // namespace feldspar::run
