// feldspar slice: a look at a volume without opening a viewer.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/report/picture.hpp"
#include "io/hdf5/volume_file.hpp"
#include "io/output_rule.hpp"
#include "io/png/png_file.hpp"

namespace feldspar::cli {
namespace {

struct SliceOptions {
  std::filesystem::path volume;
  std::filesystem::path output;
  std::string at = "centre";
  std::string window = "auto";
  int max_size = 2000;
  bool json = false, overwrite = false;
};

std::vector<std::string> parts_of(const std::string& list, std::size_t count, const char* option,
                                  const char* form) {
  std::vector<std::string> parts = CLI::detail::split(list, ',');
  if (parts.size() != count)
    throw Error(ErrorKind::usage, fmt::format("{} is '{}'; it takes {}", option, list, form));
  return parts;
}

Voxel chosen_voxel(const geometry::VolumeGrid& grid, const std::string& at) {
  if (at == "centre" || at == "center") return {grid.nx / 2, grid.ny / 2, grid.nz / 2};
  const auto parts = parts_of(at, 3, "--at", "'centre' or three lengths, x,y,z");
  return voxel_at(grid, {parse_length_mm(parts[0], "--at x"), parse_length_mm(parts[1], "--at y"),
                         parse_length_mm(parts[2], "--at z")});
}

GreyWindow chosen_window(std::span<const Plane> planes, const std::string& text) {
  if (text == "auto") return window_of(planes);
  const char* form = "'auto' or two numbers in 1/mm, LOW,HIGH";
  const auto parts = parts_of(text, 2, "--window", form);
  GreyWindow window;
  if (!parse_number(parts[0], window.black) || !parse_number(parts[1], window.white))
    throw Error(ErrorKind::usage, fmt::format("--window is '{}'; it takes {}", text, form));
  return window;
}

nlohmann::json described(const SliceOptions& options, const io::GreyPicture& picture, const Voxel& voxel,
                         geometry::Vec3 at, const GreyWindow& window) {
  return {{"volume", options.volume.string()},
          {"picture", options.output.string()},
          {"size", {picture.width, picture.height}},
          {"voxel", {voxel.x, voxel.y, voxel.z}},
          {"at_mm", {at.x, at.y, at.z}},
          {"window_per_mm", {window.black, window.white}}};
}

void run_slice(SliceOptions options) {
  std::filesystem::path& output = options.output;
  if (output.empty()) output = std::filesystem::path(options.volume).replace_extension(".png");
  const io::VolumeReader volume(options.volume);
  io::check_outputs({volume.files(), {{output, io::Output::Kind::picture}}, options.overwrite});
  const Voxel voxel = chosen_voxel(volume.grid(), options.at);
  const std::vector<Plane> planes = orthogonal_planes(volume, voxel);
  const GreyWindow window = chosen_window(planes, options.window);
  const io::GreyPicture picture = draw_planes(planes, window, options.max_size);
  io::write_png(output, picture, options.overwrite);
  if (!options.json) {
    std::cout << fmt::format("{}\n", output.string());
    return;
  }
  const geometry::Vec3 at = volume.grid().centre_of(voxel.x, voxel.y, voxel.z);
  const nlohmann::json result = described(options, picture, voxel, at, window);
  std::cout << fmt::format("{}\n", result.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

/// How the picture looks.
void add_looks(CLI::App& command, SliceOptions& options) {
  command.add_option("--at", options.at, "Where the planes meet: x,y,z as 120um,0,1.5mm, or 'centre'")
      ->type_name("X,Y,Z")
      ->capture_default_str();
  command
      .add_option("--window", options.window, "1/mm drawn black and white, or 'auto' (0.5 to 99.5 percent)")
      ->type_name("LOW,HIGH")
      ->capture_default_str();
  command.add_option("--max-size", options.max_size, "Pixels the picture may be wide and high")
      ->check(CLI::Range(100, 30000))
      ->capture_default_str();
}

}  // namespace

void add_slice_command(CLI::App& program) {
  auto options = std::make_shared<SliceOptions>();
  CLI::App* command = program.add_subcommand("slice", "Draw three orthogonal planes of a volume as a PNG");
  command->add_option("volume", options->volume, "Volume file (.h5)")->required()->type_name("VOLUME.h5");
  command
      ->add_option("-o,--output", options->output, "Picture to write; the volume's name with .png by default")
      ->type_name("OUT.png");
  add_looks(*command, *options);
  command->add_flag("--overwrite", options->overwrite, "Replace an existing picture");
  command->add_flag("--json", options->json, "Print what was drawn as JSON");
  command->footer("Example: feldspar slice cell.h5 --at 0,0,4.5mm --window 0,0.08 -o cell.png");
  command->callback([options] { run_slice(*options); });
}

}  // namespace feldspar::cli
