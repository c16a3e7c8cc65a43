#include "cli/verification.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "cli/console.hpp"
#include "recon/verify/verify.hpp"

namespace feldspar::cli {
namespace {

/// `grid` is where its voxels lie in the scan.
recon::FinishedVolume finished(const io::VolumeReader& reader, const geometry::VolumeGrid& grid) {
  const auto go_on = [] {
    if (interrupted()) throw Error(ErrorKind::cancelled, "stopped while the volume was verified");
  };
  return {.grid = grid,
          .read =
              [&reader, go_on](int z, int nz) {
                go_on();
                return reader.read(0, reader.grid().nx, 0, reader.grid().ny, z, nz);
              },
          .quantum = reader.range().quantum,
          .lowest = reader.range().lowest,
          .highest = reader.range().highest,
          .layer_hashes = reader.layer_hashes(),
          .read_hashed =
              [&reader, go_on](int z, int nz, std::vector<std::string>& hashes) {
                go_on();
                return reader.read_slices(z, nz, hashes);
              }};
}

[[noreturn]] void refuse_trust(const std::filesystem::path& path, const std::string& reasons) {
  throw Error(ErrorKind::untrusted,
              fmt::format("{}: was written, but do not trust it: {}", path.string(), reasons));
}

}  // namespace

recon::Verdict verify_volume(const Job& job, const io::VolumeReader& volume,
                             const std::filesystem::path& path, const kernels::AttenuationTally* tally,
                             bool survey) {
  const geometry::VolumeGrid &has = volume.grid(), &wanted = job.fdk.grid;
  if (has.nx != wanted.nx || has.ny != wanted.ny || has.nz != wanted.nz)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has {} x {} x {} voxels, but its own configuration makes {} x {} x {}",
                            path.string(), has.nx, has.ny, has.nz, wanted.nx, wanted.ny, wanted.nz));
  return recon::verify(*job.source, job.setup, job.fdk, finished(volume, wanted), job.shop.resources(),
                       {.tally = tally, .survey = survey});
}

recon::Verdict verify_volume(const io::VolumeReader& volume, MemoryBudget& budget) {
  return recon::verify_alone(finished(volume, volume.grid()), budget);
}

void insist_on_layers(const recon::Verdict& verdict, const std::filesystem::path& path) {
  const recon::Check* const layers = verdict.find("layers");
  if (layers && layers->outcome == recon::Check::Outcome::failed)
    throw Error(ErrorKind::io,
                fmt::format("{}: reads back otherwise than it was written ({}): the disk or the memory is "
                            "faulty; there is no volume, try another disk",
                            path.string(), layers->text));
}

std::string describe(const recon::Verdict& verdict) {
  std::string text =
      fmt::format("verdict   {}{}{} ({:.1f} s)\n", verdict.trusted() ? verdict.word() : "UNTRUSTED",
                  verdict.unverifiable.empty() ? "" : ": ", verdict.unverifiable, verdict.seconds);
  for (const recon::Check& check : verdict.checks)
    text += fmt::format("  {:<14} {}: {}\n", name_of(check.outcome), check.name, check.text);
  return text;
}

io::Record record_of(const recon::Verdict& verdict) {
  io::Record record{{"verdict", verdict.word()},
                    {"reasons", verdict.reasons()},
                    {"seconds", fmt::format("{:.2f}", verdict.seconds)}};
  for (const recon::Check& check : verdict.checks)
    record.emplace_back(check.name, fmt::format("{}: {}", name_of(check.outcome), check.text));
  return record;
}

nlohmann::json json_of(const recon::Verdict& verdict) {
  nlohmann::json checks = nlohmann::json::array();
  for (const recon::Check& check : verdict.checks)
    checks.push_back({{"name", check.name}, {"outcome", name_of(check.outcome)}, {"text", check.text}});
  return {{"trusted", verdict.trusted() && verdict.unverifiable.empty()},
          {"verdict", verdict.word()},
          {"reasons", verdict.reasons()},
          {"seconds", verdict.seconds},
          {"checks", checks}};
}

void insist(const recon::Verdict& verdict, const std::filesystem::path& path) {
  if (!verdict.trusted()) refuse_trust(path, verdict.reasons());
}

void repeat_stored_verdict(const std::filesystem::path& path) {
  const io::VolumeReader volume(path);
  const std::string verdict = volume.text("verification/verdict");
  const std::string reasons = volume.text("verification/reasons");
  log_info(fmt::format("verdict   {}{}{} (stored in the volume; `feldspar verify` asks again)",
                       verdict.empty() ? "none" : verdict, reasons.empty() ? "" : ": ", reasons));
  if (verdict == "untrusted") refuse_trust(path, reasons);
}

}  // namespace feldspar::cli
