// The commands of `feldspar`, one file each. A command adds itself to the program's parser with its
// options, help and an example; when chosen it runs, prints results to stdout and everything else to
// stderr, and reports failure by throwing Error, whose kind becomes the exit code.
#pragma once

namespace CLI {
class App;
}

namespace feldspar::cli {

void add_info_command(CLI::App& program);
void add_recon_command(CLI::App& program);
void add_center_command(CLI::App& program);
void add_batch_command(CLI::App& program);  ///< after add_recon_command, whose options it knows
void add_bench_command(CLI::App& program);
void add_compare_command(CLI::App& program);
void add_export_command(CLI::App& program);
void add_join_command(CLI::App& program);
void add_simulate_command(CLI::App& program);
void add_slice_command(CLI::App& program);
void add_convert_command(CLI::App& program);
void add_devices_command(CLI::App& program);
void add_verify_command(CLI::App& program);
void add_template_command(CLI::App& program);

}  // namespace feldspar::cli
