// The plan and the heights of the cell's parts, and rays through them.
#include "simulate/cell_18650.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "base/error.hpp"

namespace feldspar::simulate {
namespace {

using geometry::Vec3;
constexpr double turn = 2 * std::numbers::pi;

/// An upright ring of one material; heights from the cell's lower end.
struct Ring {
  double inner, outer, bottom, top;
  Material material;
};

/// Can with crimped groove, insulating discs and cap stack, the later parts replacing the earlier.
std::vector<Ring> parts_of(const CellDesign& d) {
  using enum Material;
  const double can = d.can_radius, in = can - d.can_wall, wall = d.can_wall;
  return {
      {0, in, d.can_bottom, 62.05, electrolyte},
      {in, can, 0, 64.22, steel},
      {0, can, 0, d.can_bottom, steel},
      {0, 8.7, d.can_bottom, d.can_bottom + 0.3, plastic},
      {0, 8.7, 61.75, 62.05, plastic},
      {8.1, can, 62.2, 63.0, steel},
      {8.1 + wall, can, 62.2 + wall, 63.0 - wall, nothing},
      {8.0, in, 63.0, 64.0, plastic},
      {0, 8.0, 63.1, 63.4, aluminium},
      {0, 8.3, 63.6, 63.95, steel},
      {4.0, 4.35, 63.95, cell_height, steel},
      {0, 4.35, cell_height - 0.35, cell_height, steel},
      {7.9, can, 64.0, 64.22, steel},
  };
}

/// What a layer is made of, and between which heights.
struct LayerExtent {
  Material material;
  double bottom, top;
};

/// The anode reaches 1 mm beyond the 58 mm of the cathode at both ends, the separator 0.5 mm further.
LayerExtent extent_of(Layer layer) {
  switch (layer) {
    case Layer::none: break;
    case Layer::separator: return {Material::separator, 0.7, 61.7};
    case Layer::cathode: return {Material::cathode, 2.2, 60.2};
    case Layer::aluminium: return {Material::aluminium, 2.2, 60.2};
    case Layer::anode: return {Material::anode, 1.2, 61.2};
    case Layer::copper: return {Material::copper, 1.2, 61.2};
    case Layer::gap: return {Material::nothing, 1.2, 61.2};
    case Layer::aluminium_tab: return {Material::aluminium, 22, 63.1};
    case Layer::nickel_tab: return {Material::nickel, 0.3, 42};
  }
  return {Material::nothing, 0, 0};
}

std::vector<double> sorted_unique(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end(), [](double a, double b) { return b - a < 1e-9; }),
               values.end());
  return values;
}

/// Half the chord that a path at `offset` cuts from a circle; nothing when it passes by.
std::optional<double> half_chord(double radius, double offset) {
  const double half2 = radius * radius - offset * offset;
  if (half2 <= 0) return std::nullopt;
  return std::sqrt(half2);
}

/// A ray's way over the plan, and its height along it.
struct PlanRay {
  PlanPath path;
  double begin = 0, end = 0;  ///< mm along the path
  double length = 0;          ///< of the plan; 0 for an upright ray
};

PlanRay plan_ray(Vec3 from, Vec3 to) {
  PlanRay ray;
  const double dx = to.x - from.x, dy = to.y - from.y;
  ray.length = std::sqrt(dx * dx + dy * dy);
  if (ray.length == 0) return ray;
  ray.path = {.direction_x = dx / ray.length, .direction_y = dy / ray.length};
  ray.path.offset = from.x * ray.path.direction_y - from.y * ray.path.direction_x;
  ray.begin = from.x * ray.path.direction_x + from.y * ray.path.direction_y;
  ray.end = ray.begin + ray.length;
  return ray;
}

Slope slope_of(const PlanRay& ray, double from_z, double to_z) {
  const double rise = (to_z - from_z) / ray.length;
  return {.at_zero = from_z - rise * ray.begin, .rise = rise};
}

}  // namespace

AttenuationTable attenuations_at_91_kev() {
  return {0, .353, .506, .048, .488, .138, .030, .022, .0205, .016};
}

std::vector<Substance> cell_substances() {
  return {{"", 0},          {"Fe", 7.85},          {"Cu", 8.96},
          {"Al", 2.70},     {"Ni", 8.90},          {"LiNi0.8Mn0.1Co0.1O2", 3.65},
          {"C60SiO", 1.90}, {"C20H40Al2O3", 1.20}, {"C3H4O3Li0.08P0.08F0.5", 1.22},
          {"C3H6", 0.91}};
}

CellDesign aged_design() {
  CellDesign design;
  design.anode *= 1.05;
  design.buckle = {.depth = 0.3, .decay = 0.5, .azimuth = 0.7};
  design.delamination = 0.05;
  return design;
}

Cell18650::Cell18650(const CellDesign& design, const AttenuationTable& table) {
  if (design.roll_radius > design.can_radius - design.can_wall)
    throw Error(ErrorKind::usage, fmt::format("a roll of {} mm radius does not fit a can of {} mm inside",
                                              design.roll_radius, design.can_radius - design.can_wall));
  if (!(design.buckle.depth >= 0 && design.buckle.depth < design.buckle.decay))
    throw Error(ErrorKind::usage, fmt::format("a buckle {} mm deep must be shallower than its decay of {} mm",
                                              design.buckle.depth, design.buckle.decay));
  plan_roll(design);
  plan_bands(design, table);
}

void Cell18650::plan_roll(const CellDesign& d) {
  winding_.thickness = {
      d.separator, d.cathode, d.aluminium, d.cathode, d.separator, d.delamination, d.anode - d.delamination,
      d.copper,    d.anode};
  winding_.outer_radius = d.roll_radius;
  winding_.buckle = d.buckle;
  // Turns times their mean length: wound_length = pi (outer - inner - pitch) (outer + inner) / pitch.
  const double pitch = winding_.pitch(), middle = d.roll_radius - 0.5 * pitch;
  winding_.inner_radius =
      std::sqrt(std::fmax(0, middle * middle - d.wound_length * pitch / std::numbers::pi)) - 0.5 * pitch;
  if (!(d.delamination >= 0 && d.delamination < d.anode && winding_.core_radius() > 0))
    throw Error(
        ErrorKind::usage,
        fmt::format("{} mm of electrodes with a pitch of {} mm leave no core in a roll of {} mm radius",
                    d.wound_length, pitch, d.roll_radius));

  const double end = winding_.turns();
  const double anode_from = 0.15, anode_to = end - 0.05, cathode_from = 0.5, cathode_to = end - 0.2;
  const auto tab = [&](Layer layer, double centre_turn) {
    const double half = 2.0 / (turn * (winding_.inner_radius + centre_turn * winding_.pitch()));
    return Stretch{layer, centre_turn - half, centre_turn + half};
  };
  // Half of the wound area lies on either side of the mid-length.
  const auto turns_at = [&](double fraction) {
    const double a = winding_.inner_radius + cathode_from * winding_.pitch();
    const double b = winding_.inner_radius + cathode_to * winding_.pitch();
    return (std::sqrt(a * a + fraction * (b * b - a * a)) - winding_.inner_radius) / winding_.pitch();
  };
  const LayerPlan separator{{Layer::separator, 0, end}}, cathode{{Layer::cathode, cathode_from, cathode_to}};
  const LayerPlan anode{{Layer::anode, anode_from, anode_to}};
  LayerPlan tabbed_cathode = cathode, gapped_anode = anode, tabbed_anode = anode;
  tabbed_cathode.push_back(tab(Layer::aluminium_tab, turns_at(0.5)));
  gapped_anode.push_back({Layer::gap, d.delaminated_from_turn, d.delaminated_to_turn});
  tabbed_anode.push_back(tab(Layer::nickel_tab, anode_to - 0.05));
  layers_ = {separator,    cathode, {{Layer::aluminium, cathode_from, cathode_to}}, tabbed_cathode, separator,
             gapped_anode, anode,   {{Layer::copper, anode_from, anode_to}},        tabbed_anode};
  for (const LayerPlan& plan : layers_)
    for (const Stretch& stretch : plan) {
      stretch_turns_.push_back(stretch.first_turn);
      stretch_turns_.push_back(stretch.last_turn);
    }
  stretch_turns_ = sorted_unique(stretch_turns_);
}

void Cell18650::plan_bands(const CellDesign& design, const AttenuationTable& table) {
  const std::vector<Ring> parts = parts_of(design);
  std::vector<double> heights;
  radii_ = {winding_.core_radius(), winding_.outer_radius};
  for (const Ring& part : parts) {
    radii_.push_back(part.outer);
    if (part.inner > 0) radii_.push_back(part.inner);
    heights.push_back(part.bottom);
    heights.push_back(part.top);
  }
  for (int layer = 1; layer < layer_count; ++layer) {
    heights.push_back(extent_of(static_cast<Layer>(layer)).bottom);
    heights.push_back(extent_of(static_cast<Layer>(layer)).top);
  }
  radii_ = sorted_unique(radii_);
  heights = sorted_unique(heights);

  for (std::size_t ring = 0; ring < radii_.size(); ++ring)
    for (int n = 0; n < layer_count; ++n)
      for (std::size_t band = 0; band + 1 < heights.size(); ++band) {
        const double radius = 0.5 * ((ring > 0 ? radii_[ring - 1] : 0) + radii_[ring]);
        const double z = 0.5 * (heights[band] + heights[band + 1]);
        Material material = Material::nothing;
        for (const Ring& part : parts)
          if (radius > part.inner && radius < part.outer && z > part.bottom && z < part.top)
            material = part.material;
        const LayerExtent layer = extent_of(static_cast<Layer>(n));
        if (z > layer.bottom && z < layer.top) material = layer.material;
        materials_.push_back(material);
        bands_.attenuations.push_back(table[static_cast<std::size_t>(material)]);
      }
  bands_.heights = heights;
  for (double& z : bands_.heights) z -= 0.5 * cell_height;
}

int Cell18650::ring_at(double radius) const {
  return static_cast<int>(std::upper_bound(radii_.begin(), radii_.end(), radius) - radii_.begin());
}

Layer Cell18650::layer_at(double x, double y) const {
  const double r2 = x * x + y * y;
  if (r2 < winding_.core_radius() * winding_.core_radius() ||
      r2 > winding_.outer_radius * winding_.outer_radius)
    return Layer::none;
  const WoundPlace place = locate(winding_, x, y);
  Layer found = Layer::none;
  for (const Stretch& stretch : layers_[static_cast<std::size_t>(place.layer)])
    if (place.turns >= stretch.first_turn && place.turns < stretch.last_turn) found = stretch.layer;
  return found;
}

/// -1 outside the cell.
int Cell18650::profile_at(double x, double y) const {
  const int ring = ring_at(std::sqrt(x * x + y * y));
  if (ring == static_cast<int>(radii_.size())) return -1;
  return ring * layer_count + static_cast<int>(layer_at(x, y));
}

Material Cell18650::material_at(Vec3 point) const {
  const int profile = profile_at(point.x, point.y), band = bands_.band_at(point.z);
  if (profile < 0 || band < 0 || band >= bands_.count()) return Material::nothing;
  return materials_[static_cast<std::size_t>(profile) * static_cast<std::size_t>(bands_.count()) +
                    static_cast<std::size_t>(band)];
}

double Cell18650::attenuation_at(Vec3 point) const {
  const int profile = profile_at(point.x, point.y), band = bands_.band_at(point.z);
  return profile < 0 || band < 0 || band >= bands_.count() ? 0 : bands_.attenuation(profile, band);
}

PlanChord Cell18650::cut(const PlanPath& path, double begin, double end) const {
  PlanChord chord;
  const std::optional<double> outside = half_chord(radii_.back(), path.offset);
  if (!outside || -*outside >= end || *outside <= begin) return chord;
  begin = std::max(begin, -*outside);
  end = std::min(end, *outside);

  std::vector<double> cuts;
  for (const double radius : radii_)
    if (const auto half = half_chord(radius, path.offset)) cuts.insert(cuts.end(), {-*half, *half});
  // A layer's end is a half plane from the axis; the path meets it where its own azimuth is the plane's.
  for (const double turns : stretch_turns_) {
    const double ex = std::cos(turn * turns), ey = std::sin(turn * turns);
    const double across = ex * path.direction_y - ey * path.direction_x;
    const double t = path.offset * (ex * path.direction_x + ey * path.direction_y) / across;
    if (std::isfinite(t)) cuts.push_back(t);
  }
  if (const auto roll = half_chord(winding_.outer_radius, path.offset)) {
    const double core = half_chord(winding_.core_radius(), path.offset).value_or(0);
    const double first = std::max(begin, -*roll), last = std::min(end, *roll);
    cut_by_layers(winding_, path, first, std::min(last, core > 0 ? -core : last), cuts);
    if (core > 0) cut_by_layers(winding_, path, std::max(first, core), last, cuts);
  }
  std::erase_if(cuts, [&](double t) { return !(t > begin && t < end); });
  cuts.insert(cuts.end(), {begin, end});
  std::sort(cuts.begin(), cuts.end());

  for (std::size_t n = 0; n + 1 < cuts.size(); ++n) {
    const double middle = 0.5 * (cuts[n] + cuts[n + 1]);
    const int profile = profile_at(path.x(middle), path.y(middle));
    if (profile < 0 || cuts[n + 1] <= cuts[n]) continue;
    if (chord.cuts.empty()) chord.cuts.push_back(cuts[n]);
    chord.cuts.push_back(cuts[n + 1]);
    chord.profiles.push_back(profile);
  }
  return chord;
}

double Cell18650::line_integral(Vec3 from, Vec3 to) const {
  const PlanRay ray = plan_ray(from, to);
  if (ray.length > 0)
    return integrate(bands_, cut(ray.path, ray.begin, ray.end), slope_of(ray, from.z, to.z));
  // Upright: one place of the plan, seen as a path along z of which z is the coordinate.
  const int profile = profile_at(from.x, from.y);
  if (profile < 0) return 0;
  double sum = 0;
  const double low = std::min(from.z, to.z), high = std::max(from.z, to.z);
  for (int band = std::max(0, bands_.band_at(low)); band < bands_.count(); ++band) {
    const auto k = static_cast<std::size_t>(band);
    if (bands_.heights[k] >= high) break;
    sum += bands_.attenuation(profile, band) *
           (std::min(high, bands_.heights[k + 1]) - std::max(low, bands_.heights[k]));
  }
  return sum;
}

void Cell18650::line_integrals(const ColumnOfRays& rays, std::span<double> integrals) const {
  const PlanRay ray = plan_ray(rays.source, rays.lowest);
  if (ray.length == 0) return Object::line_integrals(rays, integrals);
  const PlanChord chord = cut(ray.path, ray.begin, ray.end);
  if (chord.profiles.empty()) return std::fill(integrals.begin(), integrals.end(), 0.0);
  const ChordSums sums(bands_, chord);
  for (std::size_t row = 0; row < integrals.size(); ++row)
    integrals[row] =
        sums.integrate(slope_of(ray, rays.source.z, rays.lowest.z + static_cast<double>(row) * rays.step));
}

}  // namespace feldspar::simulate
