// A plan in words: each number with where it is from.
#include <fmt/format.h>

#include "base/units.hpp"
#include "run/reconstruction.hpp"
#include "run/transform.hpp"

namespace feldspar::run {
namespace {

std::string volume_of(const Plan& plan) {
  const geometry::VolumeGrid& grid = plan.grid;
  const Request& request = plan.request;
  const std::string from = !request.like.empty() ? "as " + request.like.string()
                           : request.voxel_size  ? "given"
                                                 : "detector pitch / magnification";
  return fmt::format("volume    {} x {} x {} voxels of {} (x, y, z; {}), {}\n", grid.nx, grid.ny, grid.nz,
                     format_length_mm(grid.spacing.x), from, format_bytes(grid.voxels() * sizeof(float)));
}

std::string region_of(const Plan& plan) {
  const geometry::VolumeGrid& grid = plan.grid;
  const Request& request = plan.request;
  const geometry::Vec3 first = grid.centre_of(-0.5, -0.5, -0.5),
                       last = grid.centre_of(grid.nx - 0.5, grid.ny - 0.5, grid.nz - 0.5);
  const std::string from = !request.like.empty()            ? "as " + request.like.string()
                           : request.cut_to_object          ? "around the object"
                           : request.size || request.center ? "given"
                                                            : "all that the detector covers";
  return fmt::format("          x {:.4g} to {:.4g}, y {:.4g} to {:.4g}, z {:.4g} to {:.4g} mm ({})\n",
                     first.x, last.x, first.y, last.y, first.z, last.z, from);
}

std::string geometry_of(const Reconstruction& work) {
  const Plan& plan = work.plan;
  const geometry::CircularScan& scan = work.scan;
  std::string text;
  if (scan.beam == geometry::Beam::parallel)
    text = "rays      parallel";
  else
    text = fmt::format("distances source to object {:.4f} mm, to detector {:.4f} mm, from the scan's file",
                       scan.source_object_distance, scan.source_detector_distance);
  text += fmt::format("; pixels of {}, {}\n", format_length_mm(scan.detector.column_pitch),
                      plan.request.open.pixel_pitch > 0 ? "given" : "from the scan's file");
  const std::string uncertainty =
      plan.axis_uncertainty > 0 ? fmt::format(" +- {:.4f}", plan.axis_uncertainty) : "";
  text += fmt::format("axis      offset {:.4f}{} mm, roll {:.3f} deg, from {}\n", plan.axis.offset + 0.0,
                      uncertainty, plan.axis.roll / radians_per_degree + 0.0, plan.axis_from);
  if (!plan.motion.empty()) text += fmt::format("motion    {}\n", plan.motion);
  if (plan.request.transform) text += fmt::format("moved     {}\n", describe(*plan.request.transform));
  return text;
}

std::string machine_of(const Reconstruction& work) {
  std::string text = fmt::format("device    {}", work.shop.backend->name());
  for (const auto& other : work.shop.more_backends) text += ", " + other->name();
  return text + (work.request().machine.device == "auto" ? " (the fastest here)\n" : " (given)\n");
}

std::string way_of(const Reconstruction& work) {
  std::string text = fmt::format("filter    {}, cutoff {} of Nyquist\n",
                                 kernels::name_of(work.fdk.ramp.window), work.fdk.ramp.cutoff);
  if (work.fdk.corrections)
    for (const recon::CorrectionStep& step : work.fdk.corrections->steps)
      text += fmt::format("correct   {}\n", step.text);
  if (work.fdk.extension)
    text += fmt::format("rows      continued from {} to {} columns\n", work.setup.columns,
                        work.fdk.extension->width(work.setup.columns));
  const kernels::ViewMerging& merging = work.fdk.projector.merging;
  if (merging.views > 1)
    text += fmt::format(
        "merging   {} neighbouring views in tiles of {} voxels; displaces by {:.2f} voxel at most\n",
        merging.views, merging.tile, merging.displacement);
  return text;
}

std::string slabs_of(const Reconstruction& work) {
  std::string text = fmt::format("plan      {} slab{} of up to {} slices, {} views at a time; reads {}\n",
                                 work.slabs.slabs.size(), work.slabs.slabs.size() == 1 ? "" : "s",
                                 work.slabs.slabs.front().slices.count(), work.slabs.views_per_batch,
                                 format_bytes(work.slabs.bytes_to_read));
  text += fmt::format("memory    {} of at most {}\n", format_bytes(work.slabs.memory),
                      format_bytes(work.fdk.memory));
  if (work.slabs.device_memory > 0)
    text += fmt::format("GPU       {}\n", format_bytes(work.slabs.device_memory));
  return text;
}

}  // namespace

std::string describe(const Reconstruction& work) {
  std::string text = volume_of(work.plan) + region_of(work.plan) + geometry_of(work);
  if (!work.share.is_whole())
    text += fmt::format("share     {}: slices {} to {}\n", work.share.text(), work.share.slices.first,
                        work.share.slices.end - 1);
  if (!work.looks.empty())
    text += fmt::format("looked at of {} views: {}\n", work.setup.views.size(), fmt::join(work.looks, ", "));
  return text + machine_of(work) + way_of(work) + slabs_of(work);
}

}  // namespace feldspar::run
