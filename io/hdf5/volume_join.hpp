// The parts that many runs made of one volume become one file again.
#pragma once

#include <filesystem>
#include <vector>

#include "base/progress.hpp"
#include "io/hdf5/volume_part.hpp"

namespace feldspar::io {

/// How the one file is made.
struct JoinOptions {
  bool solid = false;      ///< copy the voxels; otherwise the file refers to the parts (a virtual dataset)
  bool overwrite = false;  ///< replace an existing file instead of refusing
};

/// Writes `output` from the parts, in any order, once they are known to fit: parts of the same volume, of one
/// shape, each slice in exactly one of them. The records of the first part become the volume's, with the
/// findings and the hashes of all; those of every part are kept below /entry/parts. `verify` is asked as
/// VolumeWriter::finish does. False, and nothing is done, when `output` is that volume already. Throws
/// Error(bad_file) and Error(io) naming the part, Error(cancelled), and what `verify` throws.
bool join_volumes(const std::vector<std::filesystem::path>& parts, const std::filesystem::path& output,
                  const JoinOptions& options, Progress& progress,
                  const VolumeWriter::Verification& verify = {});

}  // namespace feldspar::io
