#include "recon/verify/data_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace feldspar::recon {
namespace {

constexpr double air_limit = 0.02;  // the beam drifts by less than this
constexpr double air_share = 0.03;  // of the object's own line integrals
constexpr double air_sigmas = 5;
constexpr double object_over_edge = 0.3;  // an edge this high is no wrong level but the object

/// One side's outermost columns.
struct Edge {
  double level = 0, error = 0, slope = 0;
  double unrest = 0;  ///< from view to view
};

Edge look_at_edge(const Sinogram& s, int first, int end, double noise) {
  std::vector<double> columns;
  for (int i = first; i < end; ++i) {
    std::vector<double> values;
    for (int n = 0; n < s.count(); ++n) values.push_back(s.row(n)[i]);
    columns.push_back(median(std::move(values)));
  }
  std::vector<double> unrest;
  for (int n = 0; n < s.count(); ++n) {
    double sum = 0;
    for (int i = first; i < end; ++i) sum += s.row(n)[i];
    unrest.push_back(std::abs(sum / (end - first) - median(columns)));
  }
  return {median(columns), 1.25 * noise / std::sqrt(static_cast<double>(s.count())),
          std::abs(columns.front() - columns.back()), 1.4826 * median(std::move(unrest))};
}

/// A high quantile of all line integrals: what rays through the object's middle read.
double object_level(const Sinogram& s) {
  std::vector<double> values;
  for (int n = 0; n < s.count(); n += std::max(1, s.count() / 128))
    values.insert(values.end(), s.row(n) + s.trusted.first, s.row(n) + s.trusted.end);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(0.95 * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

Check check_air(const Sinogram& s, double noise) {
  const Check check{"air-level"};
  const int margin = std::clamp(s.columns / 32, 3, 32);
  if (s.trusted.count() < 4 * margin) return check.not_applicable("the rows are too short");
  const double object = object_level(s);
  double level = INFINITY, error = 0;
  for (const int first : {s.trusted.first, s.trusted.end - margin}) {
    const Edge edge = look_at_edge(s, first, first + margin, noise);
    const bool flat = edge.slope < 0.2 * std::abs(edge.level) + air_sigmas * edge.error + 1e-3 &&
                      edge.unrest < 2 * noise / std::sqrt(margin) + 4e-3;
    if (flat && edge.level < object_over_edge * object && std::abs(edge.level) < std::abs(level))
      level = edge.level, error = edge.error;
  }
  if (!std::isfinite(level)) return check.not_applicable("no column at the edges sees air only");
  const double limit = std::max({air_limit, air_share * object, air_sigmas * error});
  const bool wrong = std::abs(level) > limit;
  return check.judged(
      wrong,
      fmt::format(
          "rays beside the object read {:+.4f} instead of 0 (limit {:.4f}){}", level, limit,
          wrong ? fmt::format(": the white level is off by a factor of {:.3f}", std::exp(level)) : ""),
      {{"white-level", "", "set"}});
}

}  // namespace feldspar::recon
