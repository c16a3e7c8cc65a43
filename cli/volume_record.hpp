// What a volume file says of how it came to be.
#pragma once

#include <string>

#include "cli/job.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::cli {

/// `config` are the options in effect, as TOML; `sample` what else is known of the sample. Parts and inputs
/// are left to the caller.
[[nodiscard]] io::VolumeRecord make_record(const Job& job, const recon::FdkReport& report,
                                           const std::string& config, io::Record sample);

}  // namespace feldspar::cli
