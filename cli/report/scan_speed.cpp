// Everything is measured near the middle of the volume; halves of a scan tell noise from structure.
#include "cli/report/scan_speed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/measure/noise.hpp"
#include "recon/measure/windings.hpp"
#include "simulate/cell_truth.hpp"

namespace feldspar::cli {
namespace {

using geometry::VolumeGrid;
namespace measure = recon::measure;

constexpr int most_slices = 8;        // that means are taken over
constexpr double noise_radius = 1.2;  // mm around the axis: within the hole of a cell's roll
constexpr double noise_height = 16;   // mm
constexpr int apart = 4;              // slices
constexpr double purest = 0.95;       // quantile of a material's shares from which on voxels count
constexpr int largest_cube = 256;

struct Middle {
  int first = 0, count = 1;
};

/// Slices within 1 mm of the middle, at most so many.
Middle middle_of(const VolumeGrid& grid, double height, int most) {
  const int count = std::clamp(static_cast<int>(height / grid.spacing.z), 1, std::min(most, grid.nz));
  return {(grid.nz - count) / 2, count};
}

/// The axis' place in a slice.
struct Axis {
  double x = 0, y = 0;
};
Axis axis_of(const VolumeGrid& grid) {
  const Axis axis{-grid.origin.x / grid.spacing.x, -grid.origin.y / grid.spacing.y};
  if (axis.x < 8 || axis.y < 8 || axis.x > grid.nx - 9 || axis.y > grid.ny - 9)
    throw Error(ErrorKind::usage,
                "the rotation axis is not within the volume, or less than 8 voxels from its side");
  return axis;
}

/// Voxels within a radius of the axis.
std::vector<unsigned char> round_mask(const VolumeGrid& grid, const Axis& axis, double radius, int slices) {
  std::vector<unsigned char> mask;
  const double limit = radius / grid.spacing.x;
  for (int k = 0; k < slices; ++k)
    for (int j = 0; j < grid.ny; ++j)
      for (int i = 0; i < grid.nx; ++i) mask.push_back(std::hypot(i - axis.x, j - axis.y) < limit);
  return mask;
}

Array3<float> slices_of(const io::VolumeReader& volume, const Middle& middle) {
  const VolumeGrid& grid = volume.grid();
  return volume.read(0, grid.nx, 0, grid.ny, middle.first, middle.count);
}

Array3<float> mean_slice(const Array3<float>& slices) {
  Array3<float> mean(slices.view().nx, slices.view().ny, 1);
  mean.fill(0);
  const std::size_t area = mean.size(), count = slices.size() / area;
  for (std::size_t n = 0; n < slices.size(); ++n)
    mean.data()[n % area] += slices.data()[n] / static_cast<float>(count);
  return mean;
}

struct Spread {
  double random = 0;  ///< what differs between odd and even views
  double grain = 0;   ///< what differs between slices further apart than the detector's blur
};

Spread spread_near_axis(const SpeedVolumes& of, const VolumeGrid& grid) {
  const Middle middle = middle_of(grid, noise_height, 4096);
  const int half = static_cast<int>(std::ceil(noise_radius / grid.spacing.x)) + 1;
  const Axis axis = axis_of(grid);
  const auto first = [&](double at) { return std::max(0, static_cast<int>(at) - half); };
  const int x = first(axis.x), y = first(axis.y), nx = std::min(2 * half + 1, grid.nx - x),
            ny = std::min(2 * half + 1, grid.ny - y);
  VolumeGrid part = grid;
  part.nx = nx, part.ny = ny;
  const auto mask = round_mask(part, {axis.x - x, axis.y - y}, noise_radius, middle.count);
  const auto read = [&](const std::filesystem::path& path, int z, int count) {
    return io::VolumeReader(path).read(x, nx, y, ny, z, count);
  };
  const Array3<float> odd = read(of.odd, middle.first, middle.count),
                      even = read(of.even, middle.first, middle.count);
  Spread spread{measure::noise_of_halves(odd.view().values(), even.view().values(), mask), 0};
  if (middle.count <= apart) return spread;
  const int pairs = middle.count - apart;
  const Array3<float> below = read(of.whole, middle.first, pairs),
                      above = read(of.whole, middle.first + apart, pairs);
  spread.grain = std::sqrt(2.0) * measure::noise_of_halves(below.view().values(), above.view().values(),
                                                           std::span(mask).first(below.size()));
  return spread;
}

measure::ShellCorrelation shells_of(const SpeedVolumes& of, const VolumeGrid& grid, ThreadPool& pool) {
  const int side = static_cast<int>(
      std::bit_floor(static_cast<unsigned>(std::min({grid.nx, grid.ny, grid.nz, largest_cube}))));
  if (side < 16) throw Error(ErrorKind::usage, "the volume has less than 16 voxels along a side");
  const auto cube = [&](const std::filesystem::path& path) {
    return io::VolumeReader(path).read((grid.nx - side) / 2, side, (grid.ny - side) / 2, side,
                                       (grid.nz - side) / 2, side);
  };
  const Array3<float> odd = cube(of.odd), even = cube(of.even);
  return measure::shell_correlation(odd.view(), even.view(), pool);
}

/// The known cell on the middle slices of the grid.
struct Truth {
  simulate::CellDesign design;
  Array3<float> means;
  std::vector<unsigned char> anode, cathode;
  measure::Windings windings;
  measure::Roll roll;
  measure::RoundEdge can;
  measure::EdgeResponse edge;
};

std::vector<unsigned char> purest_voxels(const simulate::CellDesign& design, simulate::Material material,
                                         const VolumeGrid& slab, ThreadPool& pool) {
  Array3<float> shares(slab.nx, slab.ny, slab.nz, "shares of a material");
  simulate::material_shares(design, material, slab, shares.view(), pool);
  std::vector<float> some;
  for (const float share : shares.view().values())
    if (share > 0.05f) some.push_back(share);
  if (some.empty()) throw Error(ErrorKind::usage, "the middle of the volume holds no layer of the cell");
  const auto at = some.begin() + static_cast<std::ptrdiff_t>(purest * static_cast<double>(some.size() - 1));
  std::nth_element(some.begin(), at, some.end());
  const float least = std::min(*at, 0.999f);
  std::vector<unsigned char> mask;
  for (const float share : shares.view().values()) mask.push_back(share >= least);
  return mask;
}

Truth truth_of(const simulate::CellDesign& design, const VolumeGrid& grid, ThreadPool& pool) {
  const Middle middle = middle_of(grid, 1, most_slices);
  const VolumeGrid slab = geometry::slab_of(grid, middle.first, middle.count);
  const simulate::Cell18650 cell(design);
  const Axis axis = axis_of(grid);
  Truth truth{design, Array3<float>(slab.nx, slab.ny, slab.nz, "the truth"), {}, {}, {}, {}, {}, {}};
  simulate::voxel_means(cell, slab, 8, truth.means.view(), pool);
  truth.anode = purest_voxels(design, simulate::Material::anode, slab, pool);
  truth.cathode = purest_voxels(design, simulate::Material::cathode, slab, pool);
  const double pitch = cell.winding().pitch();
  truth.roll = {axis.x, axis.y, grid.spacing.x, cell.winding().core_radius(), design.roll_radius, pitch};
  truth.windings = simulate::cathode_radii(cell, measure::Roll::azimuths);
  const double radius = design.can_radius / grid.spacing.x,
               room = std::min({axis.x, axis.y, grid.nx - 1 - axis.x, grid.ny - 1 - axis.y}) - radius;
  truth.can = {axis.x, axis.y, radius, std::min(6.0, room)};
  const Array3<float> mean = mean_slice(truth.means);
  truth.edge = measure::edge_response(mean.view(), truth.can);
  return truth;
}

CellMeasures measure_cell(const Truth& truth, const Array3<float>& slices, const Spread& spread) {
  CellMeasures found;
  found.grain = spread.grain;
  const auto values = slices.view().values(), true_values = truth.means.view().values();
  const auto look = [&](const std::vector<unsigned char>& mask, double& mean, double& bias) {
    mean = measure::statistics_of(values, mask).mean;
    bias = mean - measure::statistics_of(true_values, mask).mean;
  };
  look(truth.anode, found.anode, found.anode_bias);
  look(truth.cathode, found.cathode, found.cathode_bias);
  found.contrast_to_noise = measure::contrast_to_noise(found.anode, found.cathode, spread.grain);
  const Array3<float> mean = mean_slice(slices);
  found.can = measure::modulation_against(measure::edge_response(mean.view(), truth.can), truth.edge);
  const measure::TraceScore score = measure::score_windings(
      measure::trace_windings(slices.view().planes(slices.view().nz / 2, 1), truth.roll), truth.windings,
      truth.roll.pitch);
  found.traced = score.traced, found.invented = score.invented, found.radius_error = score.radius_error;
  return found;
}

/// A rectangle of the middle slice, mm around the axis.
Plane cut_out(const Array3<float>& slice, const VolumeGrid& grid, double x0, double x1, double y0,
              double y1) {
  const Axis axis = axis_of(grid);
  const auto at = [](double centre, double mm, double spacing, int count) {
    return std::clamp(static_cast<int>(std::lround(centre + mm / spacing)), 0, count - 1);
  };
  const int i0 = at(axis.x, x0, grid.spacing.x, grid.nx), i1 = at(axis.x, x1, grid.spacing.x, grid.nx),
            j0 = at(axis.y, y0, grid.spacing.y, grid.ny), j1 = at(axis.y, y1, grid.spacing.y, grid.ny);
  Plane plane{"", i1 - i0 + 1, j1 - j0 + 1, grid.spacing.x, grid.spacing.y, {}};
  for (int j = j0; j <= j1; ++j)
    for (int i = i0; i <= i1; ++i) plane.values.push_back(slice(i, j, 0));
  return plane;
}

std::vector<SpeedPicture> pictures_of(const io::VolumeReader& volume, const std::optional<Truth>& truth) {
  const VolumeGrid& grid = volume.grid();
  const Array3<float> slice = volume.read(0, grid.nx, 0, grid.ny, grid.nz / 2, 1);
  const double half = 0.5 * grid.nx * grid.spacing.x;
  const double edge = truth ? truth->design.can_radius : 0.8 * half,
               core = truth ? truth->roll.inner + 3 * truth->roll.pitch : 0.25 * half,
               depth = truth ? 4 * truth->roll.pitch : 0.2 * half;
  std::vector<SpeedPicture> pictures;
  pictures.push_back({"middle slice", cut_out(slice, grid, -half, half, -half, half)});
  pictures.push_back({truth ? "mandrel" : "around the axis", cut_out(slice, grid, -core, core, -core, core)});
  pictures.push_back({truth ? "can" : "edge",
                      cut_out(slice, grid, edge - depth, edge + 0.3 * depth, -0.65 * depth, 0.65 * depth)});
  std::vector<Plane> planes = orthogonal_planes(volume, {grid.nx / 2, grid.ny / 2, grid.nz / 2});
  pictures.push_back({"upright", std::move(planes[1])});
  return pictures;
}

double difference(const SpeedVolumes& a, const SpeedVolumes& b) {
  if (&a == &b) return 0;
  const io::VolumeReader one(a.whole), other(b.whole);
  const Middle middle = middle_of(one.grid(), 1, most_slices);
  const Array3<float> p = slices_of(one, middle), q = slices_of(other, middle);
  double sum = 0;
  for (std::size_t n = 0; n < p.size(); ++n) sum += std::pow(double{p.data()[n]} - q.data()[n], 2);
  return std::sqrt(sum / static_cast<double>(p.size()));
}

}  // namespace

std::vector<SpeedMeasures> measure_speed(const std::vector<SpeedVolumes>& volumes,
                                         const std::optional<simulate::CellDesign>& cell, int threads) {
  ThreadPool pool(threads);
  std::vector<SpeedMeasures> all;
  std::optional<Truth> truth;
  for (const SpeedVolumes& of : volumes) {
    const io::VolumeReader volume(of.whole);
    const VolumeGrid& grid = volume.grid();
    if (cell && !truth) truth = truth_of(*cell, grid, pool);
    const Array3<float> slices = slices_of(volume, middle_of(grid, 1, most_slices));
    SpeedMeasures found;
    found.of = of, found.voxel = grid.spacing.x;
    const Spread spread = spread_near_axis(of, grid);
    found.noise = spread.random;
    found.difference = difference(volumes.front(), of);
    found.shells = shells_of(of, grid, pool);
    if (truth) found.cell = measure_cell(*truth, slices, spread);
    const Array3<float> mean = mean_slice(slices);
    const int j = static_cast<int>(std::lround(axis_of(grid).y));
    for (int i = 0; i < grid.nx; ++i) found.profile.push_back(mean(i, j, 0));
    found.profile_start = grid.origin.x;
    found.pictures = pictures_of(volume, truth);
    all.push_back(std::move(found));
  }
  return all;
}

std::string speed_table(const std::vector<SpeedMeasures>& all) {
  const double base = all.front().noise;
  std::string text = fmt::format("{:<18}{:>9}{:>9}{:>7}{:>11}{:>7}{:>11}{:>11}", "scan", "scan", "recon",
                                 "GUPS", "noise 1/mm", "ratio", "difference", "shells 1/mm");
  const bool cell = all.front().cell.has_value();
  if (cell)
    text += fmt::format("{:>10}{:>7}{:>10}{:>11}{:>10}{:>9}{:>8}{:>10}", "grain", "CNR", "bias an.",
                        "bias cath.", "MTF50/mm", "edge um", "traced", "radius um");
  text += '\n';
  for (const SpeedMeasures& one : all) {
    text += fmt::format("{:<18}{:>9}{:>9}{:>7.2f}{:>11.5f}{:>7.2f}{:>11.5f}{:>11.2f}", one.of.name,
                        one.of.exposure_s > 0 ? format_seconds(one.scan_seconds()) : "unknown",
                        format_seconds(one.of.seconds), one.of.gups, one.noise, one.noise / base,
                        one.difference, one.shells.resolved_frequency() / one.voxel);
    if (one.cell)
      text += fmt::format("{:>10.5f}{:>7.1f}{:>+10.4f}{:>+11.4f}{:>10.2f}{:>9.0f}{:>7.0f}%{:>10.1f}",
                          one.cell->grain, one.cell->contrast_to_noise, one.cell->anode_bias,
                          one.cell->cathode_bias, one.cell->can.frequency_at(0.5) / one.voxel,
                          1e3 * one.cell->can.width * one.voxel, 100 * one.cell->traced,
                          1e3 * one.cell->radius_error);
    text += '\n';
  }
  return text;
}

std::string speed_json(const std::vector<SpeedMeasures>& all, const std::string& how) {
  nlohmann::json scans = nlohmann::json::array();
  for (const SpeedMeasures& one : all) {
    nlohmann::json scan{{"name", one.of.name},
                        {"views", one.of.views},
                        {"exposure_s", one.of.exposure_s},
                        {"scan_s", one.scan_seconds()},
                        {"reconstruction_s", one.of.seconds},
                        {"gups", one.of.gups},
                        {"voxel_mm", one.voxel},
                        {"noise_per_mm", one.noise},
                        {"noise_ratio", one.noise / all.front().noise},
                        {"rms_difference_per_mm", one.difference},
                        {"shells_agree_to_per_mm", one.shells.resolved_frequency() / one.voxel},
                        {"shell_correlation", one.shells.values}};
    if (one.cell)
      scan["cell"] = {{"grain_per_mm", one.cell->grain},
                      {"anode_per_mm", one.cell->anode},
                      {"cathode_per_mm", one.cell->cathode},
                      {"anode_bias_per_mm", one.cell->anode_bias},
                      {"cathode_bias_per_mm", one.cell->cathode_bias},
                      {"contrast_to_noise", one.cell->contrast_to_noise},
                      {"mtf50_per_mm", one.cell->can.frequency_at(0.5) / one.voxel},
                      {"mtf10_per_mm", one.cell->can.frequency_at(0.1) / one.voxel},
                      {"edge_width_mm", one.cell->can.width * one.voxel},
                      {"windings_traced", one.cell->traced},
                      {"windings_invented", one.cell->invented},
                      {"winding_radius_error_mm", one.cell->radius_error}};
    scans.push_back(std::move(scan));
  }
  return nlohmann::json{{"how", how}, {"scans", scans}}.dump(1) + "\n";
}

}  // namespace feldspar::cli
