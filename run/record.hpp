// What a volume file says of how it came to be.
#pragma once

#include <string>

#include "io/hdf5/volume_file.hpp"
#include "run/reconstruction.hpp"

namespace feldspar::run {

/// The request in effect, as a TOML file that makes the volume again from where its inputs lie.
[[nodiscard]] std::string configuration_of(const Request& request);

/// `sample` is what else is known of the sample. Parts, inputs and identity are left to the caller.
[[nodiscard]] io::VolumeRecord make_record(const Reconstruction& work, const recon::FdkReport& report,
                                           io::Record sample);

}  // namespace feldspar::run
