// In place of the commands that need the simulator, where the program is built without it: there are none.
#include "cli/commands.hpp"

namespace feldspar::cli {

void add_bench_command(CLI::App&) {}
void add_simulate_command(CLI::App&) {}

}  // namespace feldspar::cli
