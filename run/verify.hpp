// The verification of a volume against the scan that it was made from, or alone.
#pragma once

#include "io/hdf5/volume_file.hpp"
#include "recon/verify/verdict.hpp"
#include "run/reconstruction.hpp"

namespace feldspar::run {

/// Checks `volume`, which is at `path`, against the scan of `work`; without `tally` the pixels are not
/// counted. `survey`: layers that cannot be read are findings, not errors. Throws Error(cancelled) when
/// the process is to stop.
[[nodiscard]] recon::Verdict verify_volume(const Reconstruction& work, const io::VolumeReader& volume,
                                           const std::filesystem::path& path,
                                           const kernels::AttenuationTally* tally, bool survey = false);

/// The checks that need no scan.
[[nodiscard]] recon::Verdict verify_alone(const io::VolumeReader& volume, MemoryBudget& budget);

/// The reconstruction that a volume stores of itself, on `scan` where that is not empty: by its plan, or, of
/// a volume of an earlier version, by its configuration, whose searches are made again. Throws
/// Error(bad_file) where it stores neither.
[[nodiscard]] Reconstruction recorded(const io::VolumeReader& volume, const std::filesystem::path& path,
                                      const std::filesystem::path& scan, const Machine& machine,
                                      const Watch& watch = {});

/// Throws Error(io) where the layers of a volume that was just written to `path` are not what was written:
/// then disk or memory are faulty, and nothing of it is worth a name.
void insist_on_layers(const recon::Verdict& verdict, const std::filesystem::path& path);

/// Throws Error(untrusted) with the reasons where a check of the volume at `path` failed.
void insist(const recon::Verdict& verdict, const std::filesystem::path& path);

/// What the volume at `path` says of itself.
struct StoredVerdict {
  std::string word;     ///< empty for none
  std::string reasons;  ///< for a word other than the best
  Remedies remedies;    ///< of what failed
};
/// Throws Error(io) and Error(bad_file) for what cannot be read.
[[nodiscard]] StoredVerdict stored_verdict(const std::filesystem::path& path);
/// The same as insist().
void insist(const StoredVerdict& verdict, const std::filesystem::path& path);

/// As the volume stores it.
[[nodiscard]] io::Record record_of(const recon::Verdict& verdict);

}  // namespace feldspar::run
