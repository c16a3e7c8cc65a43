// `feldspar join`: the parts that `recon --slabs` made become one volume.
#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/hdf5/volume_join.hpp"
#include "io/output_rule.hpp"
#include "io/partial_file.hpp"

namespace feldspar::cli {
namespace {

struct JoinCommand {
  std::vector<std::filesystem::path> parts;
  std::filesystem::path output, xdmf;
  io::JoinOptions options;
};

void run(const JoinCommand& command) {
  const bool overwrite = command.options.overwrite;
  io::RunFiles files{command.parts, io::volume_outputs(command.output), overwrite, true};
  if (!command.xdmf.empty()) {
    io::check_outputs({command.parts, {{command.xdmf}}, overwrite});
    files.outputs.push_back({command.xdmf});
  }
  io::check_outputs(files);
  Progress progress(console_progress());
  io::join_volumes(command.parts, command.output, command.options, progress);
  if (!command.xdmf.empty())
    io::write_file(command.xdmf, io::VolumeReader(command.output).xdmf(command.xdmf.parent_path()),
                   overwrite);
  std::cout << command.output.string() << '\n';
}

}  // namespace

void add_join_command(CLI::App& program) {
  auto join = std::make_shared<JoinCommand>();
  CLI::App* command =
      program.add_subcommand("join", "Make one volume of the parts that recon --slabs K/N wrote");
  command->footer("Example: feldspar join cell.part-*.h5 -o cell.h5");
  command->add_option("parts", join->parts, "The parts, all of them, in any order")->required();
  command->add_option("-o,--output", join->output, "The HDF5 file to write")->required();
  command->add_option("--xdmf", join->xdmf, "Also write a file by which ParaView opens the volume (.xmf)");
  command->add_flag("--solid", join->options.solid,
                    "Copy the voxels; otherwise the file is small and refers to the parts beside it");
  command->add_flag("--overwrite", join->options.overwrite, "Replace an existing output");
  command->callback([join] { run(*join); });
}

}  // namespace feldspar::cli
