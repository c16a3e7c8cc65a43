#include "recon/measure/inspection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "recon/measure/air.hpp"
#include "recon/measure/plateau.hpp"
#include "recon/measure/projection_sample.hpp"
#include "recon/measure/repeated_views.hpp"
#include "recon/measure/robust.hpp"

namespace feldspar::recon {
namespace {

constexpr double air_tolerance = 0.1;        // drift of a tube is below a few per cent; a wrong level is not
constexpr double object_transmission = 0.8;  // a row whose darkest pixel is below this has an object in it
constexpr std::size_t every_pixel = 16;      // of a row is kept to tell how dark it gets

double line_integral(float transmission) { return -std::log(std::max(transmission, 1e-5f)); }

/// Air in a changed beam, told from an object that reaches over the edge, by the outer tenths of rows.
class Edges {
 public:
  void add(std::span<const float> transmissions) {
    const std::size_t half = transmissions.size() / 20;
    if (half < 2) return;
    columns_ = transmissions.size();
    std::vector<float> row;
    for (const float t : transmissions) row.push_back(static_cast<float>(line_integral(t)));
    for (const bool left : {true, false}) sides_[left ? 0 : 1].add(row, half, left);
  }

  /// The line integral of the air at both edges; 0 when they may not be air.
  [[nodiscard]] double air() const {
    constexpr double unlike = 0.25, most = 0.5;  // a beam that lost more than 40 % is no beam
    std::vector<float> levels = sides_[0].outer, rises = sides_[0].rise;
    levels.insert(levels.end(), sides_[1].outer.begin(), sides_[1].outer.end());
    rises.insert(rises.end(), sides_[1].rise.begin(), sides_[1].rise.end());
    const double rise = quantile(rises, 0.5), level = quantile(levels, 0.5);
    const double spread = quantile(levels, 0.95) - quantile(levels, 0.05);
    if (!(rise > 0 && spread < unlike * rise && std::abs(level) < most)) return 0;
    for (const EdgeReadings& side : sides_)
      if (!sees_air(side, std::floor(static_cast<double>(columns_) / 20), static_cast<double>(columns_)))
        return 0;
    return level;
  }

 private:
  std::size_t columns_ = 0;
  EdgeReadings sides_[2];
};

double mean_line_integral(std::span<const float> row) {
  double sum = 0;
  for (const float transmission : row) sum += line_integral(transmission);
  return sum / static_cast<double>(row.size());
}

void judge_saturation(Inspection& seen) {
  if (seen.saturated_share > 1e-4)
    seen.findings.push_back({"pixels.saturated", fmt::format("{:.2f} % of the pixels looked at are saturated",
                                                             100 * seen.saturated_share)});
}

/// Counts that end below the full scale say how far, unless that limit is the one that is known.
void judge_plateau(Inspection& seen, const Plateau& plateau) {
  if (plateau.level == 0 || plateau.share <= seen.saturated_share) return;
  seen.saturated_share = plateau.share, seen.saturation_level = plateau.level;
  seen.findings.push_back(
      {"pixels.saturated",
       fmt::format(
           "{:.2f} % of the pixels looked at read {:g} counts, which none exceeds: the detector, or what "
           "wrote the files, is full there; brighter rays look alike, and attenuation comes out too low",
           100 * plateau.share, plateau.level)});
}

/// Takes flat edges for air in a beam that has changed, and the rest of the rows by that level.
void accept_air(Inspection& seen, double air) {
  seen.air_line_integral = air;
  seen.truncated_share = seen.edge_share = 0;
  seen.findings.push_back(
      {"air.changed",
       fmt::format("both edges of the detector are flat and alike in every view at {:.3f} of the open beam: "
                   "taken for air in a beam that has changed since the flats, whose level the correction of "
                   "drift sets, and not for an object that reaches over the edge",
                   std::exp(-air)),
       "",
       {{"outline", "", "if it does, give"}}});
}

void judge(Inspection& seen) {
  if (seen.air_line_integral != 0) return judge_saturation(seen);
  if (std::abs(seen.air_level - 1) > air_tolerance && seen.truncated_share < 0.5)
    seen.findings.push_back(
        {"air.level",
         fmt::format("air transmits {:.3f} of the white level instead of 1: the white level is wrong or no "
                     "pixel sees air, and attenuation is off by {:+.3f} per ray",
                     seen.air_level, -std::log(std::max(seen.air_level, 1e-6))),
         "",
         {{"white-level", "", "set"}}});
  judge_saturation(seen);
}

/// Of one view, kept until all have been looked at: some of the pixels, and what is told of a row.
std::size_t kept_values(const io::ScanSource& source) {
  const geometry::Detector& d = source.scan().detector;
  constexpr std::size_t of_a_row = 16;
  return static_cast<std::size_t>(d.rows) *
         (static_cast<std::size_t>(d.columns) / every_pixel + 1 + of_a_row);
}

float darker(OuterEdges edges, float left, float right) {
  if (edges == OuterEdges::both) return std::min(left, right);
  return edges == OuterEdges::left ? left : right;
}

}  // namespace

std::size_t inspection_bytes(const io::ScanSource& source) {
  return transmissions_bytes(source) + kept_values(source) * sizeof(float) * inspected_views;
}

Inspection inspect(const io::ScanSource& source, std::span<const int> view_indices,
                   const Resources& resources, OuterEdges outer) {
  const auto& detector = source.scan().detector;
  const auto columns = static_cast<std::size_t>(detector.columns);
  const std::size_t margin = std::clamp<std::size_t>(columns / 100, 1, 8);
  const int count = std::min(inspected_views, static_cast<int>(view_indices.size()));
  Inspection seen;
  std::size_t saturated = 0, looked_at = 0, rows_with_object = 0, covered = 0;
  double at_edges = 0, within = 0;
  std::vector<float> air, all;
  const Reservation kept(resources.budget,
                         kept_values(source) * sizeof(float) * static_cast<std::size_t>(count),
                         "a look at a few projections");
  all.reserve(static_cast<std::size_t>(count * detector.rows) * (columns / every_pixel + 1));
  Edges edges;
  std::vector<int> looked_at_views;
  for (int n = 0; n < count; ++n) {
    const int view =
        view_indices[view_indices.size() * static_cast<std::size_t>(n) / static_cast<std::size_t>(count)];
    looked_at_views.push_back(view);
    const Array3<float> image = transmissions(source, view, saturated, resources.budget);
    looked_at += image.size();
    for (int line = 0; line < detector.rows; ++line) {
      const std::span<const float> row(image.view().row(line, 0), columns);
      const auto mean = [&](std::size_t from) {
        float sum = 0;
        for (std::size_t c = from; c < from + margin; ++c) sum += row[c];
        return sum / static_cast<float>(margin);
      };
      const float left = mean(0), right = mean(columns - margin),
                  darkest = *std::min_element(row.begin(), row.end());
      air.push_back(std::max(left, right));
      if (darkest < object_transmission * std::max(1.0f, air.back())) {
        ++rows_with_object;
        edges.add(row);
        if (const float edge = darker(outer, left, right); edge < covered_edge * std::max(1.0f, air.back())) {
          ++covered;
          at_edges += line_integral(edge), within += mean_line_integral(row);
        }
      }
      for (std::size_t c = 0; c < columns; c += every_pixel) all.push_back(row[c]);
    }
  }
  seen.air_level = quantile(air, 0.5);
  seen.lowest_transmission = quantile(all, 0.001);
  seen.saturated_share = looked_at ? static_cast<double>(saturated) / static_cast<double>(looked_at) : 0;
  seen.truncated_share =
      rows_with_object ? static_cast<double>(covered) / static_cast<double>(rows_with_object) : 0;
  seen.edge_share = within > 0 ? at_edges / within : 0;
  if (seen.truncated_share > 0.05 && seen.air_level < covered_edge)
    if (const double level = edges.air(); level > 0) accept_air(seen, level);
  judge(seen);
  judge_plateau(seen, find_plateau(source, looked_at_views, resources.budget));
  const Findings repeated = find_repeated_views(source, view_indices);
  seen.findings.insert(seen.findings.end(), repeated.begin(), repeated.end());
  return seen;
}

}  // namespace feldspar::recon
