// From what is wanted to what will be done: budget and devices first, then what needs no pixels, then the
// searches, in one order.
#pragma once

#include "io/output_rule.hpp"
#include "run/reconstruction.hpp"

namespace feldspar::run {

/// A request whose scan and devices are open, and nothing of it read but what describes it.
struct Opened {
  Workshop shop;  ///< that the source is counted in: it goes last
  Request request;
  std::unique_ptr<io::ScanSource> source;
};

/// The request's scan alone. `files` are those that the run writes, and reads beside what the request names:
/// they are compared with all inputs here, before the scan is opened and after. Throws Error: usage for an
/// output that is an input, and what opening throws.
[[nodiscard]] std::unique_ptr<io::ScanSource> open_source(const Request& request, io::RunFiles files = {});

/// The same with the devices, and with the budget that its open-beam and dark images are counted in. Throws
/// Error(usage) for a request that excludes itself besides.
[[nodiscard]] Opened open(const Request& request, io::RunFiles files = {});

struct ResolveOptions {
  Watch watch = {};            ///< of the searches
  const Plan* plan = nullptr;  ///< of an earlier run of the same request: then nothing is looked for
  bool verified = false;       ///< the volume will be, which takes memory as well
};

/// Plans the reconstruction. Throws what searching and planning throw, and Error(out_of_memory), before any
/// search, for what does not fit into the budget.
[[nodiscard]] Reconstruction resolve(Opened opened, const ResolveOptions& options = {});

/// The views that are to take part: all of them where the request leaves that open.
[[nodiscard]] std::vector<int> chosen_views(const Request& request, const geometry::CircularScan& scan);

/// The grid to reconstruct on, before it is cut to the object. Throws what reading `like` throws.
[[nodiscard]] geometry::VolumeGrid planned_grid(const Request& request, const geometry::CircularScan& scan);

/// The back-projector for that grid. Throws Error(unsupported) where the device cannot merge the views it is
/// to.
[[nodiscard]] kernels::BackProjectorSpec make_projector(const Request& request,
                                                        const geometry::CircularScan& scan,
                                                        const recon::FdkSetup& setup,
                                                        const geometry::VolumeGrid& grid,
                                                        const kernels::Backend& backend);

}  // namespace feldspar::run
