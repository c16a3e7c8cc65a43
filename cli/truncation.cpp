#include "cli/truncation.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "base/error.hpp"
#include "base/units.hpp"
#include "cli/options.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/truncation/context_match.hpp"

namespace feldspar::cli {
namespace {

constexpr double truncated =
    0.05;  // share of the rows from which on an object counts as wider than the detector

bool is_given(const TruncationOptions& options) {
  return !options.outline.empty() || !options.context.empty();
}

recon::Extension by_context(const TruncationOptions& options, const TruncationCase& of, Findings& findings) {
  const io::VolumeReader file(options.context);
  const recon::WideVolume wide{
      file.grid(), [&](int y, int ny, int z, int nz) { return file.read(0, file.grid().nx, y, ny, z, nz); }};
  const recon::Placement placement =
      options.context_at.empty() ? recon::Placement{} : parse_placement(options.context_at);
  std::optional<recon::Outline> mask;
  if (!options.outline.empty()) mask = parse_outline(options.outline);
  auto context = std::make_shared<recon::Context>(wide, placement, of.setup.views, of.setup.rows,
                                                  context_resolution(of.scan), mask, &of.resources.budget);
  const recon::ContextMatch match =
      recon::match_context(of.source, of.scan, of.setup.view_indices, of.resources, *context);
  context->scale(match.gain);
  recon::Extension extension = recon::extend_by_context(of.setup, context);
  findings.push_back(fmt::format(
      "rows are continued by {} and {} columns with projections of {} in voxels of {}, times {:.4f}; line "
      "integrals that both see agree to {:.1f} %",
      extension.rows.left, extension.rows.right, options.context.string(),
      format_length_mm(context->grid().spacing.x), match.gain, 100 * match.mismatch));
  findings.insert(findings.end(), context->findings().begin(), context->findings().end());
  constexpr double most = 0.15;
  if (match.mismatch > most)
    findings.push_back(
        "the wide volume does not look like this scan where both see: check --context-at and the noise");
  return extension;
}

recon::Extension by_outline(const recon::Outline& outline, const TruncationCase& of, const char* which,
                            Findings& findings) {
  recon::Extension extension = recon::extend_by_outline(of.setup, outline);
  if (extension.rows.left + extension.rows.right == 0)
    throw Error(
        ErrorKind::usage,
        fmt::format("a cylinder of {:.2f} mm at x {:.2f}, y {:.2f} mm ends within the detector, but the "
                    "object reaches over its edge; check the --outline",
                    2 * outline.radius, outline.x + 0.0, outline.y + 0.0));
  findings.push_back(
      fmt::format("rows are continued by {} and {} columns with the chords of {} cylinder of {:.2f} mm at x "
                  "{:.2f}, y {:.2f} mm, scaled to the rows' edges",
                  extension.rows.left, extension.rows.right, which, 2 * outline.radius, outline.x + 0.0,
                  outline.y + 0.0));
  return extension;
}

}  // namespace

void add_truncation_options(CLI::App& command, TruncationOptions& options) {
  command
      .add_option(
          "--truncation", options.treatment,
          "An object wider than the detector: auto continues its rows beyond it, off takes them for air")
      ->check(CLI::IsMember({"auto", "off"}))
      ->capture_default_str();
  command.add_option("--outline", options.outline,
                     "The object's outline, to continue rows by, as cylinder:18.3mm@-5mm,0mm (diameter, and "
                     "where its axis stands)");
  command.add_option("--context", options.context,
                     "A reconstruction of the wider object (.h5), to continue rows by its projections");
  command.add_option("--context-at", options.context_at,
                     "Where in it this scan's origin is, as 5mm,0mm,0mm, and by how much it is turned, as "
                     ",12deg");
}

double context_resolution(const geometry::CircularScan& scan) {
  return geometry::field_of_view(scan).inner_radius / 16;
}

recon::Outline parse_outline(const std::string& text) {
  const std::string shape = "cylinder:";
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::usage,
                fmt::format("--outline: '{}' {}; write for example cylinder:18.3mm@-5mm,0mm", text, why));
  };
  if (!text.starts_with(shape)) refuse("is no outline");
  const std::size_t at = text.find('@');
  const double diameter = parse_length_mm(text.substr(shape.size(), at - shape.size()), "--outline");
  if (!(diameter > 0)) refuse("has no positive diameter");
  recon::Outline outline{.radius = 0.5 * diameter};
  if (at == std::string::npos) return outline;
  const auto place = split_list(text.substr(at + 1), 2, "--outline");
  outline.x = parse_length_mm(place[0], "--outline"), outline.y = parse_length_mm(place[1], "--outline");
  return outline;
}

recon::Placement parse_placement(const std::string& text) {
  const auto commas = static_cast<std::size_t>(std::count(text.begin(), text.end(), ','));
  const auto parts = split_list(text, commas == 3 ? 4 : 3, "--context-at");
  recon::Placement placement;
  placement.shift = {parse_length_mm(parts[0], "--context-at"), parse_length_mm(parts[1], "--context-at"),
                     parse_length_mm(parts[2], "--context-at")};
  if (parts.size() == 4) placement.turn = parse_angle_rad(parts[3], "--context-at");
  return placement;
}

std::shared_ptr<const recon::Extension> make_extension(const TruncationOptions& options,
                                                       const TruncationCase& of, Findings& findings) {
  if (options.treatment == "off" && is_given(options))
    throw Error(
        ErrorKind::usage,
        "--truncation off and --outline or --context exclude each other: the latter say how to treat it");
  if (!options.context_at.empty() && options.context.empty())
    throw Error(ErrorKind::usage, "--context-at says where in a wide volume; name it with --context");
  const bool is_truncated = of.inspection.truncated_share > truncated;
  if (!is_truncated && !is_given(options)) return nullptr;
  const std::string found = fmt::format("the object reaches over the detector's edge in {:.0f} % of its rows",
                                        100 * of.inspection.truncated_share);
  const std::string too_high =
      "attenuation near the edge of the field of view, and its level inside, will be too high";
  if (options.treatment == "off" || of.setup.displaced) {
    findings.push_back(
        fmt::format("{}: {}{}", found, too_high,
                    of.setup.displaced ? "; rows of a displaced detector are not continued" : ""));
    return nullptr;
  }
  if (is_truncated) findings.push_back(found);
  if (!options.context.empty()) return std::make_shared<recon::Extension>(by_context(options, of, findings));
  if (!options.outline.empty())
    return std::make_shared<recon::Extension>(
        by_outline(parse_outline(options.outline), of, "the given", findings));
  const double half_width = geometry::field_of_view(of.scan).inner_radius;
  const recon::Outline guess{.radius = recon::radius_from_edges(of.inspection.edge_share, half_width)};
  auto extension = std::make_shared<recon::Extension>(by_outline(guess, of, "a guessed", findings));
  findings.push_back(
      "the level of attenuation is uncertain: give --outline, or better --context with a wide volume");
  return extension;
}

}  // namespace feldspar::cli
