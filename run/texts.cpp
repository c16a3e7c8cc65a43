#include "run/texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "run/options.hpp"

namespace feldspar::run {

void refuse(const std::string& what, const std::string& text, const std::string& why) {
  throw Error(ErrorKind::usage, fmt::format("{}: '{}' {}", what, text, why));
}

std::string text_of_length(double millimetres) { return fmt::format("{}mm", millimetres); }

std::string text_of_angle(double radians) {
  const std::string degrees = fmt::format("{:.10g}deg", radians / radians_per_degree);
  return parse_angle_rad(degrees, "angle") == radians ? degrees : fmt::format("{}rad", radians);
}

double parse_in_range(const std::string& text, double lowest, double highest, const char* kind,
                      const std::string& what) {
  double value = 0;
  if (!parse_number(text, value)) refuse(what, text, "is no plain number, as 0.5 or 60000");
  if (!(value >= lowest && value <= highest)) refuse(what, text, fmt::format("is not {}", kind));
  return value;
}

int parse_whole(const std::string& text, int lowest, int highest, const std::string& what) {
  double value = 0;
  if (!parse_number(text, value)) refuse(what, text, "is no plain number, as 0.5 or 60000");
  if (!(value >= lowest && value <= highest) || value != static_cast<int>(value))
    refuse(what, text, fmt::format("is no whole number from {} to {}", lowest, highest));
  return static_cast<int>(value);
}

std::vector<std::string> split_list(const std::string& text, std::size_t count, const std::string& what) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  if (parts.size() != count) refuse(what, text, fmt::format("must be {} values separated by commas", count));
  return parts;
}

ViewRange parse_view_range(const std::string& text, const std::string& what) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ':')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  const auto number = [&](std::size_t n, std::optional<int> otherwise) {
    if (n >= parts.size() || parts[n].empty()) return otherwise;
    int value = 0;
    const char* const end = parts[n].data() + parts[n].size();
    const auto [stop, error] = std::from_chars(parts[n].data(), end, value);
    if (error != std::errc{} || stop != end)
      refuse(what, text, "is not understood; write first:end:step, as 0:3176:2");
    return std::optional(value);
  };
  if (parts.size() < 2 || parts.size() > 3)
    refuse(what, text, "is not understood; write first:end:step, as 0:3176:2");
  const ViewRange range{*number(0, 0), number(1, std::nullopt), *number(2, 1)};
  if (range.first < 0 || range.step < 1 || (range.end && *range.end <= range.first))
    refuse(what, text, "leaves no view");
  return range;
}

recon::Outline parse_outline(const std::string& text, const std::string& what) {
  const std::string shape = "cylinder:", example = "; write for example cylinder:18.3mm@-5mm,0mm";
  if (!text.starts_with(shape)) refuse(what, text, fmt::format("is no outline{}", example));
  const std::size_t at = text.find('@');
  const double diameter = parse_length_mm(text.substr(shape.size(), at - shape.size()), what);
  if (!(diameter > 0)) refuse(what, text, fmt::format("has no positive diameter{}", example));
  recon::Outline outline{.radius = 0.5 * diameter};
  if (at == std::string::npos) return outline;
  const auto place = split_list(text.substr(at + 1), 2, what);
  outline.x = parse_length_mm(place[0], what), outline.y = parse_length_mm(place[1], what);
  return outline;
}

std::string text_of(const recon::Outline& outline) {
  return fmt::format("cylinder:{}@{},{}", text_of_length(2 * outline.radius), text_of_length(outline.x),
                     text_of_length(outline.y));
}

recon::Placement parse_placement(const std::string& text, const std::string& what) {
  const auto commas = static_cast<std::size_t>(std::count(text.begin(), text.end(), ','));
  const auto parts = split_list(text, commas == 3 ? 4 : 3, what);
  recon::Placement placement;
  placement.shift = {parse_length_mm(parts[0], what), parse_length_mm(parts[1], what),
                     parse_length_mm(parts[2], what)};
  if (parts.size() == 4) placement.turn = parse_angle_rad(parts[3], what);
  return placement;
}

std::string text_of(const recon::Placement& placement) {
  return fmt::format("{},{},{},{}", text_of_length(placement.shift.x), text_of_length(placement.shift.y),
                     text_of_length(placement.shift.z), text_of_angle(placement.turn));
}

Hardening parse_hardening(const std::string& text, const std::string& what) {
  using Kind = Hardening::Kind;
  if (text == "file") return {Kind::file, {}};
  if (text == "auto") return {Kind::search, {}};
  if (text == "off") return {Kind::off, {}};
  constexpr std::size_t most = 8;
  Hardening hardening{Kind::given, {0}};
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    double coefficient = 0;
    if (!parse_number(std::string_view(text).substr(begin, comma - begin), coefficient) ||
        hardening.polynomial.size() > most)
      refuse(
          what, text,
          fmt::format("is not file, auto, off or up to {} coefficients of p, p^2, ... like 0.75,0.25", most));
    hardening.polynomial.push_back(coefficient);
    begin = comma + 1;
  }
  return hardening;
}

std::string text_of(const Hardening& hardening) {
  switch (hardening.kind) {
    case Hardening::Kind::file: return "file";
    case Hardening::Kind::search: return "auto";
    case Hardening::Kind::off: return "off";
    case Hardening::Kind::given: break;
  }
  std::string text;
  for (std::size_t n = 1; n < hardening.polynomial.size(); ++n)
    text += fmt::format("{}{}", n > 1 ? "," : "", hardening.polynomial[n]);
  return text;
}

ShareOf parse_share(const std::string& text, const std::string& what) {
  const std::size_t slash = text.find('/');
  double number = 0, count = 0;
  if (slash == std::string::npos || !parse_number(text.substr(0, slash), number) ||
      !parse_number(text.substr(slash + 1), count) || !(1 <= number && number <= count && count <= 1e6) ||
      number != static_cast<int>(number) || count != static_cast<int>(count))
    refuse(what, text, "is not a share K/N with K from 1 to N; write for example 3/16");
  return {static_cast<int>(number), static_cast<int>(count)};
}

}  // namespace feldspar::run
