#include "recon/inspection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "recon/projection_sample.hpp"

namespace feldspar::recon {
namespace {

constexpr double air_tolerance = 0.1;        // drift of a tube is below a few per cent; a wrong level is not
constexpr double object_transmission = 0.8;  // a row whose darkest pixel is below this has an object in it
constexpr double covered_edge = 0.9;         // an edge pixel below this share of air has the object over it

double quantile(std::vector<float>& values, double share) {
  if (values.empty()) return 0;
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

double line_integral(float transmission) { return -std::log(std::max(transmission, 1e-5f)); }

double mean_line_integral(std::span<const float> row) {
  double sum = 0;
  for (const float transmission : row) sum += line_integral(transmission);
  return sum / static_cast<double>(row.size());
}

void judge(Inspection& seen) {
  if (std::abs(seen.air_level - 1) > air_tolerance && seen.truncated_share < 0.5)
    seen.findings.push_back(fmt::format(
        "air transmits {:.3f} of the white level instead of 1: the white level is wrong or no pixel sees "
        "air, and attenuation is off by {:+.3f} per ray; set --white-level",
        seen.air_level, -std::log(std::max(seen.air_level, 1e-6))));
  if (seen.saturated_share > 1e-4)
    seen.findings.push_back(
        fmt::format("{:.2f} % of the pixels looked at are saturated", 100 * seen.saturated_share));
}

}  // namespace

Inspection inspect(const io::ScanSource& source, std::span<const int> view_indices, int count) {
  const auto& detector = source.scan().detector;
  const auto columns = static_cast<std::size_t>(detector.columns);
  const std::size_t margin = std::clamp<std::size_t>(columns / 100, 1, 8);
  count = std::min(count, static_cast<int>(view_indices.size()));
  Inspection seen;
  std::size_t saturated = 0, looked_at = 0, rows_with_object = 0, covered = 0;
  double at_edges = 0, within = 0;
  std::vector<float> air, all;
  for (int n = 0; n < count; ++n) {
    const int view =
        view_indices[view_indices.size() * static_cast<std::size_t>(n) / static_cast<std::size_t>(count)];
    const std::vector<float> image = transmissions(source, view, saturated);
    looked_at += image.size();
    for (std::size_t first = 0; first < image.size(); first += columns) {
      const auto row = std::span(image).subspan(first, columns);
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
        if (std::min(left, right) < covered_edge * std::max(1.0f, air.back())) {
          ++covered;
          at_edges += line_integral(std::min(left, right)), within += mean_line_integral(row);
        }
      }
      for (std::size_t c = 0; c < columns; c += 16) all.push_back(row[c]);
    }
  }
  seen.air_level = quantile(air, 0.5);
  seen.lowest_transmission = quantile(all, 0.001);
  seen.saturated_share = looked_at ? static_cast<double>(saturated) / static_cast<double>(looked_at) : 0;
  seen.truncated_share =
      rows_with_object ? static_cast<double>(covered) / static_cast<double>(rows_with_object) : 0;
  seen.edge_share = within > 0 ? at_edges / within : 0;
  judge(seen);
  return seen;
}

}  // namespace feldspar::recon
