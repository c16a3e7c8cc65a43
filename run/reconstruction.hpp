// A plan made ready to be carried out: its scan open, its devices too, its slabs cut.
#pragma once

#include <memory>
#include <optional>

#include "io/scan_source.hpp"
#include "recon/fdk/fdk.hpp"
#include "recon/find/centre.hpp"
#include "recon/verify/verdict.hpp"
#include "run/plan.hpp"
#include "run/share.hpp"
#include "run/workshop.hpp"

namespace feldspar::run {

/// What the plan needs, owned.
struct Reconstruction {
  Workshop shop;                           ///< that everything below is counted in: it goes last
  Plan plan;                               ///< as it is, all searches done
  std::unique_ptr<io::ScanSource> source;  ///< of the counts, corrected where all views of a row are needed
  geometry::CircularScan scan;             ///< the source's, as the plan has it
  recon::FdkSetup setup;                   ///< of the scan
  recon::FdkOptions fdk;                   ///< as planned
  Share share;                             ///< of the volume that is made
  recon::SlabPlan slabs;                   ///< of the share
  std::size_t least_memory = 0;            ///< bytes that no stage can do without
  std::optional<recon::CentreEstimate> centre = {};  ///< as found to place the axis, of the scan as it is
  std::vector<recon::Check> of_scan = {};            ///< what its projections alone say
  std::vector<std::string> looks;  ///< at views, to make the plan: "60 for drift"; none if it was known
  Reservation of_corrections;      ///< the memory of fdk.corrections

  /// That the plan answers.
  [[nodiscard]] const Request& request() const { return plan.request; }
};

/// Voxel updates of the share: voxels that are computed, times views.
[[nodiscard]] double updates(const Reconstruction& work);

/// What will be done, in a few lines for people.
[[nodiscard]] std::string describe(const Reconstruction& work);

}  // namespace feldspar::run
