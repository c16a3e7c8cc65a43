#include "recon/truncation/context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace feldspar::recon {

using geometry::Range;
using geometry::Vec3;

namespace {

constexpr std::size_t piece_bytes = std::size_t{32} << 20;  // of the wide volume that are read at a time

int divided_up(int a, int b) { return (a + b - 1) / b; }

/// The wide volume's grid in blocks of `factor` voxels; the last ones may reach beyond it.
geometry::VolumeGrid coarsened(const geometry::VolumeGrid& fine, int factor, Range slices) {
  const double to_middle = 0.5 * (factor - 1);
  return {.nx = divided_up(fine.nx, factor),
          .ny = divided_up(fine.ny, factor),
          .nz = divided_up(slices.count(), factor),
          .spacing = static_cast<double>(factor) * fine.spacing,
          .origin = fine.centre_of(to_middle, to_middle, slices.first + to_middle)};
}

/// Slices of the wide volume that rays to the detector's rows meet, looked at in some of the views.
Range seen_slices(const geometry::VolumeGrid& grid, const std::vector<geometry::View>& views, int rows) {
  double lowest = 1e300, highest = -1e300;
  const Vec3 last = grid.centre_of(grid.nx - 1, grid.ny - 1, 0);
  const std::size_t step = std::max<std::size_t>(1, views.size() / 32);
  for (std::size_t n = 0; n < views.size(); n += step)
    for (const double row : {0.0, rows - 1.0}) {
      const geometry::View& view = views[n];
      // Heights of the row's rays at the depths of the grid's corners: on an upright detector the same in all
      // columns, so those of the ray straight to the detector.
      const Vec3 pixel = from_pixel(view, 0, row).pixel_origin;
      const Vec3 from = view.is_parallel() ? pixel : view.source;
      const Vec3 normal = normalised(cross(view.row_step, view.column_step));
      const Vec3 straight = dot(pixel - from, normal) * normal + Vec3{0, 0, (pixel - from).z};
      const Vec3 along = view.is_parallel() ? view.direction : straight;
      const double level = std::hypot(along.x, along.y);
      for (const double x : {grid.origin.x, last.x})
        for (const double y : {grid.origin.y, last.y}) {
          const double distance = ((x - from.x) * along.x + (y - from.y) * along.y) / level;
          const double z = from.z + distance / level * along.z;
          lowest = std::min(lowest, z), highest = std::max(highest, z);
        }
    }
  const auto slice = [&](double z) { return (z - grid.origin.z) / grid.spacing.z; };
  const double first = std::floor(slice(lowest)) - 2, end = std::ceil(slice(highest)) + 3;
  return {static_cast<int>(std::clamp(first, 0.0, double(grid.nz))),
          static_cast<int>(std::clamp(end, 0.0, double(grid.nz)))};
}

}  // namespace

Vec3 Placement::turned(Vec3 v) const {
  const double c = std::cos(turn), s = std::sin(turn);
  return {c * v.x - s * v.y, s * v.x + c * v.y, v.z};
}

geometry::View Placement::moved(const geometry::View& view) const {
  geometry::View result = view;
  result.source = view.is_parallel() ? Vec3{} : turned(view.source) + shift;
  result.pixel_origin = turned(view.pixel_origin) + shift;
  result.column_step = turned(view.column_step);
  result.row_step = turned(view.row_step);
  result.direction = turned(view.direction);
  return result;
}

Outline Placement::moved(const Outline& outline) const {
  const Vec3 at = turned({outline.x, outline.y, 0}) + shift;
  return {outline.radius, at.x, at.y};
}

Outline Placement::back(const Outline& outline) const {
  const Placement inverse{.shift = {}, .turn = -turn};
  const Vec3 at = inverse.turned({outline.x - shift.x, outline.y - shift.y, 0});
  return {outline.radius, at.x, at.y};
}

namespace {

Range slices_seen_by(const InteriorScan& scan, const geometry::VolumeGrid& wide) {
  std::vector<geometry::View> views;
  for (const geometry::View& view : scan.views) views.push_back(scan.placement.moved(view));
  return seen_slices(wide, views, scan.rows);
}

int averaging(const geometry::VolumeGrid& wide, double finest) {
  return std::max(1, static_cast<int>(finest / wide.spacing.x + 1e-6));
}

/// Lines along x of the wide volume that are read at a time: a multiple of the averaged ones.
int lines_at_once(const geometry::VolumeGrid& wide, int factor) {
  const std::size_t line =
      static_cast<std::size_t>(wide.nx) * static_cast<std::size_t>(factor) * sizeof(float);
  return std::max(1, static_cast<int>(piece_bytes / line) / factor) * factor;
}

}  // namespace

ContextBytes context_bytes(const geometry::VolumeGrid& wide, const InteriorScan& scan) {
  const int factor = averaging(wide, scan.finest);
  const geometry::VolumeGrid grid = coarsened(wide, factor, slices_seen_by(scan, wide));
  return {.kept = grid.voxels() * sizeof(float),
          .reading = sizeof(float) * static_cast<std::size_t>(wide.nx) * static_cast<std::size_t>(factor) *
                     static_cast<std::size_t>(std::min(wide.ny, lines_at_once(wide, factor)))};
}

namespace {

/// Throws when no slice of the wide volume is seen.
void require_seen(Range slices, const geometry::VolumeGrid& wide) {
  if (!slices.empty()) return;
  throw Error(ErrorKind::bad_file,
              fmt::format("the wide volume lies at z {:.2f} to {:.2f} mm, where no ray of this scan passes",
                          wide.origin.z, wide.centre_of(0, 0, wide.nz - 1).z),
              {{"context-at", "", "say where this scan's origin is in it with"}});
}

}  // namespace

Context::Context(const WideVolume& wide, const InteriorScan& scan, MemoryBudget* budget)
    : placement_(scan.placement) {
  const Range slices = slices_seen_by(scan, wide.grid);
  require_seen(slices, wide.grid);
  if (slices.first == 0 || slices.end == wide.grid.nz)
    findings_.push_back(
        {"context.ends",
         fmt::format("rays of this scan leave the wide volume at its {}: what is there counts as air",
                     slices.first != 0            ? "top"
                     : slices.end == wide.grid.nz ? "top and bottom"
                                                  : "bottom")});
  const int factor = averaging(wide.grid, scan.finest);
  grid_ = coarsened(wide.grid, factor, slices);
  voxels_ = Array3<float>(grid_.nx, grid_.ny, grid_.nz, "the wide volume", budget);
  load(wide, factor, slices, scan.mask);
}

void Context::scale(double gain) {
  for (float& value : voxels_.view().values()) value *= static_cast<float>(gain);
}

namespace {

/// Adds `share` of voxels from line `y` of the wide volume on to a slice of averages.
void add_averaged(View3<const float> wide, int y, float share, int factor, View3<float> slice) {
  for (int c = 0; c < wide.nz; ++c)
    for (int b = 0; b < wide.ny; ++b) {
      float* to = slice.row((y + b) / factor, 0);
      const float* from = wide.row(b, c);
      for (int a = 0; a < wide.nx; ++a) to[a / factor] += share * from[a];
    }
}

}  // namespace

void Context::load(const WideVolume& wide, int factor, Range slices, const std::optional<Outline>& mask) {
  const int ny = wide.grid.ny;
  const int lines = lines_at_once(wide.grid, factor);
  const Outline kept = mask ? placement_.moved(*mask) : Outline{};
  const float share = 1.0f / static_cast<float>(factor * factor * factor);
  voxels_.fill(0);
  double reach = 0;
  for (int k = 0; k < grid_.nz; ++k) {
    const int z = slices.first + k * factor, depth = std::min(factor, slices.end - z);
    for (int y = 0; y < ny; y += lines) {
      const Array3<float> piece = wide.read(y, std::min(lines, ny - y), z, depth);
      add_averaged(piece.view(), y, share, factor, voxels_.view().planes(k, 1));
    }
    for (int j = 0; j < grid_.ny; ++j)
      for (int i = 0; i < grid_.nx; ++i) {
        float& value = voxels_(i, j, k);
        if (!std::isfinite(value))
          throw Error(ErrorKind::bad_file,
                      fmt::format("the wide volume has voxels that are not finite near slice {}", z));
        const Vec3 at = grid_.centre_of(i, j, k);
        if (mask && std::hypot(at.x - kept.x, at.y - kept.y) > kept.radius) value = 0;
        if (value != 0) reach = std::max(reach, std::hypot(at.x, at.y) + grid_.spacing.x);
      }
  }
  if (!(reach > 0)) throw Error(ErrorKind::bad_file, "the wide volume is empty where rays of this scan pass");
  outline_ = placement_.back({reach, 0, 0});
}

}  // namespace feldspar::recon
