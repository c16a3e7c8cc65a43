#include "run/reconstruct.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <iterator>
#include <sstream>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "io/content_hash.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/hdf5/volume_mark.hpp"
#include "io/hdf5/volume_part.hpp"
#include "io/sample/sample.hpp"
#include "run/options.hpp"
#include "run/record.hpp"
#include "run/resolve.hpp"
#include "run/shared_plan.hpp"

namespace feldspar::run {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> input_files(const Request& request, const io::ScanSource& source) {
  auto files = source.files();
  if (!request.context.empty()) files.push_back(request.context);
  return files;
}

/// The same for all that make the same volume from the same files: by what was asked, before anything is
/// looked for.
std::string request_id(const Opened& opened) {
  const std::string facts =
      fmt::format("{} {} {}", version, opened.shop.backend->name(), choices_of(opened.request));
  auto files = input_files(opened.request, *opened.source);
  if (!opened.request.like.empty()) files.push_back(opened.request.like);
  ThreadPool pool(opened.shop.threads);
  return io::text_hash(facts + io::files_fingerprint(files, pool));
}

/// What a volume's voxels depend on, in two or three words: the request, the plan, and the share where it is
/// one.
std::string identity_of(const std::string& id, const Plan& plan) {
  return fmt::format("{} {}", id, fingerprint(plan));
}
std::string identity_of(const std::string& whole, const ShareOf& share) {
  return share.is_whole() ? whole : fmt::format("{} {}/{}", whole, share.number, share.count);
}

/// True when a run of this request, by whatever plan, has finished the volume at `path`.
bool is_finished(const fs::path& path, const std::string& id, const ShareOf& share) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored) || !io::is_volume(path)) return false;
  const std::string stored = io::VolumeReader(path).text("reconstruction/identity");
  std::istringstream words(stored);
  std::string request, plan;
  words >> request >> plan;
  return request == id && stored == identity_of(fmt::format("{} {}", request, plan), share) &&
         io::is_finished(path, stored);
}

io::VolumeFileOptions file_options(const Request& request, const RunOptions& options) {
  io::VolumeFileOptions file;
  file.type = request.type;
  file.lowest = request.lowest, file.highest = request.highest;
  file.deflate = request.deflate;
  file.overwrite = options.overwrite;
  file.resume = options.resume;
  return file;
}

/// What the run writes, and what it reads beside what the request names.
io::RunFiles files_of(const Request& request, const RunOptions& options, const fs::path& output) {
  io::RunFiles files = options.files;
  files.overwrite = options.overwrite, files.resume = options.resume;
  std::ranges::move(io::volume_outputs(output), std::back_inserter(files.outputs));
  std::ranges::move(SharedPlan::outputs(request.output), std::back_inserter(files.outputs));
  return files;
}

void log_resume(const Reconstruction& work, const io::VolumeSink& sink) {
  int slices = 0;
  for (const recon::Slab& slab : work.slabs.slabs)
    if (sink.has(slab.slices)) slices += slab.slices.count();
  log_info(slices > 0 ? fmt::format("going on: {} of {} slices are there", slices, work.share.slices.count())
                      : "nothing to go on with: starting from the beginning");
}

void say_kept() {
  log(LogLevel::info, "the slabs that were finished are kept",
      {{"resume", "", "to go on from them, repeat the same with"}});
}

/// A plan that merges views cannot be carried out by a device that does not.
void check_device(const Reconstruction& work) {
  const int merged = work.fdk.projector.merging.views;
  if (merged > 1 && !work.shop.backend->merges_views())
    throw Error(ErrorKind::unsupported,
                fmt::format("the plan merges {} neighbouring views, which {} cannot", merged,
                            work.shop.backend->name()),
                {{"device", "", "choose another with"}, {"fast", "off", "plan anew with"}});
}

/// Hashes the inputs beside the reconstruction, which reads the same files in the same order: each comes from
/// the disk once. Ends with the file at hand when it is given up.
class InputHashes {
 public:
  explicit InputHashes(const Reconstruction& work) {
    if (!work.request().hash_inputs) return;
    constexpr int threads_for_one = 4;
    files_ = input_files(work.request(), *work.source), hashes_.resize(files_.size());
    made_ = std::async(std::launch::async, [this, threads = work.shop.threads / threads_for_one] {
      ThreadPool pool(std::max(1, threads));
      pool.for_each(static_cast<std::ptrdiff_t>(files_.size()), [this](std::ptrdiff_t n, int) {
        const auto at = static_cast<std::size_t>(n);
        if (!given_up_) hashes_[at] = io::content_hash(files_[at]);
      });
    });
  }
  InputHashes(const InputHashes&) = delete;
  InputHashes& operator=(const InputHashes&) = delete;
  ~InputHashes() {
    given_up_ = true;
    if (made_.valid()) made_.wait();
  }

  /// Waits for them. Throws what hashing threw.
  void add_to(io::VolumeRecord& record) {
    if (made_.valid()) made_.get();
    for (std::size_t n = 0; n < files_.size(); ++n)
      record.inputs.emplace_back(files_[n].string(), hashes_[n]);
  }

 private:
  std::vector<fs::path> files_;
  std::vector<std::string> hashes_;
  std::atomic<bool> given_up_ = false;
  std::future<void> made_;
};

/// Judges the volume that `writer` has written but not named yet, and returns what is stored of it.
io::Record judge(const io::VolumeReader& volume, io::VolumeWriter& writer, Outcome& outcome) {
  outcome.verdict = verify_volume(*outcome.work, volume, outcome.output, &outcome.report.tally);
  try {
    insist_on_layers(*outcome.verdict, outcome.output);
  } catch (...) {
    writer.distrust();
    throw;
  }
  return record_of(*outcome.verdict);
}

/// Fills `writer`, and finishes it with the record of how the volume came to be and what was found of it.
/// `identity` is the whole volume's.
void make_volume(const Watch& watch, const io::Record& sample, io::VolumeWriter& writer,
                 const std::string& identity, Outcome& outcome) {
  const Reconstruction& work = *outcome.work;
  recon::FdkReport& report = outcome.report;
  PartSink sink(writer, work.share.slices.first);
  Progress progress(watch ? watch() : ProgressMonitor{});
  InputHashes hashes(work);
  report = recon::reconstruct_fdk({*work.source, work.setup, work.fdk}, work.slabs, sink, work.shop.devices(),
                                  progress);
  outcome.clipped = writer.clipped();
  for (const Finding& finding : report.findings) log(finding);
  if (outcome.clipped > 0) {
    report.findings.push_back({"range.clipped",
                               fmt::format("{} voxels lie outside the range {} and were clipped",
                                           outcome.clipped, find_option("range")->text(work.request())),
                               "range",
                               {{"range", "", "to keep them, widen"}}});
    log(report.findings.back());
  }
  io::VolumeRecord record = make_record(work, report, sample);
  record.reconstruction.emplace_back("identity", identity_of(identity, work.share));
  if (!work.share.is_whole())
    record.part = io::record_of({identity, work.share.slices, work.plan.grid.nz, work.plan.grid.origin.z});
  hashes.add_to(record);
  io::VolumeWriter::Verification verify;
  if (work.request().verify && work.share.is_whole())
    verify = [&](const io::VolumeReader& volume) { return judge(volume, writer, outcome); };
  writer.finish(record, verify);
}

/// Takes the plan of a whole volume away, however its run ends, unless another is to go on by it.
class PlanOfThisRun {
 public:
  explicit PlanOfThisRun(const SharedPlan& shared, bool keep) : shared_(shared), keep_(keep) {}
  PlanOfThisRun(const PlanOfThisRun&) = delete;
  PlanOfThisRun& operator=(const PlanOfThisRun&) = delete;
  ~PlanOfThisRun() {
    if (!keep_) shared_.forget();
  }
  void keep() noexcept { keep_ = true; }

 private:
  const SharedPlan& shared_;
  bool keep_;
};

}  // namespace

Outcome reconstruct(const Request& request, const RunOptions& options) {
  validate(request);
  expects(!request.output.empty(), "where shall the volume go? name an output", ErrorKind::usage);
  Outcome outcome;
  outcome.output = part_path(request.output, request.share);
  io::RunFiles files = files_of(request, options, outcome.output);
  files.more_inputs = true;
  io::check_outputs(files);
  files.more_inputs = false;
  const io::Record sample = request.sample.empty() ? io::Record{} : io::read_sample(request.sample);

  Opened opened = open(request, files);
  const std::string id = request_id(opened);
  if (options.resume &&
      is_finished(outcome.output, id, request.share)) {  // as when a cluster starts a task twice
    outcome.was_finished = true;
    outcome.stored = stored_verdict(outcome.output);
    return outcome;
  }
  SharedPlan shared(request, id);
  std::optional<Plan> left =
      options.plan || !(options.resume || !request.share.is_whole()) ? std::nullopt : shared.read();
  const Plan* known = options.plan ? options.plan : left ? &*left : nullptr;
  outcome.work.emplace(
      resolve(std::move(opened), {options.watch, known, request.verify && request.share.is_whole()}));
  check_device(*outcome.work);
  const bool whole_volume = request.share.is_whole();
  if (!known && !whole_volume && !shared.offer(outcome.work->plan)) {
    left = shared.read();  // another share was first: all go by its plan
    outcome.work.reset();
    outcome.work.emplace(resolve(open(request, files), {options.watch, &left.value(), false}));
  }
  if (options.planned) options.planned(*outcome.work);

  files.resume = false;  // nothing that is there is this run's
  for (const fs::path& input : inputs_of(request)) files.inputs.push_back(input);
  io::check_outputs(files);
  const Reconstruction& work = *outcome.work;
  const std::string whole = identity_of(id, work.plan);
  const geometry::Range slices = work.share.slices;
  io::VolumeFileOptions file = file_options(request, options);
  file.identity = identity_of(whole, work.share);
  file.threads = work.shop.threads;
  io::VolumeWriter writer(outcome.output, geometry::slab_of(work.plan.grid, slices.first, slices.count()),
                          file);
  // The volume is this run's from here on, and so is the plan beside it.
  PlanOfThisRun plan_beside(shared, !whole_volume);
  if (!known && whole_volume) (void)shared.offer(work.plan);
  if (options.resume) log_resume(work, PartSink(writer, slices.first));
  try {
    make_volume(options.watch, sample, writer, whole, outcome);
  } catch (...) {
    if (writer.can_be_resumed()) {
      plan_beside.keep();
      say_kept();
    }
    throw;
  }
  return outcome;
}

}  // namespace feldspar::run
