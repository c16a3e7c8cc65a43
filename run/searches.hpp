// The searches and the corrections of a reconstruction that is being planned, one function each, in the order
// they are made. Each leaves its answer in the plan, so that a plan that has it already is not asked again.
// Internal to run/.
#pragma once

#include "run/reconstruction.hpp"

namespace feldspar::run {

/// The sets of findings of a plan in the making, in the order they are shown.
struct PlanFindings {
  Findings axis, motion, region, truncation, corrections, hardening;
};

/// A reconstruction that is being planned.
struct Planning {
  Reconstruction& work;
  const Watch& watch;
  bool known = false;  ///< the plan has all answers already
  PlanFindings findings = {};

  [[nodiscard]] const Request& request() const { return work.plan.request; }
  [[nodiscard]] recon::Resources resources() const { return work.shop.resources(); }
  /// Notes that up to `most` of the views that take part are looked at.
  void looks_at(std::size_t most, const std::string& why);
  [[nodiscard]] ProgressMonitor monitor() const { return watch ? watch() : ProgressMonitor{}; }
};

/// The projections are asked whether they can make a volume to trust: where one will be verified, or is
/// planned and not to be left unverified.
[[nodiscard]] inline bool asks_projections(const Request& request, bool known, bool verified) {
  return !request.open.headers_only && request.verify && (verified || !known);
}

/// Whether to look for beam hardening of which no file says anything, to say what its correction would
/// change.
[[nodiscard]] inline bool offers_hardening(const Request& request, bool known) {
  return request.hardening.kind == Hardening::Kind::file && asks_projections(request, known, false);
}

/// Takes the scatter off the counts of the source.
void take_off_scatter(Planning& planning);

/// Puts the axis where the file, the request or the projections have it.
void place_axis(Planning& planning);

/// Puts the views where they were when they were taken.
void place_views(Planning& planning);

/// Cuts the planned grid to the object, if that is wanted.
void cut_region(Planning& planning);

/// Continues the rows of an object that is wider than the detector. Throws Error(usage) for an outline that
/// ends within it.
void extend_rows(Planning& planning);

/// Measures what to correct of the intensities, and gives the work another source where all views of a row
/// are needed.
void correct(Planning& planning);

/// Adds the polynomial of beam hardening. Throws Error(bad_file) when none can be found that was to be looked
/// for.
void linearize(Planning& planning);

/// Where `scan` was taken in the wide volume of the request. Refers to `setup`.
[[nodiscard]] recon::InteriorScan interior_scan(const Request& request, const geometry::CircularScan& scan,
                                                const recon::FdkSetup& setup);

/// "1.02 p + 0.0314 p^2".
[[nodiscard]] std::string format_polynomial(const std::vector<double>& coefficients);

}  // namespace feldspar::run
