// feldspar convert: a scan of any format that can be read, written in another.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <numeric>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/memory.hpp"
#include "base/progress.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/options.hpp"
#include "io/create_scan.hpp"
#include "run/resolve.hpp"

namespace feldspar::cli {
namespace {

struct ConvertOptions {
  std::filesystem::path scan;
  io::ScanTarget target;
  RequestOptions input;
};

/// Views in batches of about 64 MiB, so that chunks of the source are unpacked once.
/// As many as fit into some memory.
int views_at_once(std::size_t image_bytes, int views) {
  constexpr std::size_t batch_bytes = 64 << 20;
  return static_cast<int>(
      std::clamp<std::size_t>(batch_bytes / image_bytes, 1, static_cast<std::size_t>(views)));
}

void copy_views(const io::ScanSource& source, io::ScanSink& sink) {
  const geometry::Detector& d = source.scan().detector;
  const int views = static_cast<int>(source.scan().angles.size());
  const std::size_t image_bytes = static_cast<std::size_t>(d.columns) * static_cast<std::size_t>(d.rows) *
                                  io::bytes_of(source.count_type());
  const int at_once = views_at_once(image_bytes, views);
  const Block block(image_bytes * static_cast<std::size_t>(at_once), "the views that are copied");
  Progress progress(console_progress());
  progress.expect(views);
  for (int first = 0; first < views; first += at_once) {
    std::vector<int> batch(static_cast<std::size_t>(std::min(at_once, views - first)));
    std::iota(batch.begin(), batch.end(), first);
    source.read(batch, {{0, d.columns}, {0, d.rows}}, block.data());
    for (std::size_t n = 0; n < batch.size(); ++n) {
      sink.write_view(batch[n], static_cast<const std::byte*>(block.data()) + n * image_bytes);
      progress.advance(1, "converting");
    }
  }
}

void run_convert(ConvertOptions options) {
  io::ScanTarget& target = options.target;
  if (target.format.empty()) target.format = io::format_of(target.path);
  if (target.format.empty())
    throw Error(ErrorKind::usage, fmt::format("{}: its name does not tell the format; give --format {}",
                                              target.path.string(), fmt::join(io::scan_formats(), "|")));
  run::Request request = options.input.request();
  request.scan = options.scan;
  const auto source = run::open_source(request, {{}, io::outputs_of(target), target.overwrite});
  for (const Finding& finding : source->findings()) log(finding);
  const auto sink = io::create_scan(target, {.scan = source->scan(),
                                             .type = source->count_type(),
                                             .references = source->references(),
                                             .description = source->description(),
                                             .findings = source->findings()});
  copy_views(*source, *sink);
  sink->finish();
  if (!source->fields().empty())
    log_info(
        fmt::format("{}: pixels, geometry, flats and darks (their mean) and the facts of `feldspar info` "
                    "are kept; other fields of the source ({} in all, `feldspar info --fields`) are not",
                    target.path.string(), source->fields().size()));
  std::cout << fmt::format("{}\n", target.path.string());
}

}  // namespace

void add_convert_command(CLI::App& program) {
  const auto options = std::make_shared<ConvertOptions>();
  CLI::App* command =
      program.add_subcommand("convert", "Write a scan in another format: pixels and geometry exactly");
  command->add_option("scan", options->scan, "Scan to read: a file or folder of any known format")
      ->required()
      ->type_name("SCAN");
  command
      ->add_option("output", options->target.path, "File (.nxs, .h5, .txrm) or folder (nikon, tiff) to write")
      ->required()
      ->type_name("OUT");
  command
      ->add_option("--format", options->target.format,
                   "nikon, zeiss, nxtomo, dxchange or tiff (default: nxtomo for .nxs, dxchange for .h5)")
      ->check(CLI::IsMember(io::scan_formats()));
  command->add_option("--name", options->target.name, "Name of a Nikon scan's files (default: the scan's)");
  command->add_flag("--overwrite", options->target.overwrite, "Replace what an earlier run wrote there");
  options->input.add(*command, {run::Topic::input}, {"scan", "views", "sample"});
  command->footer(
      "Examples:\n"
      "  feldspar convert my_scan my_scan.nxs\n"
      "  feldspar convert scan.toml my_scan --format nikon");
  command->callback([options] { run_convert(*options); });
}

}  // namespace feldspar::cli
