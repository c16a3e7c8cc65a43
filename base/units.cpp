#include "base/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace feldspar {
namespace {

using Unit = std::pair<std::string_view, double>;

/// The factor of the unit that is spelled `word`, in whatever case.
std::optional<double> factor_of(std::string_view word, std::span<const Unit> units) {
  std::string spelling;
  for (const char c : lower_case(word))
    if (c != ' ') spelling += c;
  if (spelling.starts_with("\u03bc")) spelling.replace(0, 2, "u");  // the Greek letter
  if (spelling.starts_with("\u00b5")) spelling.replace(0, 2, "u");  // the micro sign
  const auto found = std::ranges::find(units, spelling, &Unit::first);
  return found == units.end() ? std::nullopt : std::optional(found->second);
}

/// How quantities of one kind are written.
struct Kind {
  std::span<const Unit> units;
  const char* example;
};

/// The number before one of the kind's units, times the unit's factor. 0 needs none.
double parse_quantity(std::string_view text, std::string_view what, const Kind& kind) {
  const std::string_view whole = trimmed(text);
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorKind::usage,
                 fmt::format("{}: '{}' {}; write for example {}", what, text, why, kind.example));
  };
  if (whole.empty()) throw refuse("is empty");
  const std::size_t end = whole.find_last_of("0123456789.") + 1;  // npos + 1 is 0
  double number = 0;
  if (!parse_number(whole.substr(0, end), number))
    throw refuse(whole.find(',') == whole.npos ? "is not understood"
                                               : "is not understood: decimals have a point");
  const std::string_view unit = trimmed(whole.substr(end));
  if (unit.empty() && number == 0) return 0;
  if (unit.empty()) throw refuse("is without a unit");
  const auto factor = factor_of(unit, kind.units);
  if (!factor) throw refuse(fmt::format("has the unit '{}', which is not known", unit));
  if (!std::isfinite(number * *factor)) throw refuse("is too large");
  return number * *factor;
}

constexpr std::array<Unit, 19> lengths{{{"nm", 1e-6},
                                        {"um", 1e-3},
                                        {"mm", 1.0},
                                        {"cm", 10.0},
                                        {"m", 1000.0},
                                        {"micron", 1e-3},
                                        {"microns", 1e-3},
                                        {"micrometer", 1e-3},
                                        {"micrometers", 1e-3},
                                        {"micrometre", 1e-3},
                                        {"micrometres", 1e-3},
                                        {"millimeter", 1.0},
                                        {"millimeters", 1.0},
                                        {"millimetre", 1.0},
                                        {"millimetres", 1.0},
                                        {"meter", 1e3},
                                        {"meters", 1e3},
                                        {"metre", 1e3},
                                        {"metres", 1e3}}};
constexpr std::array<Unit, 10> angles{{{"deg", radians_per_degree},
                                       {"degs", radians_per_degree},
                                       {"degree", radians_per_degree},
                                       {"degrees", radians_per_degree},
                                       {"\u00b0", radians_per_degree},
                                       {"rad", 1.0},
                                       {"rads", 1.0},
                                       {"radian", 1.0},
                                       {"radians", 1.0},
                                       {"mrad", 1e-3}}};
constexpr Kind of_length{lengths, "36um or 0.036mm"}, of_angle{angles, "0.5deg or 0.0087rad"};

}  // namespace

bool parse_number(std::string_view text, double& value) {
  text = trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
}

std::optional<double> millimetres_in(std::string_view unit) { return factor_of(trimmed(unit), lengths); }
std::optional<double> radians_in(std::string_view unit) { return factor_of(trimmed(unit), angles); }

double parse_length_mm(std::string_view text, std::string_view what) {
  return parse_quantity(text, what, of_length);
}

double parse_angle_rad(std::string_view text, std::string_view what) {
  return parse_quantity(text, what, of_angle);
}

double LengthOrPixels::in_mm(double pixel_mm) const { return is_pixels ? value * pixel_mm : value; }

LengthOrPixels parse_length_or_pixels(std::string_view text, std::string_view what) {
  const std::string_view whole = trimmed(text);
  double pixels = 0;
  if (whole.ends_with("px") && parse_number(whole.substr(0, whole.size() - 2), pixels)) return {pixels, true};
  return {parse_quantity(text, what, {lengths, "0.12mm, 120um or 1.5px"}), false};
}

namespace {

constexpr double k = 1024;
constexpr std::array<Unit, 13> amounts{{{"kib", k},
                                        {"mib", k* k},
                                        {"gib", k* k* k},
                                        {"tib", k* k* k* k},
                                        {"kb", 1e3},
                                        {"mb", 1e6},
                                        {"gb", 1e9},
                                        {"tb", 1e12},
                                        {"k", k},
                                        {"m", k* k},
                                        {"g", k* k* k},
                                        {"t", k* k* k* k},
                                        {"b", 1.0}}};

}  // namespace

std::size_t parse_bytes(std::string_view text, std::string_view what) {
  const double bytes = parse_quantity(text, what, {amounts, "4GiB or 500MiB"});
  if (!(bytes >= 1) || bytes > 9e18)
    throw Error(ErrorKind::usage,
                fmt::format("{}: '{}' is not a usable amount of memory; write for example 4GiB", what, text));
  return static_cast<std::size_t>(bytes);
}

std::string format_bytes(std::size_t bytes) {
  static constexpr std::array<const char*, 5> names{"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t step = 0;
  while (value >= 1024 && step + 1 < names.size()) value /= 1024, ++step;
  return step == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, names[step]);
}

std::string format_length_mm(double millimetres) {
  const double size = std::abs(millimetres);
  if (size != 0 && size < 0.001) return fmt::format("{:.1f} nm", millimetres * 1e6);
  if (size != 0 && size < 1) return fmt::format("{:.2f} um", millimetres * 1e3);
  return fmt::format("{:.2f} mm", millimetres);
}

std::string format_seconds(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 90) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m", whole / 3600, whole % 3600 / 60);
}

}  // namespace feldspar
