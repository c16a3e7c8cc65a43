// A reconstruction as it was asked for, made ready to run: what `info` describes and `recon` carries out.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/memory.hpp"
#include "cli/corrections.hpp"
#include "cli/hardening.hpp"
#include "cli/slab_share.hpp"
#include "cli/truncation.hpp"
#include "geometry/similarity.hpp"
#include "io/open_scan.hpp"
#include "io/output_rule.hpp"
#include "kernels/backend.hpp"
#include "recon/axis_choice.hpp"
#include "recon/fdk.hpp"
#include "recon/inspection.hpp"
#include "recon/object_extent.hpp"

namespace CLI {
class App;
}

namespace feldspar::cli {

/// The options that shape a reconstruction, as typed.
struct JobOptions {
  std::filesystem::path scan;
  io::OpenOptions open;
  std::string device = "auto";
  std::string memory;      ///< "4GiB"; empty for three quarters of what is free
  std::string gpu_memory;  ///< of each GPU; empty for what its driver has free
  int threads = 0;
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
};

void add_job_options(CLI::App& command, JobOptions& options);

struct Job {
  std::unique_ptr<MemoryBudget> budget;  ///< of all memory of what follows: it goes last
  std::unique_ptr<io::ScanSource> source;
  recon::FdkSetup setup;
  recon::FdkOptions fdk;
  geometry::VolumeGrid written;  ///< fdk.grid as it stands in the file: where --transform puts it
  std::optional<geometry::Similarity> transform;
  std::unique_ptr<kernels::Backend> backend;
  std::vector<std::unique_ptr<kernels::Backend>> more_backends;  ///< that share the slabs with the first
  SlabShare share;
  recon::SlabPlan plan;                     ///< of the share
  std::optional<recon::AxisChoice> center;  ///< where the axis was looked for
  std::string motion;                       ///< what became of the views' shifts; empty without any
  recon::Inspection inspection;             ///< empty when the scan has no pixels here
  Findings findings;                        ///< of the reader, the set-up and the inspection

  [[nodiscard]] std::vector<kernels::Backend*> devices() const {
    std::vector<kernels::Backend*> all{backend.get()};
    for (const auto& other : more_backends) all.push_back(other.get());
    return all;
  }
};

/// Opens the scan and plans its reconstruction. The outputs of `files` are checked against its inputs and all
/// that the options name, before any pixel is read. Throws Error.
[[nodiscard]] Job prepare_job(const JobOptions& options, io::RunFiles files = {});

/// Bytes the system could give without swapping, and what a container's limit leaves.
[[nodiscard]] std::size_t free_memory();

/// The plan in a few lines for people.
[[nodiscard]] std::string describe_plan(const Job& job);

}  // namespace feldspar::cli
