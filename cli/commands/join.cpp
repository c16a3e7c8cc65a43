// `feldspar join`: the parts that `recon --slabs` made become one volume.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/options.hpp"
#include "cli/report/verdict.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/hdf5/volume_join.hpp"
#include "io/output_rule.hpp"
#include "io/partial_file.hpp"
#include "run/shared_plan.hpp"
#include "run/verify.hpp"

namespace feldspar::cli {
namespace {

struct JoinCommand {
  std::vector<std::filesystem::path> parts;
  std::filesystem::path output;
  io::JoinOptions options;
  std::string verify = "on";
  RequestOptions machine;
};

/// Throws Error(bad_file) where the parts do not hold what their runs wrote.
void insist_on_parts(const recon::Verdict& verdict, const std::filesystem::path& path) {
  const recon::Check* const layers = verdict.find("layers");
  if (layers && layers->outcome == recon::Check::Outcome::failed)
    throw Error(
        ErrorKind::bad_file,
        fmt::format("{}: a part is damaged: {}; `feldspar verify --alone` of each part tells which; make "
                    "that part again",
                    path.string(), layers->text));
}

/// The checks against the scan that the volume itself names, or those that need none and why.
recon::Verdict judge(const io::VolumeReader& volume, const std::filesystem::path& parts,
                     const std::filesystem::path& path, const run::Machine& machine) {
  std::optional<run::Reconstruction> work;
  std::string why;
  try {
    work = run::recorded(volume, parts, {}, machine, console_progress);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
    why = with_flags(error.what(), error.remedies());
  }
  if (work) return run::verify_volume(*work, volume, path, nullptr);
  recon::Verdict verdict = run::verify_alone(volume, *run::open_workshop(machine).budget);
  verdict.unverifiable = "the scan cannot be asked: " + why;
  return verdict;
}

void run(const JoinCommand& command) {
  io::check_outputs({command.parts, io::volume_outputs(command.output), command.options.overwrite, true});
  Progress progress(console_progress());
  std::optional<recon::Verdict> verdict;
  io::VolumeWriter::Verification verify;
  if (command.verify == "on")
    verify = [&](const io::VolumeReader& volume) {
      verdict = judge(volume, command.parts.front(), command.output, command.machine.request().machine);
      insist_on_parts(*verdict, command.output);
      return run::record_of(*verdict);
    };
  const bool made = io::join_volumes(command.parts, command.output, command.options, progress, verify);
  run::SharedPlan::forget(command.output, command.parts.front());
  std::cout << command.output.string() << '\n';
  if (!made) return repeat_stored_verdict(command.output);
  if (!verdict) return;
  log_info(describe(*verdict));
  run::insist(*verdict, command.output);
}

}  // namespace

void add_join_command(CLI::App& program) {
  auto join = std::make_shared<JoinCommand>();
  CLI::App* command =
      program.add_subcommand("join", "Make one volume of the parts that recon --slabs K/N wrote");
  command->footer("Example: feldspar join cell.part-*.h5 -o cell.h5");
  command->add_option("parts", join->parts, "The parts, all of them, in any order")->required();
  command->add_option("-o,--output", join->output, "The HDF5 file to write")->required();
  command->add_flag("--solid", join->options.solid,
                    "Copy the voxels; otherwise the file is small and refers to the parts beside it");
  command
      ->add_option("--verify", join->verify,
                   "Check the volume against the scan: on, or off; exit code 9 when it cannot be trusted")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  join->machine.add(*command, {run::Topic::machine});
  command->add_flag("--overwrite", join->options.overwrite, "Replace an existing output");
  command->callback([join] { run(*join); });
}

}  // namespace feldspar::cli
