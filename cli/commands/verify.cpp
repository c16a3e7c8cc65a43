// `feldspar verify`: a finished volume is checked again.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>

#include "base/error.hpp"
#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/options.hpp"
#include "cli/report/verdict.hpp"
#include "run/verify.hpp"

namespace feldspar::cli {
namespace {

struct VerifyCommand {
  std::filesystem::path volume, scan;
  RequestOptions machine;
  bool alone = false, json = false;
};

recon::Verdict check(const VerifyCommand& options) {
  const io::VolumeReader volume(options.volume);
  const run::Machine machine = options.machine.request().machine;
  if (options.alone) return run::verify_alone(volume, *run::open_workshop(machine).budget);
  const run::Reconstruction work =
      run::recorded(volume, options.volume, options.scan, machine, console_progress);
  return run::verify_volume(work, volume, options.volume, nullptr, true);
}

void run(const VerifyCommand& options) {
  catch_interrupts();
  const recon::Verdict verdict = check(options);
  if (options.json)
    std::cout << json_of(verdict).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  else
    std::cout << describe(verdict);
  run::insist(verdict, options.volume);
}

}  // namespace

void add_verify_command(CLI::App& program) {
  auto options = std::make_shared<VerifyCommand>();
  CLI::App* command = program.add_subcommand("verify",
                                             "Check a finished volume against its scan again, changing "
                                             "nothing; exit code 9 when it cannot be trusted");
  command->footer("Example: feldspar verify cell.h5");
  command->add_option("volume", options->volume, "The volume, as `feldspar recon` wrote it")->required();
  command->add_option("scan", options->scan, "The scan, where it is no longer where the volume says");
  options->machine.add(*command, {run::Topic::machine});
  command->add_flag("--alone", options->alone,
                    "Only what needs no scan: is every layer what was written, is every voxel a number");
  command->add_flag("--json", options->json, "Print the verdict as JSON");
  command->callback([options] { run(*options); });
}

}  // namespace feldspar::cli
