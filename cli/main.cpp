// The program: parses the command line, runs the chosen command, and turns errors into exit codes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>

#include "base/crash.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/system_memory.hpp"
#include "base/version.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/options.hpp"

namespace feldspar::cli {
namespace {

int fail(ErrorKind kind, std::string message, const Remedies& remedies = {}) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  log(LogLevel::error, message, remedies);
  return static_cast<int>(kind);
}

void add_flags(CLI::App& program) {
  program.set_version_flag("--version", std::string("feldspar ") + version);
  program.add_flag_callback(
      "-q,--quiet", [] { set_verbosity(Verbosity::quiet); }, "Warnings and errors only, no progress");
  program.add_flag_callback(
      "-v,--verbose", [] { set_verbosity(Verbosity::verbose); }, "Details for finding out what went wrong");
  program.fallthrough();  // so that --quiet may stand after the command
}

void add_commands(CLI::App& program) {
  add_flags(program);
  program.require_subcommand(1);
  add_info_command(program);
  add_recon_command(program);
  add_center_command(program);
  add_batch_command(program);
  add_join_command(program);
  add_bench_command(program);
  add_simulate_command(program);
  add_slice_command(program);
  add_export_command(program);
  add_convert_command(program);
  add_verify_command(program);
  add_compare_command(program);
  add_devices_command(program);
  add_template_command(program);
}

/// What the parser's complaint means to who typed it.
std::string explain(const CLI::ParseError& error, const CLI::App& program, int argc, char** argv) {
  if (!program.get_subcommands().empty() || argc < 2 || argv[1][0] == '-') return error.what();
  std::string commands;
  for (const CLI::App* command : program.get_subcommands({})) commands += " " + command->get_name();
  return fmt::format("there is no command '{}', only{}", argv[1], commands);
}

/// Where the user reads on: the help of the command that was being typed.
std::string help_of(const CLI::App& program) {
  std::string words = "feldspar";
  for (const CLI::App* command : program.get_subcommands()) words += " " + command->get_name();
  return words + " --help";
}

int run(CLI::App& program, int argc, char** argv) {
  try {
    add_commands(program);
    check_values(program);
    program.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return program.exit(error);
    return fail(ErrorKind::usage,
                fmt::format("{}; see {}", explain(error, program, argc, argv), help_of(program)));
  } catch (const Error& error) {
    return fail(error.kind(), error.what(), error.remedies());
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(ErrorKind::io, error.what());
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::out_of_memory, "the system has no more memory", {{"memory", "", "lower"}});
  } catch (const std::exception& error) {
    return fail(ErrorKind::internal, error.what());
  }
}

int run(int argc, char** argv) {
  open_console();
  set_verbosity(Verbosity::normal);
  CLI::App program("Reconstructs X-ray CT scans: raw projections to attenuation in 1/mm.", "feldspar");
  const int code = run(program, argc, argv);
  if (results_arrived() || code != 0) return code;
  return fail(ErrorKind::io, "the results could not be written to the output");
}

}  // namespace
}  // namespace feldspar::cli

int main(int argc, char** argv) {
  feldspar::name_files_in_crashes();
  feldspar::give_freed_memory_back();
  return feldspar::cli::run(argc, argv);
}
