// The verification of a written volume, as `recon` and `verify` carry it out and report it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/job.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/verify/verdict.hpp"

namespace feldspar::cli {

/// Checks the volume at `path` against the scan of `job`; without `tally` the pixels are not counted.
[[nodiscard]] recon::Verdict verify_volume(const Job& job, const std::filesystem::path& path,
                                           const kernels::AttenuationTally* tally);

/// The checks that need no scan.
[[nodiscard]] recon::Verdict verify_volume(const std::filesystem::path& path, MemoryBudget& budget);

[[nodiscard]] std::string describe(const recon::Verdict& verdict);
[[nodiscard]] io::Record record_of(const recon::Verdict& verdict);
[[nodiscard]] nlohmann::json json_of(const recon::Verdict& verdict);

/// Throws Error(untrusted) with the reasons unless the volume at `path` can be trusted.
void insist(const recon::Verdict& verdict, const std::filesystem::path& path);

/// The job that a volume's stored configuration describes, on `scan` where that is not empty.
[[nodiscard]] Job recorded_job(const std::string& configuration, const std::filesystem::path& scan,
                               const ResourceOptions& resources);

}  // namespace feldspar::cli
