// `feldspar compare`: how a second volume lies in a first, and how they differ, as numbers, pictures and a
// page.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/findings.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/options.hpp"
#include "cli/report/comparison.hpp"
#include "cli/report/findings.hpp"
#include "cli/report/line_plot.hpp"
#include "cli/report/page.hpp"
#include "io/output_rule.hpp"
#include "io/partial_file.hpp"
#include "run/transform.hpp"
#include "run/workshop.hpp"

namespace feldspar::cli {
namespace {

namespace fs = std::filesystem;

struct CompareCommand {
  fs::path first, second, output;
  std::string transform, start, at;
  bool rigid = false, densest = false, json = false, overwrite = false;
  RequestOptions machine;
  int max_size = 1600;
};

struct NamedPicture {
  std::string name, title, png;
};

/// Second less first.
std::vector<Plane> differences(const PlanePair& pair) {
  std::vector<Plane> planes = pair.second;
  for (std::size_t n = 0; n < planes.size(); ++n)
    for (std::size_t i = 0; i < planes[n].values.size(); ++i) planes[n].values[i] -= pair.first[n].values[i];
  return planes;
}

/// Grey is no difference.
GreyWindow difference_window(const std::vector<Plane>& planes) {
  const GreyWindow range = window_of(planes);
  const double most = std::max({std::abs(range.black), std::abs(range.white), 1e-9});
  return {-most, most};
}

/// What both have is grey, what only the first has magenta, and what only the second has green.
io::ColourPicture overlay_of(const io::GreyPicture& first, const io::GreyPicture& second) {
  io::ColourPicture picture{first.width, first.height, {}};
  picture.pixels.reserve(3 * first.pixels.size());
  for (std::size_t n = 0; n < first.pixels.size(); ++n)
    picture.pixels.insert(picture.pixels.end(), {first.pixels[n], second.pixels[n], first.pixels[n]});
  return picture;
}

std::vector<NamedPicture> pictures_of(const PlanePair& pair, const std::string& suffix,
                                      const std::string& where, int picture_size) {
  const GreyWindow window = window_of(pair.first);
  const std::vector<Plane> difference = differences(pair);
  const io::GreyPicture first = draw_planes(pair.first, window, picture_size),
                        second = draw_planes(pair.second, window, picture_size);
  return {{"overlay" + suffix, "Overlay " + where + ": the first magenta, the second green, both grey",
           io::png_bytes(overlay_of(first, second))},
          {"difference" + suffix, "Second less first " + where,
           io::png_bytes(draw_planes(difference, difference_window(difference), picture_size))},
          {"first" + suffix, "First " + where, io::png_bytes(first)},
          {"second" + suffix, "Second, on the first's voxels, " + where, io::png_bytes(second)}};
}

LinePlot histogram_plot(const Comparison& c) {
  LinePlot plot{"1/mm", "share of the voxels", {{"first", {}, {}}, {"second", {}, {}}}, 0, 0};
  for (std::size_t n = 0; n < c.histograms.first.size(); ++n) {
    const double x = c.histograms.lowest + (static_cast<double>(n) + 0.5) * c.histograms.step;
    plot.curves[0].x.push_back(x), plot.curves[0].y.push_back(c.histograms.first[n]);
    plot.curves[1].x.push_back(x), plot.curves[1].y.push_back(c.histograms.second[n]);
    plot.highest = std::max({plot.highest, c.histograms.first[n], c.histograms.second[n]});
  }
  return plot;
}

nlohmann::json numbers(geometry::Vec3 v) { return {v.x, v.y, v.z}; }

geometry::Vec3 degrees_of(const geometry::Similarity& t) {
  return (1 / radians_per_degree) * geometry::vector_of(t.rotation);
}

/// "fresh.h5 (capacity_Ah 3.4, cycle 0, name M-04)".
std::string named(const fs::path& volume) {
  std::string text;
  for (const auto& [key, value] : io::VolumeReader(volume).record("sample"))
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, value);
  return text.empty() ? volume.string() : fmt::format("{} ({})", volume.string(), text);
}

nlohmann::json sample_json(const fs::path& volume) {
  nlohmann::json sample = nlohmann::json::object();
  for (const auto& [key, value] : io::VolumeReader(volume).record("sample")) sample[key] = value;
  return sample;
}

nlohmann::json json_of(const CompareCommand& options, const Comparison& c) {
  const recon::registration::Alignment& a = c.alignment;
  nlohmann::json transform{{"scale", a.transform.scale},
                           {"rotation_deg", numbers(degrees_of(a.transform))},
                           {"shift_mm", numbers(a.transform.shift)}};
  if (options.transform.empty())
    transform.update({{"scale_error", a.scale_error},
                      {"turn_error_deg", a.turn_error / radians_per_degree},
                      {"shift_error_mm", a.shift_error},
                      {"correlation", a.correlation},
                      {"overlap", a.overlap},
                      {"gain", a.gain},
                      {"offset_per_mm", a.offset}});
  return {{"first", options.first.string()},
          {"second", options.second.string()},
          {"first_sample", sample_json(options.first)},
          {"second_sample", sample_json(options.second)},
          {"second_in_first", transform},
          {"voxels", c.voxels},
          {"mean_difference_per_mm", c.mean_difference},
          {"rms_difference_per_mm", c.rms_difference},
          {"correlation", c.correlation},
          {"most_different",
           {{"at_mm", numbers(c.spot)},
            {"average_over_mm", c.spot_size},
            {"difference_per_mm", c.spot_difference}}},
          {"findings", cli::json_of(a.findings)}};
}

std::vector<std::pair<std::string, std::string>> table_of(const CompareCommand& options,
                                                          const Comparison& c) {
  const recon::registration::Alignment& a = c.alignment;
  std::vector<std::pair<std::string, std::string>> rows{{"first", named(options.first)},
                                                        {"second", named(options.second)},
                                                        {"second in first", run::describe(a.transform)}};
  if (options.transform.empty()) {
    rows.emplace_back("uncertain by",
                      fmt::format("scale {:.6f}, turn {:.3f} deg, shift {:.4f} mm (one standard deviation)",
                                  a.scale_error, a.turn_error / radians_per_degree, a.shift_error));
    rows.emplace_back("grey values", fmt::format("first = {:.4f} x second {:+.5f} 1/mm", a.gain, a.offset));
  }
  rows.emplace_back("second - first", fmt::format("{:+.6f} 1/mm on average, {:.6f} rms, over {} voxels",
                                                  c.mean_difference, c.rms_difference, c.voxels));
  rows.emplace_back("correlation", fmt::format("{:.5f}", c.correlation));
  rows.emplace_back("most different",
                    fmt::format("{:+.5f} 1/mm over {:.2f} mm at {:.2f}, {:.2f}, {:.2f} mm", c.spot_difference,
                                c.spot_size, c.spot.x, c.spot.y, c.spot.z));
  return rows;
}

std::string transform_file(const CompareCommand& options, const geometry::Similarity& t) {
  const geometry::Vec3 r = degrees_of(t);
  return fmt::format(
      "# Where the object of the second volume lies in the first, for `feldspar recon --transform`:\n"
      "# first = scale * rotation * second + shift.\n"
      "{}{}scale = {:.10f}\nrotation_deg = [{:.10f}, {:.10f}, {:.10f}]  # along the axis it turns about\n"
      "shift_mm = [{:.10f}, {:.10f}, {:.10f}]\n",
      run::toml_line("first", fs::absolute(options.first).string()),
      run::toml_line("second", fs::absolute(options.second).string()), t.scale, r.x, r.y, r.z, t.shift.x,
      t.shift.y, t.shift.z);
}

void write_report(const CompareCommand& options, const Comparison& c) {
  std::vector<NamedPicture> pictures =
      pictures_of(c.planes[0], "", "through the chosen place", options.max_size);
  for (NamedPicture& picture : pictures_of(c.planes[1], "_most", "where they differ most", options.max_size))
    pictures.push_back(std::move(picture));
  std::string body = "<table>\n";
  for (const auto& [name, value] : table_of(options, c))
    body += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escaped(name), escaped(value));
  body += "</table>\n";
  for (const Finding& finding : c.alignment.findings)
    body += fmt::format("<p>{}</p>\n", escaped(shown(finding)));
  for (const NamedPicture& picture : pictures) {
    io::write_file(options.output / (picture.name + ".png"), picture.png, options.overwrite);
    body += fmt::format("<h2>{0}</h2>\n<img alt=\"{0}\" src=\"{1}\" style=\"max-width:100%\">\n",
                        escaped(picture.title), embedded(picture.png));
  }
  body += "<h2>Histograms</h2>\n" + draw_lines(histogram_plot(c));
  const auto write = [&](const char* name, const std::string& text) {
    io::write_file(options.output / name, text, options.overwrite);
  };
  write("report.html", page("Two volumes compared", body));
  write("report.json",
        json_of(options, c).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  write("transform.toml", transform_file(options, c.alignment.transform));
}

/// What write_report() makes, and what it is made from.
io::RunFiles files_of(const CompareCommand& options) {
  io::RunFiles files{.inputs = {options.transform, options.start},
                     .outputs = {{options.output, io::Output::Kind::shelf}},
                     .overwrite = options.overwrite};
  for (const fs::path& volume : {options.first, options.second})
    std::ranges::move(io::VolumeReader(volume).files(), std::back_inserter(files.inputs));
  for (const char* name : {"report.html", "report.json", "transform.toml"})
    files.outputs.push_back({options.output / name});
  for (const char* name : {"overlay", "difference", "first", "second"})
    for (const char* suffix : {".png", "_most.png"})
      files.outputs.push_back({options.output / (std::string(name) + suffix)});
  return files;
}

void run(const CompareCommand& options) {
  CompareOptions how{.align = {.rigid = options.rigid,
                               .densest = options.densest,
                               .start = run::parse_transform(options.start, "--start")},
                     .transform = run::parse_transform(options.transform, "--transform"),
                     .at = {}};
  if (!options.at.empty()) {
    const auto parts = run::split_list(options.at, 3, "--at");
    how.at = {parse_length_mm(parts[0], "--at x"), parse_length_mm(parts[1], "--at y"),
              parse_length_mm(parts[2], "--at z")};
  }
  const io::VolumeReader first(options.first), second(options.second);
  const run::Workshop shop = run::open_workshop(options.machine.request().machine);
  run::require_memory(*shop.budget, comparison_bytes(first.grid(), second.grid()), "comparing these volumes");
  io::check_outputs(files_of(options));
  std::error_code failed;
  fs::create_directory(options.output, failed);
  if (failed)
    throw Error(ErrorKind::io,
                fmt::format("{}: cannot be made: {}", options.output.string(), failed.message()));
  ThreadPool pool(shop.threads);
  Progress progress(console_progress());
  const Comparison comparison = compare(first, second, how, pool, progress);
  for (const Finding& finding : comparison.alignment.findings) log(finding);
  write_report(options, comparison);
  if (options.json) {
    std::cout << json_of(options, comparison).dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
    return;
  }
  for (const auto& [name, value] : table_of(options, comparison))
    std::cout << fmt::format("{:<16}{}\n", name, value);
  std::cout << fmt::format("{}\n", (options.output / "report.html").string());
}

}  // namespace

void add_compare_command(CLI::App& program) {
  auto options = std::make_shared<CompareCommand>();
  CLI::App* command =
      program.add_subcommand("compare", "Find how one volume lies in another, and show how they differ");
  command->footer(
      "Examples:\n"
      "  feldspar compare fresh.h5 aged.h5 -o report\n"
      "  feldspar recon aged.xtekct --like fresh.h5 --transform report/transform.toml -o moved.h5\n"
      "  feldspar compare fresh.h5 moved.h5 --transform 1,0,0,0,0,0,0 -o again");
  command->add_option("first", options->first, "The volume on whose voxels both are compared")
      ->required()
      ->type_name("FIRST.h5");
  command->add_option("second", options->second, "The volume that is moved")
      ->required()
      ->type_name("SECOND.h5");
  command
      ->add_option("-o,--output", options->output,
                   "Folder for report.html, report.json, transform.toml and the pictures")
      ->required();
  command->add_option("--transform", options->transform,
                      "Where the second lies, instead of finding it: a transform.toml, or "
                      "SCALE,RX,RY,RZ,X,Y,Z (rotation vector, shift)");
  command->add_option("--start", options->start, "Where to begin to look, in the same forms");
  command->add_flag("--rigid", options->rigid, "Both have the same scale");
  command->add_flag("--by-densest", options->densest,
                    "Align by what is above half of the brightest only, as a can whose contents have moved");
  command->add_option("--at", options->at, "Where the planes to be drawn meet: X,Y,Z (default: the middle)");
  command->add_option("--max-size", options->max_size, "Pixels a picture may be wide and high")
      ->check(CLI::Range(100, 30000))
      ->capture_default_str();
  options->machine.add(*command, {run::Topic::machine}, {"device", "gpu-memory"});
  command->add_flag("--overwrite", options->overwrite, "Replace an earlier report in the folder");
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->callback([options] { run(*options); });
}

}  // namespace feldspar::cli
