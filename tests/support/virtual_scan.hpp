// Scans of simple bodies that live in memory: exact line integrals through ellipsoids and cylinders, as a
// ScanSource. The rays are worked out here in the laboratory, with the object turned, not by the project's
// geometry, so that an error in that one shows.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "geometry/scan.hpp"
#include "io/described_scan.hpp"
#include "io/volume_sink.hpp"

namespace feldspar::testing {

using geometry::Vec3;

/// Ellipsoid, or elliptic cylinder along z where `height` is positive; axes along x, y, z turned about z.
struct Body {
  Vec3 centre;
  Vec3 half;         ///< half axes, mm
  double turn = 0;   ///< about z, rad
  double value = 0;  ///< 1/mm, added to what is there
  bool cylinder = false;
};

inline double chord(const Body& body, Vec3 from, Vec3 to) {
  const double c = std::cos(body.turn), s = std::sin(body.turn);
  const auto local = [&](Vec3 p) {
    p = p - body.centre;
    return Vec3{(c * p.x + s * p.y) / body.half.x, (-s * p.x + c * p.y) / body.half.y, p.z / body.half.z};
  };
  const Vec3 a = local(from), d = local(to) - a;
  const double dz = body.cylinder ? 0 : d.z, az = body.cylinder ? 0 : a.z;
  const double dd = d.x * d.x + d.y * d.y + dz * dz, ad = a.x * d.x + a.y * d.y + az * dz,
               aa = a.x * a.x + a.y * a.y + az * az - 1, root = ad * ad - dd * aa;
  if (!(root > 0)) return 0;
  double enter = (-ad - std::sqrt(root)) / dd, leave = (-ad + std::sqrt(root)) / dd;
  if (body.cylinder && d.z != 0) {
    const double low = (-1 - a.z) / d.z, high = (1 - a.z) / d.z;
    enter = std::max(enter, std::min(low, high)), leave = std::min(leave, std::max(low, high));
  }
  return std::max(0.0, leave - enter) * geometry::norm(to - from);
}

class VirtualScan final : public io::DescribedScan {
 public:
  VirtualScan(geometry::CircularScan scan, std::vector<Body> bodies, double white = 60000)
      : bodies_(std::move(bodies)) {
    scan_ = std::move(scan);
    references_.white = {static_cast<float>(white)};
    description_.format = "virtual";
  }
  [[nodiscard]] const geometry::CircularScan& scan() const override { return claimed_ ? *claimed_ : scan_; }
  /// From now on the scan says it was taken with another geometry than it was.
  void claim(const geometry::CircularScan& other) { claimed_ = other; }
  [[nodiscard]] const std::vector<Body>& bodies() const { return bodies_; }
  [[nodiscard]] io::CountType count_type() const override { return io::CountType::float32; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {}; }

  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    auto* out = static_cast<float*>(counts);
    for (const int view : views)
      for (int row = window.rows.first; row < window.rows.end; ++row)
        for (int column = window.columns.first; column < window.columns.end; ++column)
          *out++ = static_cast<float>(references_.white[0] * std::exp(-line_integral(view, column, row)));
  }

  [[nodiscard]] double line_integral(int view, double column, double row) const {
    const Vec3 end = pixel(view, column, row);
    const Vec3 start = scan_.beam == geometry::Beam::parallel ? end - Vec3{0, 1000, 0}
                                                              : Vec3{0, -scan_.source_object_distance, 0};
    const Vec3 from = to_object(view, start), to = to_object(view, end);
    double sum = 0;
    for (const Body& body : bodies_) sum += body.value * chord(body, from, from + 4.0 * (to - from));
    return sum;
  }

 private:
  using Matrix = std::array<Vec3, 3>;  // rows
  static Vec3 times(const Matrix& m, Vec3 v) { return {dot(m[0], v), dot(m[1], v), dot(m[2], v)}; }
  static Vec3 times_transposed(const Matrix& m, Vec3 v) { return v.x * m[0] + v.y * m[1] + v.z * m[2]; }
  static Matrix about_x(double a) {
    return {{{1, 0, 0}, {0, std::cos(a), -std::sin(a)}, {0, std::sin(a), std::cos(a)}}};
  }
  static Matrix about_y(double a) {
    return {{{std::cos(a), 0, std::sin(a)}, {0, 1, 0}, {-std::sin(a), 0, std::cos(a)}}};
  }
  static Matrix about_z(double a) {
    return {{{std::cos(a), -std::sin(a), 0}, {std::sin(a), std::cos(a), 0}, {0, 0, 1}}};
  }

  [[nodiscard]] Vec3 pixel(int view, double column, double row) const {
    const auto& d = scan_.detector;
    Vec3 at{(column - 0.5 * (d.columns - 1)) * d.column_pitch, 0, (row - 0.5 * (d.rows - 1)) * d.row_pitch};
    if (!scan_.shifts.empty())
      at = at - Vec3{scan_.shifts[std::size_t(view)].column, 0, scan_.shifts[std::size_t(view)].row};
    at = times(about_z(d.slant), times(about_x(d.tilt), times(about_y(d.roll), at)));
    return at +
           Vec3{d.column_offset, scan_.source_detector_distance - scan_.source_object_distance, d.row_offset};
  }

  /// A laboratory point in the axes of the object, which stands on the table at the axis' foot, leans with
  /// it and is turned by the view's angle: p_lab = foot + lean * turn * p_object.
  [[nodiscard]] Vec3 to_object(int view, Vec3 lab) const {
    // Leaning about y by the roll takes z to (sin r, 0, cos r); then about x by minus the tilt takes that
    // to (sin r, sin t cos r, cos t cos r). What is left is a turn about the axis that keeps the object's y
    // in the plane of beam and axis.
    const Vec3 p = lab - Vec3{scan_.axis.offset, 0, 0};
    const double r = scan_.axis.roll, t = scan_.axis.tilt;
    const Vec3 upright = times_transposed(about_y(r), times_transposed(about_x(-t), p));
    const Vec3 beam = times_transposed(about_y(r), times_transposed(about_x(-t), {0, 1, 0}));
    const Vec3 facing = times(about_z(std::atan2(beam.x, beam.y)), upright);
    return times(about_z(-scan_.angles[std::size_t(view)]), facing);
  }

  std::optional<geometry::CircularScan> claimed_;
  std::vector<Body> bodies_;
};

/// A sink that keeps the volume.
class VolumeInMemory final : public io::VolumeSink {
 public:
  VolumeInMemory(int nx, int ny, int nz) : values(std::size_t(nx) * ny * nz, NAN), nx_(nx), ny_(ny) {}
  void write(int first_slice, View3<const float> slab) override {
    std::memcpy(values.data() + std::size_t(first_slice) * nx_ * ny_, slab.data, slab.bytes());
  }
  [[nodiscard]] float at(int i, int j, int k) const { return values[(std::size_t(k) * ny_ + j) * nx_ + i]; }
  std::vector<float> values;

 private:
  int nx_, ny_;
};

}  // namespace feldspar::testing
