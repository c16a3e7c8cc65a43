// Scatter, axis, motion and region.
#include "run/searches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/units.hpp"
#include "recon/find/axis_choice.hpp"
#include "recon/find/coarse_scan.hpp"
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
  need_pixels(request, "finding the axis");
  Reconstruction& work = planning.work;
  const std::vector<int> views = request.views.is_all()
                                     ? std::vector<int>{}
                                     : request.views.of(static_cast<int>(work.scan.angles.size()));
  const recon::AxisChoice found = recon::choose_axis(*work.source, work.scan, views, planning.resources());
  planning.looks_at(work.scan.angles.size(), "the axis");
  planning.findings.axis = found.findings;
  work.centre = found.rays;
  work.plan.axis = found.axis;
  work.plan.axis_from = found.method;
  work.plan.axis_uncertainty = found.offset_uncertainty;
}

/// "0.1234 mm, leaning by 0.050 deg".
std::string text_of(const geometry::RotationAxis& axis) {
  return fmt::format("{:.4f} mm, leaning by {:.3f} deg", axis.offset, axis.roll / radians_per_degree);
}

/// "-0.1234 +- 0.0012 mm (+3.02 columns from there), leaning by 0.050 +- 0.004 deg".
std::string text_of(const recon::CentreEstimate& found) {
  return fmt::format("{:.4f} +- {:.4f} mm ({:+.2f} columns from there){}", found.axis.offset,
                     found.offset_uncertainty, found.difference,
                     found.roll_known ? fmt::format(", leaning by {:.3f} +- {:.3f} deg",
                                                    found.axis.roll / radians_per_degree,
                                                    found.roll_uncertainty / radians_per_degree)
                                      : "");
}

[[noreturn]] void refuse_axis(const Planning& planning, const recon::CentreEstimate& found) {
  throw Error(ErrorKind::bad_file,
              fmt::format("{}: states the rotation axis at {}, but the projections put it at {}",
                          planning.request().scan.string(), text_of(planning.work.scan.axis), text_of(found)),
              {{"axis-offset", "auto", "to take that of the projections, give"},
               {"axis-offset", "metadata", "to take that of the file, give"}});
}

/// Of a file that says nothing of the axis: as the projections have it, if they tell.
void take_found_axis(Planning& planning, const recon::CentreEstimate& found) {
  constexpr double same = 0.05;  // columns: a guess that is as right as that is kept
  Plan& plan = planning.work.plan;
  if (!found.known) {
    plan.axis_from = "a guess";
    planning.findings.axis.push_back(
        {"axis.unseen",
         fmt::format("the projections do not tell where the rotation axis is ({}): it is guessed at {}, and "
                     "edges are doubled where that is wrong",
                     found.doubt, text_of(plan.axis)),
         "axis-offset",
         {{"axis-offset", "auto", "to try other ways too, give"}}});
    return;
  }
  plan.axis_from = "reverse rays", plan.axis_uncertainty = found.offset_uncertainty;
  const geometry::RotationAxis guess = plan.axis, axis = found.to_use();
  const double right = std::max(same * found.pixel, 2 * found.offset_uncertainty);
  if (std::abs(axis.offset - guess.offset) <= right && axis.roll == guess.roll) return;
  plan.axis = axis;
  planning.findings.axis.push_back(
      {"axis.unstated",
       fmt::format("the rotation axis would be guessed at {}; the projections put it at {}, and there it is "
                   "taken",
                   text_of(guess), text_of(found)),
       "axis-offset",
       {{"axis-offset", "metadata", "to keep the guess, give"}}});
}

/// Compares the axis that is stated or guessed with the projections.
void check_axis(Planning& planning) {
  const Request& request = planning.request();
  Reconstruction& work = planning.work;
  if (request.open.headers_only) return;
  const recon::CentreEstimate found = recon::find_centre(
      *work.source, work.scan, chosen_views(request, work.scan), planning.resources(), planning.monitor());
  planning.looks_at(recon::most_centre_views, "the axis");
  work.centre = found;
  if (!recon::states_axis(*work.source))
    take_found_axis(planning, found);
  else if (found.contradicts())
    refuse_axis(planning, found);
}

}  // namespace

void Planning::looks_at(std::size_t most, const std::string& why) {
  const std::size_t all = chosen_views(request(), work.scan).size();
  work.looks.push_back(fmt::format("{} for {}", std::min(most, all), why));
}

void take_off_scatter(Planning& planning) {
  const Request& request = planning.request();
  if (request.scatter.kind == recon::ScatterModel::Kind::none || request.open.headers_only) return;
  Progress progress(planning.monitor());
  planning.work.source = recon::without_scatter(std::move(planning.work.source), request.scatter,
                                                planning.resources(), progress);
  planning.findings.hardening.push_back(
      {"scatter.removed",
       fmt::format("scatter is taken off the counts: {}", find_option("scatter")->text(request)), "scatter"});
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
      need_pixels(request, "finding motion");
      recon::MotionEstimate found = recon::estimate_motion(*planning.work.source, scan,
                                                           chosen_views(request, scan), planning.resources());
      planning.looks_at(recon::CoarseLimits{}.views, "motion");
      plan.shifts = std::move(found.shifts), planning.work.centre.reset();
      plan.motion = found.text;
      planning.findings.motion.push_back({"motion.found", "motion: " + found.text, "motion"});
    }
  }
  scan.shifts = plan.shifts;
}

namespace {

std::string describe_cut(const recon::Box& box, const geometry::VolumeGrid& part,
                         const geometry::VolumeGrid& whole) {
  return fmt::format(
      "the object fills x {:.2f} to {:.2f}, y {:.2f} to {:.2f}, z {:.2f} to "
      "{:.2f} mm: {} x {} x {} voxels instead of {} x {} x {}",
      box.lowest.x, box.highest.x, box.lowest.y, box.highest.y, box.lowest.z, box.highest.z, part.nx, part.ny,
      part.nz, whole.nx, whole.ny, whole.nz);
}

}  // namespace

void cut_region(Planning& planning) {
  const Request& request = planning.request();
  Reconstruction& work = planning.work;
  geometry::VolumeGrid& grid = work.plan.grid;
  if (planning.known) return;
  grid = planned_grid(request, work.scan);
  if (!request.cut_to_object) return;
  const auto box = recon::find_object(*work.source, work.scan, work.setup.view_indices, planning.resources());
  planning.looks_at(recon::extent_views, "where the object is");
  if (!box) {
    planning.findings.region.push_back(
        {"region.no-object",
         "no object stands out in the projections; the whole field of view is kept",
         "roi",
         {{"size", "", "choose the region with"}}});
    return;
  }
  const geometry::VolumeGrid part = recon::cut_to(grid, *box);
  planning.findings.region.push_back({"region.auto", describe_cut(*box, part, grid), "roi"});
  grid = part;
}

}  // namespace feldspar::run
