// A reconstruction as it was asked for, made ready to run: what `info` describes and `recon` carries out.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/corrections.hpp"
#include "cli/hardening.hpp"
#include "cli/resources.hpp"
#include "cli/slab_share.hpp"
#include "cli/truncation.hpp"
#include "geometry/similarity.hpp"
#include "io/open_scan.hpp"
#include "io/output_rule.hpp"
#include "kernels/backend.hpp"
#include "recon/find/axis_choice.hpp"
#include "recon/fdk/fdk.hpp"
#include "recon/measure/inspection.hpp"
#include "recon/find/object_extent.hpp"

namespace CLI {
class App;
}

namespace feldspar::cli {

/// The options that shape a reconstruction, as typed.
struct JobOptions {
  std::filesystem::path scan;
  io::OpenOptions open;
  ResourceOptions resources;
  std::string voxel_size;      ///< "36um"; empty for pitch / magnification
  std::string size;            ///< "NX,NY,NZ"; empty for what the detector covers
  std::string center;          ///< "X,Y,Z" of the volume, lengths
  std::filesystem::path like;  ///< a volume whose grid to take; empty for none
  std::string transform;       ///< where the scan's object lies there; empty where it does in the scan
  std::string window = "ram-lak";
  double cutoff = 1;
  std::string views;        ///< "first:end:step"
  std::string axis_offset;  ///< instead of the scan's; "metadata" or empty for that, "auto" to find it
  std::string axis_roll;
  std::string motion = "off";  ///< "auto" looks for shifts of single views
  std::string fast = "auto";   ///< merging of views: "off", "auto" or how many
  std::string roi = "full";    ///< "full" or "auto"
  std::string slabs;           ///< "K/N": the share to do; empty for all
  CorrectionOptions corrections;
  HardeningOptions hardening;
  TruncationOptions truncation;
  bool verified = false;  ///< the volume will be, which takes memory as well
};

void add_job_options(CLI::App& command, JobOptions& options);

struct Job {
  Workshop shop;  ///< that everything below is counted in: it goes last
  std::unique_ptr<io::ScanSource> source;
  recon::FdkSetup setup;
  recon::FdkOptions fdk;
  geometry::VolumeGrid written;  ///< fdk.grid as it stands in the file: where --transform puts it
  std::optional<geometry::Similarity> transform;
  SlabShare share;
  recon::SlabPlan plan;                     ///< of the share
  std::size_t least_memory = 0;             ///< bytes that no stage can do without
  std::optional<recon::AxisChoice> center;  ///< where the axis was looked for
  std::string motion;                       ///< what became of the views' shifts; empty without any
  recon::Inspection inspection;             ///< empty when the scan has no pixels here
  Reservation of_corrections;               ///< the memory of fdk.corrections
  Findings findings;                        ///< of the reader, the set-up and the inspection
};

/// The views that are to take part: all of them where the options leave that open.
[[nodiscard]] std::vector<int> chosen_views(const JobOptions& options, const geometry::CircularScan& scan);

/// The grid to reconstruct on, before it is cut to the object. Throws Error(usage).
[[nodiscard]] geometry::VolumeGrid planned_grid(const JobOptions& options,
                                                const geometry::CircularScan& scan);

/// The back-projector for that grid. Throws Error(usage) and Error(unsupported) for what --fast asks.
[[nodiscard]] kernels::BackProjectorSpec make_projector(const JobOptions& options,
                                                        const geometry::CircularScan& scan,
                                                        const recon::FdkSetup& setup,
                                                        const geometry::VolumeGrid& grid,
                                                        const kernels::Backend& backend);

/// Opens the scan and plans its reconstruction. The outputs of `files` are checked against its inputs and all
/// that the options name, before any pixel is read. Throws Error.
[[nodiscard]] Job prepare_job(const JobOptions& options, io::RunFiles files = {});

/// The plan in a few lines for people.
[[nodiscard]] std::string describe_plan(const Job& job);

}  // namespace feldspar::cli
