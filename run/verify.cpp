#include "run/verify.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "recon/find/centre.hpp"
#include "recon/verify/verify.hpp"
#include "run/options.hpp"
#include "run/resolve.hpp"

namespace feldspar::run {
namespace {

/// `grid` is where its voxels lie in the scan.
recon::FinishedVolume finished(const io::VolumeReader& reader, const geometry::VolumeGrid& grid) {
  return {.grid = grid,
          .read = [&reader](int z,
                            int nz) { return reader.read(0, reader.grid().nx, 0, reader.grid().ny, z, nz); },
          .quantum = reader.range().quantum,
          .lowest = reader.range().lowest,
          .highest = reader.range().highest,
          .layer_hashes = reader.layer_hashes(),
          .read_hashed = [&reader](
                             int z, int nz,
                             std::vector<std::string>& hashes) { return reader.read_slices(z, nz, hashes); }};
}

[[noreturn]] void refuse_trust(const std::filesystem::path& path, const std::string& reasons,
                               Remedies remedies) {
  throw Error(ErrorKind::untrusted,
              fmt::format("{}: was written, but do not trust it: {}", path.string(), reasons),
              std::move(remedies));
}

/// What the file or the user says of the axis and of the sense. What was looked for was not said.
recon::Stated stated_of(const Reconstruction& work) {
  const Findings& findings = work.source->findings();
  const std::string& from = work.plan.axis_from;
  const bool assumed = std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.code == "conventions.assumed"; });
  return {.axis = from == "given" || (from == Plan{}.axis_from && recon::states_axis(*work.source)),
          .sense = work.request().open.reverse_rotation || !assumed};
}

}  // namespace

recon::Verdict verify_volume(const Reconstruction& work, const io::VolumeReader& volume,
                             const std::filesystem::path& path, const kernels::AttenuationTally* tally,
                             bool survey) {
  const geometry::VolumeGrid &has = volume.grid(), &wanted = work.fdk.grid;
  if (has.nx != wanted.nx || has.ny != wanted.ny || has.nz != wanted.nz)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has {} x {} x {} voxels, but its own configuration makes {} x {} x {}",
                            path.string(), has.nx, has.ny, has.nz, wanted.nx, wanted.ny, wanted.nz));
  return recon::verify(
      {*work.source, work.setup, work.fdk}, finished(volume, wanted), work.shop.resources(),
      {.tally = tally, .survey = survey, .of_scan = work.of_scan, .stated = stated_of(work)});
}

recon::Verdict verify_alone(const io::VolumeReader& volume, MemoryBudget& budget) {
  return recon::verify_alone(finished(volume, volume.grid()), budget);
}

Reconstruction recorded(const io::VolumeReader& volume, const std::filesystem::path& path,
                        const std::filesystem::path& scan, const Machine& machine, const Watch& watch) {
  Request request;
  std::optional<Plan> plan;
  if (const auto stored = io::read_plan(path)) {
    plan = restore(*stored, path);
    request = plan->request;
  } else {
    const std::string configuration = volume.text("reconstruction/configuration");
    if (configuration.empty())
      throw Error(ErrorKind::bad_file,
                  path.string() + ": does not say how it was made (reconstruction/configuration)",
                  {{"alone", "", "to check it by itself, give"}});
    apply_toml(request, configuration, "the configuration stored in the volume");
  }
  if (!scan.empty()) request.scan = scan;
  request.share = {};
  request.machine = machine;
  return resolve(open(request), {.watch = watch, .plan = plan ? &*plan : nullptr, .verified = true});
}

void insist_on_layers(const recon::Verdict& verdict, const std::filesystem::path& path) {
  const recon::Check* const layers = verdict.find("layers");
  if (layers && layers->outcome == recon::Check::Outcome::failed)
    throw Error(ErrorKind::io,
                fmt::format("{}: reads back otherwise than it was written ({}): the disk or the memory is "
                            "faulty; there is no volume, try another disk",
                            path.string(), layers->text));
}

void insist(const recon::Verdict& verdict, const std::filesystem::path& path) {
  if (verdict.failed()) refuse_trust(path, verdict.reasons(), verdict.remedies());
}

StoredVerdict stored_verdict(const std::filesystem::path& path) {
  const io::VolumeReader volume(path);
  return {volume.text("verification/verdict"), volume.text("verification/reasons"),
          remedies_in(volume.text("verification/remedies"))};
}

void insist(const StoredVerdict& verdict, const std::filesystem::path& path) {
  if (verdict.word == "untrusted") refuse_trust(path, verdict.reasons, verdict.remedies);
}

io::Record record_of(const recon::Verdict& verdict) {
  io::Record record{{"verdict", verdict.word()},
                    {"reasons", verdict.reasons()},
                    {"seconds", fmt::format("{:.2f}", verdict.seconds)}};
  if (!verdict.remedies().empty()) record.emplace_back("remedies", data_of(verdict.remedies()));
  std::string outcomes;
  for (const recon::Check& check : verdict.checks) {
    outcomes +=
        fmt::format("{}{}: {}", outcomes.empty() ? "" : "; ", check.id.name(), name_of(check.outcome));
    record.emplace_back(check.title(), fmt::format("{}: {}", name_of(check.outcome), check.text));
  }
  record.emplace_back("outcomes", outcomes);
  return record;
}

}  // namespace feldspar::run
