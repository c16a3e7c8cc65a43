// feldspar template: a description of a TIFF stack for people to fill in.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <iostream>

#include "cli/commands.hpp"
#include "io/stack/stack_description.hpp"

namespace feldspar::cli {

void add_template_command(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "template", "Print a description of a scan kept as TIFF images, with every key explained");
  command->footer("Example: feldspar template > my_scan/scan.toml, fill it in, feldspar info my_scan");
  command->callback([] { std::cout << fmt::format("{}", io::stack::stack_template()); });
}

}  // namespace feldspar::cli
