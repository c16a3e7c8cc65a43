// `feldspar recon`: a scan becomes a volume in 1/mm.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/job.hpp"
#include "cli/options.hpp"
#include "io/sample/sample.hpp"
#include "cli/transform.hpp"
#include "cli/verification.hpp"
#include "cli/volume_record.hpp"
#include "io/content_hash.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/hdf5/volume_part.hpp"
#include "io/partial_file.hpp"
#include "recon/fdk/time_estimate.hpp"

namespace feldspar::cli {
namespace {

struct ReconOptions {
  JobOptions job;
  std::filesystem::path output;
  std::filesystem::path config, save_config, xdmf;
  std::string type = "float32";
  std::string range = "0,1";
  int compress = 0;
  bool overwrite = false;
  bool dry_run = false;
  bool json = false;
  bool no_hash = false;
  bool resume = false;
  std::string verify = "on";
  std::filesystem::path sample;
};

io::VolumeFileOptions file_options(const ReconOptions& options) {
  io::VolumeFileOptions file;
  file.deflate = options.compress;
  file.overwrite = options.overwrite;
  if (options.type == "uint16") {
    file.type = io::VoxelType::uint16;
    const auto parts = split_list(options.range, 2, "--range");
    if (!parse_number(parts[0], file.lowest) || !parse_number(parts[1], file.highest) ||
        !(file.lowest < file.highest))
      throw Error(ErrorKind::usage,
                  fmt::format("--range: '{}' is not two growing numbers in 1/mm", options.range));
  }
  return file;
}

double updates(const Job& job) {
  const double share = static_cast<double>(job.share.slices.count()) / job.fdk.grid.nz;
  return share * recon::computed_voxels(job.fdk) * static_cast<double>(job.setup.views.size());
}

void print_result(const Job& job, const recon::FdkReport& report, const ReconOptions& options,
                  std::int64_t clipped, const std::optional<recon::Verdict>& verdict) {
  if (options.json) {
    nlohmann::json result{{"output", options.output.string()},
                          {"size", {job.fdk.grid.nx, job.fdk.grid.ny, job.fdk.grid.nz}},
                          {"voxel_size_mm", job.written.spacing.x},
                          {"device", job.shop.backend->name()},
                          {"merged_views", job.fdk.projector.merging.views},
                          {"slabs", job.plan.slabs.size()},
                          {"seconds", report.total_s},
                          {"read_s", report.read_s},
                          {"attenuation_s", report.attenuation_s},
                          {"correction_s", report.correction_s},
                          {"rectification_s", report.rectification_s},
                          {"filter_s", report.filter_s},
                          {"back_projection_s", report.back_projection_s},
                          {"write_s", report.write_s},
                          {"gups", updates(job) / report.back_projection_s * 1e-9},
                          {"clipped_voxels", clipped},
                          {"findings", job.findings}};
    if (verdict) result["verification"] = json_of(*verdict);
    std::cout << result.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    return;
  }
  log_info(fmt::format("{} in {} ({:.2f} billion voxel updates a second in back-projection)",
                       format_bytes(job.fdk.grid.voxels() * sizeof(float)), format_seconds(report.total_s),
                       updates(job) / report.back_projection_s * 1e-9));
  std::cout << options.output.string() << '\n';
}

std::vector<std::filesystem::path> input_files(const Job& job, const std::filesystem::path& context) {
  auto files = job.source->files();
  if (!context.empty()) files.push_back(context);
  return files;
}

/// What a volume's voxels depend on, as one line: a run may go on with another's slabs when it is the same.
std::string identity_of(const CLI::App& command, const JobOptions& options, const Job& job) {
  const geometry::VolumeGrid& grid = job.fdk.grid;
  const std::string facts = fmt::format(
      "{} {} {} {} {} {} {} {} {} {} {}", FELDSPAR_VERSION, job.shop.backend->name(),
      job.transform ? text_of(*job.transform) : "", grid.nx, grid.ny, grid.nz, grid.spacing.x, grid.origin.x,
      grid.origin.y, grid.origin.z,
      effective_config(command, {"scan", "help", "config", "output", "dry-run", "json", "overwrite", "resume",
                                 "slabs", "memory", "gpu-memory", "threads", "device", "no-hash", "verify",
                                 "sample", "xdmf", "save-config", "rings-map"}));
  ThreadPool pool(job.shop.threads);
  return io::text_hash(facts + io::files_fingerprint(input_files(job, options.truncation.context), pool));
}

/// The same for a share of it.
std::string identity_of(const std::string& whole, const SlabShare& share) {
  return share.is_whole() ? whole : whole + " " + share.text();
}

void log_resume(const Job& job, const io::VolumeSink& sink) {
  int slices = 0;
  for (const recon::Slab& slab : job.plan.slabs)
    if (sink.has(slab.slices)) slices += slab.slices.count();
  log_info(slices > 0 ? fmt::format("going on: {} of {} slices are there", slices, job.share.slices.count())
                      : "nothing to go on with: starting from the beginning");
}

recon::FdkReport reconstruct(const Job& job, io::VolumeWriter& writer) {
  PartSink sink(writer, job.share.slices.first);
  Progress progress(console_progress());
  return recon::reconstruct_fdk(*job.source, sink, job.shop.devices(), job.setup, job.plan, job.fdk,
                                progress);
}

/// The plan for programs: what a cluster must be asked for.
std::string plan_json(const Job& job) {
  const int slices = job.share.slices.count();
  const recon::TimeEstimate time = recon::estimate_time(*job.shop.backend, job.setup, job.plan, job.fdk);
  return nlohmann::json{
             {"memory_bytes", std::max(job.plan.memory, job.least_memory)},
             {"bytes_to_read", job.plan.bytes_to_read},
             {"bytes_to_write", job.fdk.grid.voxels() / job.fdk.grid.nz * slices * sizeof(float)},
             {"estimated_seconds", time.filter_s + time.back_projection_s * slices / job.fdk.grid.nz}}
             .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

/// The options that make this volume again from where its inputs lie, as --config takes them.
std::string configuration_of(const CLI::App& command, const ReconOptions& options, const Job& job) {
  const std::filesystem::path& context = options.job.truncation.context;
  std::string config = toml_line("scan", std::filesystem::absolute(options.job.scan).string());
  if (!context.empty()) config += toml_line("context", std::filesystem::absolute(context).string());
  if (!options.job.like.empty())
    config += toml_line("like", std::filesystem::absolute(options.job.like).string());
  if (job.transform) config += toml_line("transform", text_of(*job.transform));
  if (!options.sample.empty())
    config += toml_line("sample", std::filesystem::absolute(options.sample).string());
  return config + effective_config(command, {"scan", "context", "like", "transform", "sample", "slabs",
                                             "help", "config", "output", "dry-run", "json", "overwrite",
                                             "resume", "xdmf", "save-config", "rings-map"});
}

struct Made {
  recon::FdkReport report;
  std::optional<recon::Verdict> verdict;  ///< none when it was not asked for, or of a share
};

/// Judges the volume that `writer` has written but not named yet, and returns what is stored of it.
io::Record judge(const Job& job, const ReconOptions& options, const io::VolumeReader& volume,
                 io::VolumeWriter& writer, Made& made) {
  made.verdict = verify_volume(job, volume, options.output, &made.report.tally);
  try {
    insist_on_layers(*made.verdict, options.output);
  } catch (...) {
    writer.distrust();
    throw;
  }
  return record_of(*made.verdict);
}

/// Fills `writer`, and finishes it with the record of how the volume came to be and what was found of it.
/// `identity` is the whole volume's.
Made make_volume(const CLI::App& command, const ReconOptions& options, const Job& job,
                 const io::Record& sample, io::VolumeWriter& writer, const std::string& identity) {
  Made made{reconstruct(job, writer), std::nullopt};
  recon::FdkReport& report = made.report;
  for (const std::string& finding : report.findings) log_warning(finding);
  if (writer.clipped() > 0) {
    report.findings.push_back(
        fmt::format("{} voxels lie outside --range {} and were clipped", writer.clipped(), options.range));
    log_warning(report.findings.back());
  }

  io::VolumeRecord record = make_record(job, report, configuration_of(command, options, job), sample);
  record.reconstruction.emplace_back("identity", identity_of(identity, job.share));
  if (!job.share.is_whole())
    record.part = io::record_of({identity, job.share.slices, job.written.nz, job.written.origin.z});
  const auto files = input_files(job, options.job.truncation.context);
  if (!options.no_hash) {
    ThreadPool pool(job.shop.threads);
    const auto hashes = io::content_hashes(files, pool);
    for (std::size_t n = 0; n < files.size(); ++n) record.inputs.emplace_back(files[n].string(), hashes[n]);
  }
  io::VolumeWriter::Verification verify;
  if (options.verify == "on" && job.share.is_whole())
    verify = [&](const io::VolumeReader& volume) { return judge(job, options, volume, writer, made); };
  writer.finish(record, verify);
  if (made.verdict) log_info(describe(*made.verdict));
  return made;
}

/// What the run writes, and what it reads beside what the job does.
io::RunFiles files_of(const ReconOptions& options) {
  io::RunFiles files{{options.config, options.sample},
                     io::volume_outputs(options.output),
                     options.overwrite,
                     options.resume};
  for (const std::filesystem::path& file : {options.xdmf, options.save_config})
    if (!file.empty()) files.outputs.push_back({file});
  return files;
}

/// The files that were asked for beside the volume; of one that an earlier run finished, those it left out.
void write_beside(const CLI::App& command, const ReconOptions& options, const Job& job, bool left_out) {
  const auto wanted = [&](const std::filesystem::path& file) {
    std::error_code ignored;
    return !file.empty() && !(left_out && std::filesystem::exists(file, ignored));
  };
  if (wanted(options.xdmf))
    io::write_file(options.xdmf, io::VolumeReader(options.output).xdmf(options.xdmf.parent_path()),
                   options.overwrite);
  if (wanted(options.save_config))
    io::write_file(options.save_config, configuration_of(command, options, job), options.overwrite);
  if (wanted(options.job.corrections.rings_map))
    write_rings_map(options.job.corrections, job, options.overwrite);
}

void run(CLI::App& command, ReconOptions& options) {
  if (!options.config.empty()) apply_config(command, options.config);
  catch_interrupts();
  if (options.job.scan.empty()) throw Error(ErrorKind::usage, "which scan? name its file or folder");
  if (options.output.empty() && !options.dry_run)
    throw Error(ErrorKind::usage, "where shall the volume go? give -o OUT.h5");
  const SlabShare share = parse_share(options.job.slabs, 1 << 30);  // its name; its slices come with the job
  options.output = part_path(options.output, share.number, share.count);
  if (!share.is_whole() && !options.xdmf.empty())
    throw Error(ErrorKind::usage, "--xdmf is for a whole volume; give it to `feldspar join`");
  if (options.dry_run) options.job.corrections.rings_map.clear();
  io::VolumeFileOptions file = file_options(options);
  options.job.verified = options.verify == "on";
  io::RunFiles files = options.dry_run ? io::RunFiles{} : files_of(options);
  files.more_inputs = true;
  io::check_outputs(files);
  files.more_inputs = false;
  const io::Record sample = options.sample.empty() ? io::Record{} : io::read_sample(options.sample);
  Job job = prepare_job(options.job, files);
  for (const std::string& finding : job.findings) log_warning(finding);
  if (options.dry_run) {
    std::cout << (options.json ? plan_json(job) : describe_plan(job));
    return;
  }
  log_info(describe_plan(job));

  const std::string whole = identity_of(command, options.job, job);
  file.identity = identity_of(whole, job.share);
  file.threads = job.shop.threads;
  file.resume = options.resume;
  if (options.resume &&
      io::is_finished(options.output, file.identity)) {  // as when a cluster starts a task twice
    log_info("the volume is complete already");
    write_beside(command, options, job, true);
    std::cout << options.output.string() << '\n';
    if (job.share.is_whole()) repeat_stored_verdict(options.output);
    return;
  }
  files.resume = false;  // nothing that is there is this run's
  io::check_outputs(files);
  const geometry::Range slices = job.share.slices;
  io::VolumeWriter writer(options.output, geometry::slab_of(job.written, slices.first, slices.count()), file);
  if (options.resume) log_resume(job, PartSink(writer, slices.first));
  Made made;
  try {
    made = make_volume(command, options, job, sample, writer, whole);
  } catch (...) {
    if (writer.can_be_resumed())
      log_info("the slabs that were finished are kept; the same command with --resume goes on from them");
    throw;
  }
  write_beside(command, options, job, false);
  print_result(job, made.report, options, writer.clipped(), made.verdict);
  if (made.verdict) insist(*made.verdict, options.output);
}

void add_options(CLI::App& command, ReconOptions& options) {
  command.add_option("-o,--output", options.output, "The HDF5 file to write");
  command.add_option("--config", options.config, "Options from a TOML file; the command line wins");
  command.add_option(
      "--save-config", options.save_config,
      "Also write the options in effect to a file that --config takes (`feldspar info --config "
      "VOLUME` prints them later)");
  command.add_option("--xdmf", options.xdmf, "Also write a file by which ParaView opens the volume (.xmf)");
  add_job_options(command, options.job);
  command.add_option("--type", options.type, "Voxels as float32 or uint16")
      ->check(CLI::IsMember({"float32", "uint16"}))
      ->capture_default_str();
  command.add_option("--range", options.range, "What uint16 spans, as LOW,HIGH in 1/mm")
      ->capture_default_str();
  command.add_option("--compress", options.compress, "Deflate level; 0 stores plainly")
      ->check(CLI::Range(0, 9))
      ->capture_default_str();
  command.add_flag("--overwrite", options.overwrite, "Replace an existing output");
  command.add_flag(
      "--resume", options.resume,
      "Go on with what an interrupted run of the same command left behind (not with --compress)");
  command.add_flag("--no-hash", options.no_hash, "Do not hash the input files into the output");
  command
      .add_option("--verify", options.verify,
                  "Check the volume against the scan: on, or off; exit code 9 when it cannot be trusted")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  command
      .add_option(
          "--sample", options.sample,
          "What is known of the sample, to be stored: a .toml, or the text that a battery cycler exports")
      ->type_name("FILE");
  command.add_flag("--dry-run", options.dry_run, "Print the plan and stop");
  command.add_flag("--json", options.json, "Print the result as JSON");
  command.get_option("--scan")->required(false);  // it may stand in the TOML file
}

}  // namespace

Job recorded_job(const std::string& configuration, const std::filesystem::path& scan,
                 const ResourceOptions& resources) {
  CLI::App command("", "recon");
  ReconOptions options;
  add_options(command, options);
  apply_config_text(command, configuration, "the configuration stored in the volume");
  if (!scan.empty()) options.job.scan = scan;
  options.job.resources = resources;
  options.job.verified = true;
  options.job.corrections.rings_map.clear();
  return prepare_job(options.job);
}

void add_recon_command(CLI::App& program) {
  auto options = std::make_shared<ReconOptions>();
  CLI::App* command =
      program.add_subcommand("recon", "Reconstruct a scan into a volume of attenuation in 1/mm (HDF5)");
  command->footer("Example: feldspar recon Cell01.xtekct -o cell.h5 --memory 8GiB");
  add_options(*command, *options);
  command->callback([command, options] { run(*command, *options); });
}

}  // namespace feldspar::cli
