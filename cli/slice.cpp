// `feldspar slice`: three planes of a volume as a picture.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>

#include "base/error.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/picture.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::cli {
namespace {

struct SliceOptions {
  std::filesystem::path volume;
  std::filesystem::path output;
  std::string at;
  std::string window = "auto";
  int size = 800;
  bool json = false;
};

/// The voxel nearest to `place` mm along one axis.
int nearest(double place, double origin, double spacing, int count, char axis) {
  const double index = std::round((place - origin) / spacing);
  if (!(index >= 0 && index < count))
    throw Error(ErrorKind::usage, fmt::format("--at: {} = {} mm lies outside the volume, which reaches from {:.3f} to {:.3f} mm",
                                              axis, place, origin, origin + (count - 1) * spacing));
  return static_cast<int>(index);
}

struct Centre {
  int i, j, k;
};

Centre centre_of(const geometry::VolumeGrid& grid, const std::string& at) {
  if (at.empty()) return {grid.nx / 2, grid.ny / 2, grid.nz / 2};
  const auto parts = split_list(at, 3, "--at");
  return {nearest(parse_length_mm(parts[0], "--at"), grid.origin.x, grid.spacing.x, grid.nx, 'x'),
          nearest(parse_length_mm(parts[1], "--at"), grid.origin.y, grid.spacing.y, grid.ny, 'y'),
          nearest(parse_length_mm(parts[2], "--at"), grid.origin.z, grid.spacing.z, grid.nz, 'z')};
}

/// A box one voxel thick along one axis, as a flat plane of its own two axes.
Array3<float> flattened(Array3<float> box, int across, int up) {
  Array3<float> plane(across, up, 1, "a plane");
  std::copy_n(box.data(), box.size(), plane.data());
  return plane;
}

std::vector<Plane> read_planes(const io::VolumeReader& reader, Centre c) {
  const geometry::VolumeGrid& g = reader.grid();
  const geometry::Vec3 place = g.centre_of(c.i, c.j, c.k);
  const double x = g.nx * g.spacing.x, y = g.ny * g.spacing.y, z = g.nz * g.spacing.z;
  std::vector<Plane> planes;
  planes.push_back({fmt::format("xy at z {:.2f}", place.z), reader.read(0, g.nx, 0, g.ny, c.k, 1), x, y});
  planes.push_back({fmt::format("xz at y {:.2f}", place.y), flattened(reader.read(0, g.nx, c.j, 1, 0, g.nz), g.nx, g.nz), x, z});
  planes.push_back({fmt::format("yz at x {:.2f}", place.x), flattened(reader.read(c.i, 1, 0, g.ny, 0, g.nz), g.ny, g.nz), y, z});
  return planes;
}

GreyWindow choose_window(const SliceOptions& options, const std::vector<Plane>& planes) {
  if (options.window == "auto") return automatic_window(planes);
  const auto parts = split_list(options.window, 2, "--window");
  GreyWindow window;
  if (!parse_number(parts[0], window.black) || !parse_number(parts[1], window.white) || !(window.black < window.white))
    throw Error(ErrorKind::usage, fmt::format("--window: '{}' is not two growing numbers in 1/mm", options.window));
  return window;
}

void run(SliceOptions options) {
  const io::VolumeReader reader(options.volume);
  if (options.output.empty()) options.output = std::filesystem::path(options.volume).replace_extension(".png");
  const Centre centre = centre_of(reader.grid(), options.at);
  const std::vector<Plane> planes = read_planes(reader, centre);
  const GreyWindow window = choose_window(options, planes);
  io::write_png(options.output, draw_planes(planes, window, options.size));
  if (options.json)
    std::cout << nlohmann::json{{"output", options.output.string()},
                                {"voxel", {centre.i, centre.j, centre.k}},
                                {"black_per_mm", window.black},
                                {"white_per_mm", window.white}}
                     .dump(2)
              << '\n';
  else
    std::cout << options.output.string() << '\n';
}

}  // namespace

void add_slice_command(CLI::App& program) {
  auto options = std::make_shared<SliceOptions>();
  CLI::App* command = program.add_subcommand("slice", "Draw three planes of a volume as a picture with a scale bar");
  command->footer("Example: feldspar slice cell.h5 --at 0,0,12.5 --window 0,0.4 -o cell.png");
  command->add_option("volume", options->volume, "The volume (.h5)")->required();
  command->add_option("-o,--output", options->output, "The PNG to write; default: the volume's name with .png");
  command->add_option("--at", options->at, "Where the planes cross, as X,Y,Z in mm; default: the middle");
  command->add_option("--window", options->window, "Attenuation shown as black and white, as LOW,HIGH in 1/mm")->capture_default_str();
  command->add_option("--size", options->size, "Pixels of the longest edge")->check(CLI::Range(64, 20000))->capture_default_str();
  command->add_flag("--json", options->json, "Print what was drawn as JSON");
  command->callback([options] { run(*options); });
}

}  // namespace feldspar::cli
