// Chords of ellipsoids, cylinders and boxes in their own axes, and the standard phantoms.
#include "simulate/phantom.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::simulate {
namespace {

using geometry::Vec3;

/// Part of a path, as fractions of its length.
struct Interval {
  double begin = -std::numeric_limits<double>::infinity();
  double end = std::numeric_limits<double>::infinity();
  [[nodiscard]] double length() const { return std::max(0.0, end - begin); }
};

Interval common(Interval a, Interval b) { return {std::max(a.begin, b.begin), std::min(a.end, b.end)}; }

constexpr Interval nothing{0, 0};
constexpr Interval whole_path{0, 1};

/// In the body's own axes, scaled so that its half size is 1.
Vec3 to_body(const Body& body, Vec3 v) {
  return {dot(v, body.axes[0]) / body.half_size.x, dot(v, body.axes[1]) / body.half_size.y,
          dot(v, body.axes[2]) / body.half_size.z};
}

/// Where |o + t d|^2 <= radius^2, given the products of o and d.
Interval within_radius(double dd, double od, double oo, double radius) {
  if (dd == 0) return oo <= radius * radius ? Interval{} : nothing;
  const double closest = -od / dd;
  const double half2 = (radius * radius - (oo - od * od / dd)) / dd;
  if (half2 <= 0) return nothing;
  const double half = std::sqrt(half2);
  return {closest - half, closest + half};
}

/// Where |o + t d| <= 1 in one coordinate.
Interval within_slab(double o, double d) {
  if (d == 0) return std::abs(o) <= 1 ? Interval{} : nothing;
  const double a = (-1 - o) / d, b = (1 - o) / d;
  return {std::min(a, b), std::max(a, b)};
}

/// The fraction of the path o + t d, t in [0, 1], inside the body.
double fraction_inside(const Body& body, Vec3 o, Vec3 d) {
  switch (body.shape) {
    case Shape::ellipsoid:
      return common(whole_path, within_radius(dot(d, d), dot(o, d), dot(o, o), 1)).length();
    case Shape::box:
      return common(common(whole_path, within_slab(o.x, d.x)),
                    common(within_slab(o.y, d.y), within_slab(o.z, d.z)))
          .length();
    case Shape::cylinder: break;
  }
  const Interval height = common(whole_path, within_slab(o.z, d.z));
  const double dd = d.x * d.x + d.y * d.y, od = o.x * d.x + o.y * d.y, oo = o.x * o.x + o.y * o.y;
  const double full = common(height, within_radius(dd, od, oo, 1)).length();
  return body.hole > 0 ? full - common(height, within_radius(dd, od, oo, body.hole)).length() : full;
}

bool contains(const Body& body, Vec3 p) {
  switch (body.shape) {
    case Shape::ellipsoid: return dot(p, p) <= 1;
    case Shape::box: return std::abs(p.x) <= 1 && std::abs(p.y) <= 1 && std::abs(p.z) <= 1;
    case Shape::cylinder: break;
  }
  const double rr = p.x * p.x + p.y * p.y;
  return std::abs(p.z) <= 1 && rr <= 1 && rr >= body.hole * body.hole;
}

}  // namespace

Axes turned_about_z(double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  return {{{c, s, 0}, {-s, c, 0}, {0, 0, 1}}};
}

Axes along(Vec3 direction) {
  const Vec3 z = normalised(direction);
  const Vec3 x = normalised(cross(std::abs(z.x) < 0.6 ? Vec3{1, 0, 0} : Vec3{0, 1, 0}, z));
  return {x, cross(z, x), z};
}

Phantom::Phantom(std::vector<Body> bodies, std::vector<double> attenuations)
    : bodies_(std::move(bodies)), attenuations_(std::move(attenuations)) {
  for (std::size_t n = 0; n < bodies_.size(); ++n) {
    const Body& body = bodies_[n];
    const Vec3 h = body.half_size;
    if (!(h.x > 0 && h.y > 0 && h.z > 0 && std::isfinite(h.x * h.y * h.z)))
      throw Error(ErrorKind::usage, fmt::format("body {} has half sizes {}, {}, {} mm; they must be positive",
                                                n, h.x, h.y, h.z));
    if (!(body.hole >= 0 && body.hole < 1))
      throw Error(ErrorKind::usage,
                  fmt::format("body {} has a hole of {} of its radius; it must be in [0, 1)", n, body.hole));
    if (body.material < 0 || static_cast<std::size_t>(body.material) >= attenuations_.size())
      throw Error(ErrorKind::usage, fmt::format("body {} is of material {}, but there are {}", n,
                                                body.material, attenuations_.size()));
  }
}

double Phantom::attenuation_at(Vec3 point) const {
  double sum = 0;
  for (const Body& body : bodies_)
    if (contains(body, to_body(body, point - body.centre)))
      sum += body.share * attenuations_[static_cast<std::size_t>(body.material)];
  return sum;
}

double Phantom::line_integral(Vec3 from, Vec3 to) const {
  double sum = 0;
  for (const Body& body : bodies_)
    sum += body.share * attenuations_[static_cast<std::size_t>(body.material)] *
           fraction_inside(body, to_body(body, from - body.centre), to_body(body, to - from));
  return sum * norm(to - from);
}

namespace {

/// An ellipsoid of the head, in its radius.
struct HeadPart {
  double share;
  Vec3 half, centre;
  double degrees;
};
constexpr HeadPart head_parts[] = {
    {1.0, {.69, .92, .81}, {0, 0, 0}, 0},      {-.8, {.6624, .874, .78}, {0, -.0184, 0}, 0},
    {-.2, {.11, .31, .22}, {.22, 0, 0}, -18},  {-.2, {.16, .41, .28}, {-.22, 0, 0}, 18},
    {.1, {.21, .25, .41}, {0, .35, -.15}, 0},  {.1, {.046, .046, .05}, {0, .1, .25}, 0},
    {.1, {.046, .046, .05}, {0, -.1, .25}, 0}, {.1, {.046, .023, .05}, {-.08, -.605, 0}, 0},
    {.1, {.023, .023, .02}, {0, -.606, 0}, 0}, {.1, {.023, .046, .02}, {.06, -.605, 0}, 0},
};

}  // namespace

Phantom shepp_logan(double radius, double attenuation) {
  std::vector<Body> bodies;
  for (const HeadPart& row : head_parts)
    bodies.push_back({.shape = Shape::ellipsoid,
                      .centre = radius * row.centre,
                      .half_size = radius * row.half,
                      .axes = turned_about_z(row.degrees * radians_per_degree),
                      .share = row.share});
  return {std::move(bodies), {attenuation}};
}

Phantom uniform_cylinder(double radius, double height, double attenuation) {
  return {{{.shape = Shape::cylinder, .half_size = {radius, radius, 0.5 * height}}}, {attenuation}};
}

Phantom markers(double radius, double attenuation) {
  std::vector<Body> bodies{{.shape = Shape::cylinder, .half_size = {radius, radius, radius}, .share = 0.1}};
  const auto sphere = [&](Vec3 place, double size) {
    bodies.push_back({.centre = radius * place, .half_size = radius * Vec3{size, size, size}, .share = 0.9});
  };
  sphere({.7, 0, .6}, .10);
  sphere({0, .5, .2}, .08);
  sphere({-.35, 0, -.3}, .06);
  sphere({.2, -.75, -.65}, .05);
  return {std::move(bodies), {attenuation}};
}

}  // namespace feldspar::simulate
