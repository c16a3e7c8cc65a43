#include "recon/verify/scan_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/units.hpp"
#include "recon/verify/mid_plane.hpp"

namespace feldspar::recon {
namespace {

std::vector<int> repeated_views(const Strips& strips) {
  std::vector<int> repeated;
  for (int n = 1; n < strips.views; ++n)
    if (std::memcmp(strips.view(n), strips.view(n - 1), strips.size() * sizeof(float)) == 0)
      repeated.push_back(n);
  return repeated;
}

}  // namespace

std::vector<double> smooth(Strips& strips) {
  std::vector<double> levels;
  const int columns = strips.columns;
  std::vector<float> row(static_cast<std::size_t>(columns));
  for (int n = 0; n < strips.views; ++n) {
    float* const view = strips.view(n);
    double sum = 0;
    for (std::size_t i = 0; i < strips.size(); ++i) sum += double{view[i]};
    levels.push_back(sum / static_cast<double>(std::max<std::size_t>(1, strips.size())));
    const float mean = static_cast<float>(levels.back());
    for (int s = 0; s < strips.count(); ++s) {
      float* const p = view + static_cast<std::ptrdiff_t>(s) * columns;
      std::copy_n(p, columns, row.data());
      const auto at = [&](int j) { return row[static_cast<std::size_t>(std::clamp(j, 0, columns - 1))]; };
      for (int j = 0; j < columns; ++j) p[j] = 0.25f * (at(j - 1) + 2 * at(j) + at(j + 1)) - mean;
    }
  }
  return levels;
}

double noise_of(const Strips& strips) {
  std::vector<double> second;
  const int stride = std::max(1, strips.views / 64);
  for (int n = 1; n + 1 < strips.views; n += stride) {
    const float *const a = strips.view(n - 1), *const p = strips.view(n), *const b = strips.view(n + 1);
    for (std::size_t i = 0; i < strips.size(); i += 3)
      second.push_back(std::abs(double{a[i]} - 2.0 * double{p[i]} + double{b[i]}));
  }
  return 1.4826 * median(std::move(second)) / std::sqrt(6.0);
}

Check check_axis(const CentreEstimate& found) {
  const Check check{"rotation-axis"};
  if (!found.known) return check.not_applicable(found.doubt);
  const bool wrong = found.contradicts();
  const std::string lean = found.roll_known ? fmt::format(", leaning by {:+.3f} +- {:.3f} degrees",
                                                          found.roll_difference / radians_per_degree,
                                                          found.roll_uncertainty / radians_per_degree)
                                            : "";
  return check.judged(
      wrong,
      fmt::format(
          "rays and their reverses put the axis {:+.3f} +- {:.3f} columns from where the geometry has "
          "it{}{}",
          found.difference, found.offset_uncertainty / found.pixel, lean, wrong ? ": edges are doubled" : ""),
      {{"axis-offset", "auto", "try"}});
}

std::vector<Check> check_scan(const FdkJob& job, const geometry::CircularScan& scan,
                              const std::optional<CentreEstimate>& centre, const Resources& resources,
                              Progress& progress) {
  const Check of_axis = check_axis(centre ? centre->about(scan.axis)
                                          : find_centre(job.source, scan, job.setup.view_indices, resources));
  const Reservation room(resources.budget, strips_bytes(job.setup), "views to compare");
  Strips strips = read_strips(job, resources, progress);
  if (strips.columns < 8) return {of_axis};
  const std::vector<int> repeated = repeated_views(strips);
  const std::vector<double> levels = smooth(strips);
  const double noise = noise_of(strips);
  const std::vector<OppositeSums> opposites = compare_opposites(strips, resources.threads);
  return {of_axis, check_neighbours(strips, levels, repeated, opposites), check_sense(strips, opposites),
          check_turn(strips, opposites, noise), check_motion(strips, opposites, noise)};
}

}  // namespace feldspar::recon
