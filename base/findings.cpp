#include "base/findings.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"

namespace feldspar {
namespace {

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return text;
}

void append(std::string& data, std::string_view cell) {
  if (!data.empty()) data += '\t';
  data += one_line(std::string(cell));
}

/// Takes the text up to the next `end`, or all.
std::string_view take(std::string_view& text, char end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return taken;
}

Finding finding_in(const std::string& text, std::string_view data) {
  const FindingCode code = FindingCode::find(take(data, '\t'), "version.other");
  const std::string_view severity = take(data, '\t'), field = take(data, '\t');
  Finding finding(code, text, std::string(field), remedies_in(data));
  if (severity == name_of(Severity::note)) finding.severity = Severity::note;
  return finding;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) lines.emplace_back(take(text, '\n'));
  return lines;
}

}  // namespace

const char* name_of(Severity severity) noexcept { return severity == Severity::note ? "note" : "warning"; }

Finding::Finding(FindingCode kind, std::string what, std::string about, Remedies ways_out)
    : code(kind),
      severity(kind.element().severity),
      text(one_line(std::move(what))),
      field(std::move(about)),
      remedies(std::move(ways_out)) {}

std::vector<std::string> texts_of(const Findings& findings) {
  std::vector<std::string> texts;
  for (const Finding& finding : findings) texts.push_back(finding.text);
  return texts;
}

std::string data_of(const Remedies& remedies) {
  std::string data;
  for (const Remedy& remedy : remedies) {
    append(data, remedy.option.name());
    append(data, remedy.value);
    append(data, remedy.words);
  }
  return data;
}

std::vector<std::string> data_of(const Findings& findings) {
  std::vector<std::string> data;
  for (const Finding& finding : findings) {
    std::string line(finding.code.name());
    append(line, name_of(finding.severity));
    append(line, finding.field);
    if (!finding.remedies.empty()) line += '\t' + data_of(finding.remedies);
    data.push_back(std::move(line));
  }
  return data;
}

Findings findings_in(const std::vector<std::string>& texts, const std::vector<std::string>& data) {
  Findings findings;
  for (std::size_t n = 0; n < texts.size(); ++n)
    findings.push_back(finding_in(texts[n], n < data.size() ? std::string_view(data[n]) : ""));
  return findings;
}

Remedies remedies_in(std::string_view data) {
  Remedies remedies;
  while (!data.empty()) {
    const std::string_view option = take(data, '\t'), value = take(data, '\t'), words = take(data, '\t');
    if (OptionName::has(option))
      remedies.push_back({OptionName::find(option, "memory"), std::string(value), std::string(words)});
  }
  return remedies;
}

Findings findings_in_lines(std::string_view texts, std::string_view data) {
  Findings findings = findings_in(lines_of(texts), lines_of(data));
  std::erase_if(findings, [](const Finding& finding) { return finding.text.empty(); });
  return findings;
}

void log(const Finding& finding) {
  const bool warns = finding.severity == Severity::warning;
  log(warns ? LogLevel::warning : LogLevel::info, warns ? finding.text : "note: " + finding.text,
      finding.remedies);
}

}  // namespace feldspar
