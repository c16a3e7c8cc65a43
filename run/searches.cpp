// Scatter, axis, motion and region.
#include "run/searches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/units.hpp"
#include "recon/find/axis_choice.hpp"
#include "recon/find/motion.hpp"
#include "recon/find/object_extent.hpp"
#include "run/options.hpp"
#include "run/resolve.hpp"

namespace feldspar::run {
namespace {

void need_pixels(const Request& request, const char* what) {
  if (request.open.headers_only)
    throw Error(ErrorKind::usage, fmt::format("{} needs the projections, and only headers are read", what));
}

void find_axis(Planning& planning) {
  const Request& request = planning.request();
  need_pixels(request, "--axis-offset auto");
  Reconstruction& work = planning.work;
  const std::vector<int> views = request.views.is_all()
                                     ? std::vector<int>{}
                                     : request.views.of(static_cast<int>(work.scan.angles.size()));
  const recon::AxisChoice found = recon::choose_axis(*work.source, work.scan, views, planning.resources());
  planning.findings.axis = found.findings;
  work.plan.axis = found.axis;
  work.plan.axis_from = found.method;
  work.plan.axis_uncertainty = found.offset_uncertainty;
}

[[noreturn]] void refuse_axis(const Request& request, const recon::CentreEstimate& found,
                              const geometry::RotationAxis& stated) {
  const auto degrees = [](double angle) { return angle / radians_per_degree; };
  throw Error(
      ErrorKind::bad_file,
      fmt::format("{}: states the rotation axis at {:.4f} mm, leaning by {:.3f} deg, but the projections put "
                  "it at {:.4f} +- {:.4f} mm{}: {:+.2f} columns from there; --axis-offset auto takes that of "
                  "the projections, --axis-offset metadata that of the file",
                  request.scan.string(), stated.offset, degrees(stated.roll), found.axis.offset,
                  found.offset_uncertainty,
                  found.roll_known ? fmt::format(", leaning by {:.3f} +- {:.3f} deg",
                                                 degrees(found.axis.roll), degrees(found.roll_uncertainty))
                                   : "",
                  found.difference));
}

/// Of a file that says nothing of the axis: as the projections have it, if they tell.
void take_found_axis(Planning& planning, const recon::CentreEstimate& found) {
  constexpr double same = 0.05;  // columns: a guess that is as right as that is kept
  Plan& plan = planning.work.plan;
  if (!found.known) {
    plan.axis_from = "a guess";
    planning.findings.axis.push_back(
        fmt::format("no rotation axis is stated, and the projections do not tell where it is ({}): {:.4f} mm "
                    "is taken, and edges are doubled where that is wrong (feldspar center, --axis-offset)",
                    found.doubt, plan.axis.offset));
    return;
  }
  plan.axis_from = "reverse rays", plan.axis_uncertainty = found.offset_uncertainty;
  const geometry::RotationAxis axis = found.to_use();
  const bool kept = std::abs(found.difference) * found.pixel <=
                        std::max(same * found.pixel, 2 * found.offset_uncertainty) &&
                    axis.roll == plan.axis.roll;
  if (kept) return;
  plan.axis = axis;
  planning.findings.axis.push_back(fmt::format(
      "no rotation axis is stated: the projections put it {:+.2f} +- {:.2f} columns from {:.4f} mm{}, and "
      "there "
      "it is taken (--axis-offset metadata keeps {:.4f} mm)",
      found.difference, found.offset_uncertainty / found.pixel, axis.offset - found.difference * found.pixel,
      found.roll_known
          ? fmt::format(", leaning by {:.3f} +- {:.3f} deg", found.axis.roll / radians_per_degree,
                        found.roll_uncertainty / radians_per_degree)
          : "",
      axis.offset - found.difference * found.pixel));
}

/// Compares the axis that is stated or guessed with the projections.
void check_axis(Planning& planning) {
  const Request& request = planning.request();
  const Reconstruction& work = planning.work;
  const bool unstated = work.source->description().axis_unstated;
  if (request.open.headers_only) return;
  const recon::CentreEstimate found = recon::find_centre(
      *work.source, work.scan, chosen_views(request, work.scan), planning.resources(), planning.monitor());
  if (unstated)
    take_found_axis(planning, found);
  else if (found.contradicts())
    refuse_axis(request, found, work.scan.axis);
}

}  // namespace

void take_off_scatter(Planning& planning) {
  const Request& request = planning.request();
  if (request.scatter.kind == recon::ScatterModel::Kind::none || request.open.headers_only) return;
  Progress progress(planning.monitor());
  planning.work.source = recon::without_scatter(std::move(planning.work.source), request.scatter,
                                                planning.resources(), progress);
  planning.findings.hardening.push_back(
      fmt::format("scatter is taken off the counts: {}", find_option("scatter")->text(request)));
}

void place_axis(Planning& planning) {
  const Request& request = planning.request();
  Plan& plan = planning.work.plan;
  geometry::CircularScan& scan = planning.work.scan;
  if (!planning.known) {
    plan.axis = scan.axis;
    if (const auto* given = std::get_if<LengthOrPixels>(&request.axis_offset)) {
      plan.axis.offset = given->in_mm(scan.detector.column_pitch / scan.magnification());
      plan.axis_from = "given";
    }
    if (request.axis_roll) plan.axis.roll = *request.axis_roll, plan.axis_from = "given";
    scan.axis = plan.axis;
    const auto* from = std::get_if<From>(&request.axis_offset);
    if (from && *from == From::search) find_axis(planning);
    if (from && *from == From::checked) check_axis(planning);
    if (request.axis_roll) plan.axis.roll = *request.axis_roll;
  }
  scan.axis = plan.axis;
}

void place_views(Planning& planning) {
  const Request& request = planning.request();
  Plan& plan = planning.work.plan;
  geometry::CircularScan& scan = planning.work.scan;
  if (!planning.known) {
    plan.shifts = scan.shifts;
    if (!scan.shifts.empty()) plan.motion = "as the file states";
    if (request.motion == Treatment::automatic) {
      need_pixels(request, "--motion auto");
      recon::MotionEstimate found = recon::estimate_motion(*planning.work.source, scan,
                                                           chosen_views(request, scan), planning.resources());
      plan.shifts = std::move(found.shifts);
      plan.motion = found.text;
      planning.findings.motion.push_back("motion: " + found.text);
    }
  }
  scan.shifts = plan.shifts;
}

void cut_region(Planning& planning) {
  const Request& request = planning.request();
  Reconstruction& work = planning.work;
  geometry::VolumeGrid& grid = work.plan.grid;
  if (planning.known) return;
  grid = planned_grid(request, work.scan);
  if (!request.cut_to_object) return;
  const auto box = recon::find_object(*work.source, work.scan, work.setup.view_indices, planning.resources());
  if (!box) {
    planning.findings.region.push_back(
        "--roi auto: no object stands out in the projections; the whole field of view is kept");
    return;
  }
  const geometry::VolumeGrid part = recon::cut_to(grid, *box);
  planning.findings.region.push_back(
      fmt::format("--roi auto: the object fills x {:.2f} to {:.2f}, y {:.2f} to {:.2f}, z {:.2f} to "
                  "{:.2f} mm: {} x {} x {} voxels instead of {} x {} x {}",
                  box->lowest.x, box->highest.x, box->lowest.y, box->highest.y, box->lowest.z, box->highest.z,
                  part.nx, part.ny, part.nz, grid.nx, grid.ny, grid.nz));
  grid = part;
}

}  // namespace feldspar::run
