// The verification of a written volume, as `recon` and `verify` carry it out and report it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/job.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/verify/verdict.hpp"

namespace feldspar::cli {

/// Checks `volume`, which is at `path`, against the scan of `job`; without `tally` the pixels are not
/// counted. `survey`: layers that cannot be read are findings, not errors. Throws Error(cancelled) when
/// interrupted.
[[nodiscard]] recon::Verdict verify_volume(const Job& job, const io::VolumeReader& volume,
                                           const std::filesystem::path& path,
                                           const kernels::AttenuationTally* tally, bool survey = false);

/// The checks that need no scan.
[[nodiscard]] recon::Verdict verify_volume(const io::VolumeReader& volume, MemoryBudget& budget);

/// Throws Error(io) where the layers of a volume that was just written to `path` are not what was written:
/// then disk or memory are faulty, and nothing of it is worth a name.
void insist_on_layers(const recon::Verdict& verdict, const std::filesystem::path& path);

[[nodiscard]] std::string describe(const recon::Verdict& verdict);
[[nodiscard]] io::Record record_of(const recon::Verdict& verdict);
[[nodiscard]] nlohmann::json json_of(const recon::Verdict& verdict);

/// Throws Error(untrusted) with the reasons unless the volume at `path` can be trusted.
void insist(const recon::Verdict& verdict, const std::filesystem::path& path);

/// What the volume at `path` says of itself: logs it, and throws Error(untrusted) where it says so.
void repeat_stored_verdict(const std::filesystem::path& path);

/// The job that a volume's stored configuration describes, on `scan` where that is not empty.
[[nodiscard]] Job recorded_job(const std::string& configuration, const std::filesystem::path& scan,
                               const ResourceOptions& resources);

}  // namespace feldspar::cli
