// What will be done, as a value: every search answered, in numbers. The same plan makes the same bits,
// whoever carries it out, on devices of one kind.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/findings.hpp"
#include "geometry/scan.hpp"
#include "geometry/volume_grid.hpp"
#include "io/hdf5/plan_record.hpp"
#include "kernels/back_projector.hpp"
#include "recon/correct/corrections.hpp"
#include "recon/measure/inspection.hpp"
#include "recon/truncation/outline.hpp"
#include "run/request.hpp"

namespace feldspar::run {

/// What will be done.
struct Plan {
  Request request;  ///< that it answers

  geometry::RotationAxis axis;                ///< of the object
  std::string axis_from = "the scan's file";  ///< or "given", or how it was found
  double axis_uncertainty = 0;  ///< of the offset, one standard deviation in mm; 0 where it was not measured

  std::vector<geometry::ViewShift> shifts;  ///< of all views of the scan; empty for none
  std::string motion;                       ///< where they are from; empty for none

  geometry::VolumeGrid grid;             ///< as it stands in the file
  kernels::BackProjectorSpec projector;  ///< what of it is computed, and which views are merged

  recon::Inspection inspection;           ///< without its findings; zeros of a scan without pixels here
  std::optional<recon::Outline> outline;  ///< that rows are continued by,
  double context_gain = 0;                ///< or the request's context times this; 0 for neither
  std::optional<recon::Placement> context_place;  ///< where the context lies if not as the request has it

  std::shared_ptr<const recon::Corrections> corrections;  ///< as measured, without polynomial; null for none
  std::vector<double> polynomial;                         ///< coefficients of p^0, p^1, ...; empty for none

  Findings findings;  ///< all that was found or assumed on the way
};

/// As it is stored, to the last bit.
[[nodiscard]] io::StoredPlan store(const Plan& plan);

/// The inverse; `where` names its file in errors. Throws Error(bad_file) for what is no plan of this version,
/// or makes no sense.
[[nodiscard]] Plan restore(const io::StoredPlan& stored, const std::filesystem::path& where);

/// The same for every plan that makes the same bits, and for no other.
[[nodiscard]] std::string fingerprint(const Plan& plan);

}  // namespace feldspar::run
