#include "cli/verification.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "recon/verify/verify.hpp"

namespace feldspar::cli {
namespace {

/// `grid` is where its voxels lie in the scan.
recon::FinishedVolume finished(const io::VolumeReader& reader, const geometry::VolumeGrid& grid) {
  return {.grid = grid,
          .read = [&reader](int z,
                            int nz) { return reader.read(0, reader.grid().nx, 0, reader.grid().ny, z, nz); },
          .quantum = reader.range().quantum,
          .lowest = reader.range().lowest,
          .highest = reader.range().highest};
}

}  // namespace

recon::Verdict verify_volume(const Job& job, const std::filesystem::path& path,
                             const kernels::AttenuationTally* tally) {
  const io::VolumeReader reader(path);
  if (reader.grid().nx != job.fdk.grid.nx || reader.grid().ny != job.fdk.grid.ny ||
      reader.grid().nz != job.fdk.grid.nz)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has {} x {} x {} voxels, but its own configuration makes {} x {} x {}",
                            path.string(), reader.grid().nx, reader.grid().ny, reader.grid().nz,
                            job.fdk.grid.nx, job.fdk.grid.ny, job.fdk.grid.nz));
  return recon::verify(*job.source, job.setup, job.fdk, finished(reader, job.fdk.grid), job.shop.resources(),
                       {.tally = tally});
}

recon::Verdict verify_volume(const std::filesystem::path& path, MemoryBudget& budget) {
  const io::VolumeReader reader(path);
  return recon::verify_alone(finished(reader, reader.grid()), budget);
}

std::string describe(const recon::Verdict& verdict) {
  std::string text =
      fmt::format("verdict   {} ({:.1f} s)\n", verdict.trusted() ? "trusted" : "UNTRUSTED", verdict.seconds);
  for (const recon::Check& check : verdict.checks)
    text += fmt::format("  {:<14} {}: {}\n", name_of(check.outcome), check.name, check.text);
  return text;
}

io::Record record_of(const recon::Verdict& verdict) {
  io::Record record{{"verdict", verdict.trusted() ? "trusted" : "untrusted"},
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
  return {{"trusted", verdict.trusted()}, {"seconds", verdict.seconds}, {"checks", checks}};
}

void insist(const recon::Verdict& verdict, const std::filesystem::path& path) {
  if (!verdict.trusted())
    throw Error(ErrorKind::untrusted,
                fmt::format("{}: was written, but do not trust it: {}", path.string(), verdict.reasons()));
}

}  // namespace feldspar::cli
