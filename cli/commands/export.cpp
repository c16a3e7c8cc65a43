// feldspar export: a volume in a format of other programs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "io/export/export_volume.hpp"

namespace feldspar::cli {
namespace {

struct ExportCommand {
  std::filesystem::path volume, output;
  std::string type, range, region;
  io::ExportOptions options;
  bool json = false;
};

[[noreturn]] void refuse(const char* option, const std::string& text, const char* form) {
  throw Error(ErrorKind::usage, fmt::format("{} is '{}'; it takes {}", option, text, form));
}

std::array<double, 2> range_of(const std::string& text) {
  const std::vector<std::string> parts = CLI::detail::split(text, ',');
  std::array<double, 2> range{};
  if (parts.size() != 2 || !parse_number(parts[0], range[0]) || !parse_number(parts[1], range[1]))
    refuse("--range", text, "two numbers in 1/mm, LOW,HIGH");
  return range;
}

/// "10:200,:,50:" of voxels; an end that is left out is the volume's.
std::array<geometry::Range, 3> region_of(const std::string& text, const geometry::VolumeGrid& grid) {
  constexpr const char* form =
      "voxels X0:X1,Y0:Y1,Z0:Z1, from 0, the last not included; what is left out is all";
  const std::vector<std::string> sides = CLI::detail::split(text, ',');
  if (sides.size() != 3) refuse("--roi", text, form);
  std::array<geometry::Range, 3> region{{{0, grid.nx}, {0, grid.ny}, {0, grid.nz}}};
  for (std::size_t n = 0; n < 3; ++n) {
    const std::size_t colon = sides[n].find(':');
    if (colon == std::string::npos) refuse("--roi", text, form);
    const std::string first = sides[n].substr(0, colon), end = sides[n].substr(colon + 1);
    if ((!first.empty() && !CLI::detail::lexical_cast(first, region[n].first)) ||
        (!end.empty() && !CLI::detail::lexical_cast(end, region[n].end)))
      refuse("--roi", text, form);
  }
  return region;
}

nlohmann::json described(const io::Exported& exported) {
  const io::ExportedVolume& v = exported.volume;
  nlohmann::json files = nlohmann::json::array();
  for (const auto& file : exported.files) files.push_back(file.string());
  return {{"files", files},
          {"size", {v.grid.nx, v.grid.ny, v.grid.nz}},
          {"voxel_size_mm", {v.grid.spacing.x, v.grid.spacing.y, v.grid.spacing.z}},
          {"first_voxel_mm", {v.grid.origin.x, v.grid.origin.y, v.grid.origin.z}},
          {"type", v.type == io::VoxelType::float32 ? "float32" : "uint16"},
          {"slope_per_mm", v.slope},
          {"intercept_per_mm", v.intercept},
          {"clipped_voxels", exported.clipped}};
}

void run(ExportCommand& command) {
  io::ExportOptions& options = command.options;
  if (!command.type.empty())
    options.type = command.type == "uint16" ? io::VoxelType::uint16 : io::VoxelType::float32;
  if (!command.range.empty()) options.range = range_of(command.range);
  if (!command.region.empty())
    options.region = region_of(command.region, io::VolumeReader(command.volume).grid());
  Progress progress(console_progress());
  const io::Exported exported = io::export_volume(command.volume, command.output, options, progress);
  const io::ExportedVolume& v = exported.volume;
  if (exported.clipped > 0)
    log_warning(fmt::format("{} voxels lie outside {} to {} 1/mm and were clipped; --range keeps them",
                            exported.clipped, v.lowest, v.highest));
  if (command.json) {
    std::cout << described(exported).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    return;
  }
  for (const auto& file : exported.files) std::cout << file.string() << '\n';
  if (v.type == io::VoxelType::uint16)
    log_info(fmt::format("1/mm = stored value * {} + {}", v.slope, v.intercept));
}

std::string formats_in_words() {
  std::string text = "Formats, by the output's ending or --format:\n";
  for (const io::VolumeFormat& format : io::volume_formats())
    text += fmt::format("  {:<6} {:<12} {}\n", format.name, fmt::format("{}", fmt::join(format.endings, " ")),
                        format.what);
  return text + "Example: feldspar export cell.h5 cell.tif --type uint16 --bin 2";
}

}  // namespace

void add_export_command(CLI::App& program) {
  auto command = std::make_shared<ExportCommand>();
  CLI::App* const app = program.add_subcommand("export", "Write a volume in a format of other programs");
  app->add_option("volume", command->volume, "Volume file (.h5)")->required()->type_name("VOLUME.h5");
  app->add_option("output", command->output, "File to write, as cell.tif, cell.nrrd, cell.mha")
      ->required()
      ->type_name("OUT");
  app->add_option("--format", command->options.format, "One of those below, whatever the output's ending");
  app->add_option("--type", command->type,
                  "float32 (1/mm) or uint16 (codes); as the volume has it by default")
      ->check(CLI::IsMember({"float32", "uint16"}));
  app->add_option(
         "--range", command->range,
         "1/mm that uint16 spans; what lies beyond is clipped and counted. As the volume's own codes, or "
         "-0.25,1")
      ->type_name("LOW,HIGH");
  app->add_option("--roi", command->region, "Voxels to write: 10:200,:,50: leaves the others out")
      ->type_name("X0:X1,Y0:Y1,Z0:Z1");
  app->add_option("--bin", command->options.bin, "Voxels along each side that become one, by their mean")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app->add_flag("--overwrite", command->options.overwrite, "Replace files that are there");
  app->add_flag("--json", command->json, "Print what was written as JSON");
  app->footer(formats_in_words());
  app->callback([command] { run(*command); });
}

}  // namespace feldspar::cli
