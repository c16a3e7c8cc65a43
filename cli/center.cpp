// `feldspar center`: where the rotation axis stands, from the projections.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <numbers>

#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "io/open_scan.hpp"
#include "recon/center.hpp"

namespace feldspar::cli {
namespace {

constexpr double degree = std::numbers::pi / 180;

struct CenterOptions {
  std::filesystem::path scan;
  io::OpenOptions open;
  std::string views;
  int rows = 9;
  bool json = false;
};

nlohmann::json as_json(const recon::CenterEstimate& found, const geometry::RotationAxis& stated) {
  nlohmann::json rows = nlohmann::json::array();
  for (const recon::RowCenter& row : found.rows)
    rows.push_back({{"row", row.row},
                    {"height_mm", row.height},
                    {"offset_mm", row.offset},
                    {"uncertainty_mm", row.uncertainty}});
  return {{"metadata", {{"offset_mm", stated.offset}, {"roll_deg", stated.roll / degree}}},
          {"reverse_rays",
           {{"offset_mm", found.axis.offset},
            {"offset_uncertainty_mm", found.offset_uncertainty},
            {"roll_known", found.roll_known},
            {"roll_deg", found.axis.roll / degree},
            {"roll_uncertainty_deg", found.roll_uncertainty / degree},
            {"difference_pixels", found.metadata_difference},
            {"rows", rows}}},
          {"pixel_mm", found.pixel},
          {"findings", found.findings}};
}

void print(const recon::CenterEstimate& found, const geometry::RotationAxis& stated) {
  std::cout << fmt::format("metadata      offset {:.4f} mm, roll {:.3f} deg\n", stated.offset,
                           stated.roll / degree);
  std::cout << fmt::format(
      "reverse rays  offset {:.4f} +- {:.4f} mm ({:+.2f} +- {:.2f} pixels of {:.4f} mm from the "
      "metadata)\n",
      found.axis.offset, found.offset_uncertainty, found.metadata_difference,
      found.offset_uncertainty / found.pixel, found.pixel);
  if (found.roll_known)
    std::cout << fmt::format("              roll {:.3f} +- {:.3f} deg from {} rows\n",
                             found.axis.roll / degree, found.roll_uncertainty / degree, found.rows.size());
  else
    std::cout << fmt::format("              roll unknown: {} row{} could be used\n", found.rows.size(),
                             found.rows.size() == 1 ? "" : "s");
  std::cout << fmt::format("to use it     --axis-offset {:.5f}mm", found.axis.offset);
  if (found.roll_known) std::cout << fmt::format(" --axis-roll {:.4f}deg", found.axis.roll / degree);
  std::cout << '\n';
}

void run(const CenterOptions& options) {
  const auto source = io::open_scan(options.scan, options.open);
  const geometry::CircularScan& scan = source->scan();
  const std::vector<int> views = parse_views(options.views, static_cast<int>(scan.angles.size()));
  const recon::CenterEstimate found = recon::find_center(*source, scan, views, options.rows);
  for (const std::string& finding : source->findings()) log_warning(finding);
  for (const std::string& finding : found.findings) log_warning(finding);
  if (options.json)
    std::cout << as_json(found, scan.axis).dump(2) << '\n';
  else
    print(found, scan.axis);
}

}  // namespace

void add_center_command(CLI::App& program) {
  auto options = std::make_shared<CenterOptions>();
  CLI::App* command = program.add_subcommand("center", "Find the rotation axis of a scan in its projections");
  command->footer("Example: feldspar center Cell01.xtekct");
  command->add_option("scan,--scan", options->scan, "The scan: its file (.xtekct, .txrm, .nxs) or folder")
      ->required();
  add_open_options(*command, options->open);
  command->add_option("--views", options->views, "Only these views, as first:end:step");
  command->add_option("--rows", options->rows, "Detector rows to look at")
      ->check(CLI::Range(1, 99))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->callback([options] { run(*options); });
}

}  // namespace feldspar::cli
