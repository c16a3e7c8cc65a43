// Of the plan and its report; nothing here decides anything.
#include "run/record.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <utility>

#include "base/units.hpp"
#include "base/version.hpp"
#include "run/options.hpp"

namespace feldspar::run {
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

io::Record reconstruction_record(const Reconstruction& work, const recon::FdkReport& report) {
  const auto& tally = report.tally;
  return {{"program", "feldspar"},
          {"version", feldspar::version},
          {"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
          {"command", typed_command()},
          {"algorithm", "FDK (Feldkamp, Davis, Kress 1984)"},
          {"filter", fmt::format("{}, cutoff {} of Nyquist", kernels::name_of(work.fdk.ramp.window),
                                 work.fdk.ramp.cutoff)},
          {"device", work.shop.backend->name()},
          {"merged_views", fmt::format("{}", work.fdk.projector.merging.views)},
          {"field_of_view_radius_mm", fmt::format("{}", work.fdk.projector.radius)},
          {"views", fmt::format("{}", work.setup.views.size())},
          {"slabs", fmt::format("{} slabs, {} views at a time, {}", work.slabs.slabs.size(),
                                work.slabs.views_per_batch, format_bytes(work.slabs.memory))},
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

/// With the names of all files as they are found from anywhere.
Request absolute(Request request) {
  for (std::filesystem::path* file : {&request.scan, &request.like, &request.context, &request.sample})
    if (!file->empty()) *file = std::filesystem::absolute(*file);
  return request;
}

/// Without what belongs to one run of it: its machine, its share, its file.
Plan stored_form(Plan plan) {
  plan.request = absolute(std::move(plan.request));
  plan.request.machine = {}, plan.request.share = {}, plan.request.output.clear();
  return plan;
}

}  // namespace

std::string configuration_of(const Request& request) {
  Request whole = absolute(request);
  std::string config = to_toml(whole);
  if (!whole.sample.empty()) config += toml_line("sample", whole.sample.string());
  return config;
}

io::VolumeRecord make_record(const Reconstruction& work, const recon::FdkReport& report, io::Record sample) {
  io::VolumeRecord record;
  const io::ScanDescription& about = work.source->description();
  record.title = about.name;
  const auto name = std::ranges::find(sample, "name", &std::pair<std::string, std::string>::first);
  record.sample_name = name == sample.end() ? about.name : name->second;
  if (name != sample.end()) sample.erase(name);
  record.sample = std::move(sample);
  record.instrument = instrument_record(about);
  for (const io::SourceField& field : work.source->fields())
    record.scan.emplace_back(fmt::format("{}/{}", field.section, field.name),
                             fmt::format("{} ({}{}{})", field.value, io::name_of(field.use),
                                         field.note.empty() ? "" : ": ", field.note));
  record.reconstruction = reconstruction_record(work, report);
  record.configuration = configuration_of(work.request());
  record.plan = store(stored_form(work.plan));
  record.findings = work.plan.findings;
  record.findings.insert(record.findings.end(), report.findings.begin(), report.findings.end());
  return record;
}

}  // namespace feldspar::run
