// Of the job, its report and the options; nothing here decides anything.
#include "cli/volume_record.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <utility>

#include "base/units.hpp"

namespace feldspar::cli {
namespace {

/// The command as it was typed, for the record.
std::string typed_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string words;
  for (std::string word; std::getline(file, word, '\0');) words += (words.empty() ? "" : " ") + word;
  return words;
}

io::Record instrument_record(const io::ScanDescription& d) {
  io::Record record{{"format", d.format}, {"name", d.instrument}};
  if (d.voltage_kv > 0) record.emplace_back("voltage_kV", fmt::format("{}", d.voltage_kv));
  if (d.current_ua > 0) record.emplace_back("current_uA", fmt::format("{}", d.current_ua));
  if (d.exposure_s > 0) record.emplace_back("exposure_s", fmt::format("{}", d.exposure_s));
  if (!d.filter.empty()) record.emplace_back("filter", d.filter);
  if (!d.date.empty()) record.emplace_back("date", d.date);
  return record;
}

io::Record reconstruction_record(const Job& job, const recon::FdkReport& report) {
  const auto& tally = report.tally;
  return {{"program", "feldspar"},
          {"version", FELDSPAR_VERSION},
          {"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
          {"command", typed_command()},
          {"algorithm", "FDK (Feldkamp, Davis, Kress 1984)"},
          {"filter", fmt::format("{}, cutoff {} of Nyquist", kernels::name_of(job.fdk.ramp.window),
                                 job.fdk.ramp.cutoff)},
          {"device", job.shop.backend->name()},
          {"merged_views", fmt::format("{}", job.fdk.projector.merging.views)},
          {"field_of_view_radius_mm", fmt::format("{}", job.fdk.projector.radius)},
          {"views", fmt::format("{}", job.setup.views.size())},
          {"plan", fmt::format("{} slabs, {} views at a time, {}", job.plan.slabs.size(),
                               job.plan.views_per_batch, format_bytes(job.plan.memory))},
          {"time_total_s", fmt::format("{:.2f}", report.total_s)},
          {"time_read_s", fmt::format("{:.2f}", report.read_s)},
          {"time_attenuation_s", fmt::format("{:.2f}", report.attenuation_s)},
          {"time_correction_s", fmt::format("{:.2f}", report.correction_s)},
          {"time_rectification_s", fmt::format("{:.2f}", report.rectification_s)},
          {"time_filter_s", fmt::format("{:.2f}", report.filter_s)},
          {"time_back_projection_s", fmt::format("{:.2f}", report.back_projection_s)},
          {"time_write_s", fmt::format("{:.2f}", report.write_s)},
          {"pixels", fmt::format("{}", tally.pixels)},
          {"pixels_floored", fmt::format("{}", tally.floored)},
          {"pixels_saturated", fmt::format("{}", tally.saturated)},
          {"pixels_dead", fmt::format("{}", tally.dead)},
          {"pixels_not_finite", fmt::format("{}", tally.not_finite)}};
}

}  // namespace

io::VolumeRecord make_record(const Job& job, const recon::FdkReport& report, const std::string& config,
                             io::Record sample) {
  io::VolumeRecord record;
  const io::ScanDescription& about = job.source->description();
  record.title = about.name;
  const auto name = std::ranges::find(sample, "name", &std::pair<std::string, std::string>::first);
  record.sample_name = name == sample.end() ? about.name : name->second;
  if (name != sample.end()) sample.erase(name);
  record.sample = std::move(sample);
  record.instrument = instrument_record(about);
  for (const io::SourceField& field : job.source->fields())
    record.scan.emplace_back(fmt::format("{}/{}", field.section, field.name),
                             fmt::format("{} ({}{}{})", field.value, io::name_of(field.use),
                                         field.note.empty() ? "" : ": ", field.note));
  record.reconstruction = reconstruction_record(job, report);
  record.configuration = config;
  record.findings = job.findings;
  record.findings.insert(record.findings.end(), report.findings.begin(), report.findings.end());
  return record;
}

}  // namespace feldspar::cli
