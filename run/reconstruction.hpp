// A plan made ready to be carried out: its scan open, its devices too, its slabs cut.
#pragma once

#include <memory>

#include "io/scan_source.hpp"
#include "recon/fdk/fdk.hpp"
#include "recon/verify/verdict.hpp"
#include "run/plan.hpp"
#include "run/share.hpp"
#include "run/workshop.hpp"

namespace feldspar::run {

struct Reconstruction {
  Workshop shop;  ///< that everything below is counted in: it goes last
  Plan plan;
  std::unique_ptr<io::ScanSource> source;
  geometry::CircularScan scan;  ///< the source's, as the plan has it
  recon::FdkSetup setup;
  recon::FdkOptions fdk;
  Share share;
  recon::SlabPlan slabs;                   ///< of the share
  std::vector<recon::Check> of_scan = {};  ///< what its projections alone say
  std::size_t least_memory = 0;            ///< bytes that no stage can do without
  Reservation of_corrections;              ///< the memory of fdk.corrections

  [[nodiscard]] const Request& request() const { return plan.request; }
};

/// Voxel updates of the share: voxels that are computed, times views.
[[nodiscard]] double updates(const Reconstruction& work);

/// What will be done, in a few lines for people.
[[nodiscard]] std::string describe(const Reconstruction& work);

}  // namespace feldspar::run
