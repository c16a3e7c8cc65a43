// `feldspar bench scan-speed`: scans of one object at different speeds, reconstructed on one grid and
// measured. Every step is a command that can be typed as well.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/units.hpp"
#include "cli/batch/child.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/report/scan_speed.hpp"
#include "io/open_scan.hpp"
#include "io/output_rule.hpp"
#include "io/partial_file.hpp"
#include "simulate/presets.hpp"

namespace feldspar::cli {
namespace {

namespace fs = std::filesystem;

struct BenchOptions {
  std::vector<fs::path> scans;
  fs::path output, config;
  std::string scale = "1/4", spectrum = "205kV", every = "1,2,5,10";
  int rows = 0;
  RequestOptions machine;
  bool keep = false, overwrite = false;
};

/// The same for every command that is run.
std::vector<std::string> words_of(const RequestOptions& machine) {
  std::vector<std::string> words;
  for (const auto& [name, text] : machine.typed()) words.insert(words.end(), {"--" + name, text});
  return words;
}

constexpr int cell_columns = 640;  // of the presets' 2000: the cell fills 508

/// A scan to be reconstructed: every `step`-th view of a file.
struct SpeedScan {
  std::string name;
  fs::path file;
  int step = 1;
  bool made_here = false;
};

/// Runs this program. Throws Error of the kind that its exit code says, except for `forgiven`.
std::string run_self(const std::vector<std::string>& words, int forgiven = 0) {
  std::vector<std::string> command{own_program(), "--quiet"};
  command.insert(command.end(), words.begin(), words.end());
  log_info(fmt::format("feldspar {}", fmt::join(words, " ")));
  const Answer answer = ask(command, {.shows_errors = true});
  if (answer.exit_code == 0 || (forgiven != 0 && answer.exit_code == forgiven)) return answer.output;
  throw Error(answer.exit_code > 0 ? static_cast<ErrorKind>(answer.exit_code) : ErrorKind::internal,
              fmt::format("bench: 'feldspar {}' failed (exit code {}); its own message stands above",
                          words.front(), answer.exit_code));
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream text(list);
  for (std::string part; std::getline(text, part, ',');) parts.push_back(part);
  return parts;
}

std::vector<SpeedScan> parts_of_one(const BenchOptions& options) {
  std::vector<SpeedScan> scans;
  for (const std::string& part : split(options.every)) {
    double step = 0;
    if (!parse_number(part, step) || step < 1 || step > 1000 || step != static_cast<int>(step))
      throw Error(ErrorKind::usage, fmt::format("--every: '{}' is not a whole number; write 1,2,5,10", part));
    scans.push_back({step == 1 ? "all views" : fmt::format("every {} views", part), options.scans.front(),
                     static_cast<int>(step), false});
  }
  if (scans.empty()) throw Error(ErrorKind::usage, "--every is empty; write 1,2,5,10");
  return scans;
}

std::vector<SpeedScan> scans_of(const BenchOptions& options, const fs::path& work) {
  if (options.scans.size() == 1) return parts_of_one(options);
  std::vector<SpeedScan> scans;
  for (const fs::path& scan : options.scans)
    scans.push_back(
        {scan.has_filename() ? scan.stem().string() : scan.parent_path().stem().string(), scan, 1, false});
  if (scans.empty())
    for (const char* preset : {"mj1-fresh-53min", "mj1-26min", "mj1-160s", "mj1-80s"})
      scans.push_back({preset, work / preset, 1, true});
  return scans;
}

void simulate(const BenchOptions& options, const SpeedScan& scan) {
  std::vector<std::string> words{"simulate",         scan.name,     "-o",
                                 scan.file.string(), "--overwrite", "--scale",
                                 options.scale,      "--columns",   std::to_string(cell_columns)};
  if (options.rows > 0) words.insert(words.end(), {"--rows", std::to_string(options.rows)});
  if (options.spectrum != "none") words.insert(words.end(), {"--spectrum", options.spectrum});
  (void)run_self(words);
}

/// One volume of a scan, and what the program says of its making.
nlohmann::json reconstruct(const BenchOptions& options, const SpeedScan& scan, const std::string& views,
                           const fs::path& volume, const fs::path& like) {
  std::vector<std::string> words{"recon",         scan.file.string(), "-o",
                                 volume.string(), "--overwrite",      "--json",
                                 "--no-hash",     "--views",          views};
  if (!like.empty())
    words.insert(words.end(), {"--like", like.string()});
  else if (!scan.made_here)
    words.insert(words.end(), {"--roi", "auto"});
  if (!options.config.empty()) words.insert(words.end(), {"--config", options.config.string()});
  const std::vector<std::string> with = words_of(options.machine);
  words.insert(words.end(), with.begin(), with.end());
  auto said = nlohmann::json::parse(run_self(words, static_cast<int>(ErrorKind::untrusted)), nullptr, false);
  if (!said.is_object()) throw Error(ErrorKind::internal, "bench: recon printed no result");
  return said;
}

SpeedVolumes make_volumes(const BenchOptions& options, const SpeedScan& scan, std::size_t number,
                          const fs::path& work) {
  if (scan.made_here) simulate(options, scan);
  const auto volume = [&](const char* part) { return work / fmt::format("{}-{}.h5", number, part); };
  SpeedVolumes made{
      .name = scan.name, .whole = volume("whole"), .odd = volume("odd"), .even = volume("even")};
  const auto source = io::open_scan(scan.file, {.headers_only = true});
  made.views = static_cast<int>((source->scan().angles.size() + scan.step - 1) / scan.step);
  made.exposure_s =
      scan.made_here ? simulate::preset(scan.name).notes.exposure_s : source->description().exposure_s;
  const fs::path first = number == 0 ? fs::path() : work / "0-whole.h5";
  const auto said = reconstruct(options, scan, fmt::format("0::{}", scan.step), made.whole, first);
  made.seconds = said.value("seconds", 0.0), made.gups = said.value("gups", 0.0);
  for (const auto& [path, start] : {std::pair{made.odd, 0}, {made.even, scan.step}})
    (void)reconstruct(options, scan, fmt::format("{}::{}", start, 2 * scan.step), path, work / "0-whole.h5");
  if (scan.made_here && !options.keep) fs::remove_all(scan.file);
  return made;
}

/// Makes the folders, unless something is in the way. `work` goes away at the end with all that is in it.
void claim(const BenchOptions& options, const fs::path& work) {
  io::RunFiles files{options.scans,
                     {{options.output, io::Output::Kind::shelf},
                      {options.output / "report.html"},
                      {options.output / "report.json"},
                      {work, io::Output::Kind::folder}},
                     options.overwrite};
  files.inputs.push_back(options.config);
  io::check_outputs(files);
  std::error_code failed;
  if (fs::exists(work, failed) && !fs::is_empty(work, failed))
    throw Error(ErrorKind::io,
                fmt::format("{}: already exists and is not empty, as after --keep; remove it or "
                            "choose another folder",
                            work.string()));
  fs::create_directories(work, failed);
  if (failed)
    throw Error(ErrorKind::io, fmt::format("{}: cannot be made: {}", work.string(), failed.message()));
}

std::string how_of(const BenchOptions& options) {
  if (!options.scans.empty())
    return options.scans.size() == 1
               ? fmt::format("Parts of {}: every view, every second, and so on, on one grid.",
                             options.scans.front().filename().string())
               : "Several scans on the grid of the first.";
  return fmt::format(
      "Four simulated scans of one 18650 cell at {} of the detector's pixels a side: {}, photon and "
      "electronic "
      "noise by exposure and current, detector blur and focal spot, and an object that turns during the fast "
      "scans' exposures. Biases are against the attenuation at 91 keV.",
      options.scale,
      options.spectrum == "none" ? "one energy, 91 keV" : "a tube's spectrum, " + options.spectrum);
}

/// The scans and volumes that are made on the way, and go with it.
struct WorkFolder {
  WorkFolder(const BenchOptions& options) : path(options.output / "volumes"), keep(options.keep) {
    claim(options, path);
  }
  ~WorkFolder() {
    std::error_code ignored;
    if (!keep) fs::remove_all(path, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  fs::path path;
  bool keep;
};

void run_scan_speed(const BenchOptions& options) {
  const WorkFolder work(options);
  std::vector<SpeedVolumes> volumes;
  const std::vector<SpeedScan> scans = scans_of(options, work.path);
  volumes.reserve(scans.size());
  for (const SpeedScan& scan : scans)
    volumes.push_back(make_volumes(options, scan, volumes.size(), work.path));
  const std::optional<simulate::CellDesign> cell =
      options.scans.empty() ? std::optional(simulate::CellDesign{}) : std::nullopt;
  const std::vector<SpeedMeasures> all =
      measure_speed(volumes, cell, options.machine.request().machine.threads);
  const std::string how = how_of(options);
  io::write_file(options.output / "report.html", speed_page(all, how), options.overwrite);
  io::write_file(options.output / "report.json", speed_json(all, how), options.overwrite);
  std::cout << speed_table(all) << (options.output / "report.html").string() << '\n';
}

}  // namespace

void add_bench_command(CLI::App& program) {
  CLI::App* bench = program.add_subcommand("bench", "Comparisons that take a while and end in a report");
  bench->require_subcommand(1);
  CLI::App* command = bench->add_subcommand(
      "scan-speed",
      "What a faster scan costs: four simulated scans of a cell, parts of one scan, or several");
  const auto options = std::make_shared<BenchOptions>();
  command->add_option(
      "scans", options->scans,
      "One long scan, of which parts are taken, or several of one object (default: simulated)");
  command->add_option("-o,--output", options->output, "Folder for report.html and report.json")->required();
  command->add_option("--scale", options->scale, "Pixels along each side of the simulated detector: 1/4, 1")
      ->capture_default_str();
  command
      ->add_option("--rows", options->rows,
                   "Rows of the simulated detector before scaling (default: all 2000)")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--spectrum", options->spectrum,
                   "Of the simulated tube, as of `simulate`, or none (91 keV)")
      ->capture_default_str();
  command->add_option("--every", options->every, "Of one scan: every how many views")->capture_default_str();
  command->add_option("--config", options->config, "Options of `recon` from a TOML file, for all");
  options->machine.add(*command, {run::Topic::machine});
  command->add_flag("--overwrite", options->overwrite, "Replace an earlier report in the folder");
  command->add_flag("--keep", options->keep, "Keep the scans and volumes, in the folder's volumes/");
  command->footer(
      "Examples:\n"
      "  feldspar bench scan-speed -o report\n"
      "  feldspar bench scan-speed Cell01.xtekct -o report --every 1,2,5,10\n"
      "  feldspar bench scan-speed slow/ fast/ -o report");
  command->callback([options] { run_scan_speed(*options); });
}

}  // namespace feldspar::cli
