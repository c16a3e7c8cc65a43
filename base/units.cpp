#include "base/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/error.hpp"

namespace feldspar {
namespace {

using Suffix = std::pair<std::string_view, double>;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// The number before one of the `suffixes`, times the suffix's factor. An empty suffix must come last.
template <std::size_t N>
double parse_with_suffix(std::string_view text, std::string_view what, const std::array<Suffix, N>& suffixes,
                         std::string_view example) {
  const std::string_view whole = trimmed(text);
  for (const auto& [suffix, factor] : suffixes) {
    if (!whole.ends_with(suffix)) continue;
    double number = 0;
    if (parse_number(trimmed(whole.substr(0, whole.size() - suffix.size())), number)) return number * factor;
  }
  throw Error(ErrorKind::usage,
              fmt::format("{}: '{}' is not understood; write for example {}", what, text, example));
}

}  // namespace

bool parse_number(std::string_view text, double& value) {
  text = trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
}

double parse_length_mm(std::string_view text, std::string_view what) {
  static constexpr std::array<Suffix, 7> suffixes{
      {{"nm", 1e-6}, {"um", 1e-3}, {"µm", 1e-3}, {"mm", 1.0}, {"cm", 10.0}, {"m", 1000.0}, {"", 1.0}}};
  return parse_with_suffix(text, what, suffixes, "36um or 0.036mm");
}

double parse_angle_rad(std::string_view text, std::string_view what) {
  static constexpr std::array<Suffix, 4> suffixes{
      {{"deg", radians_per_degree}, {"°", radians_per_degree}, {"rad", 1.0}, {"", radians_per_degree}}};
  return parse_with_suffix(text, what, suffixes, "0.5deg or 0.0087rad");
}

std::size_t parse_bytes(std::string_view text, std::string_view what) {
  static constexpr double k = 1024;
  static constexpr std::array<Suffix, 14> suffixes{{{"KiB", k},
                                                    {"MiB", k * k},
                                                    {"GiB", k * k * k},
                                                    {"TiB", k * k * k * k},
                                                    {"kB", 1e3},
                                                    {"MB", 1e6},
                                                    {"GB", 1e9},
                                                    {"TB", 1e12},
                                                    {"K", k},
                                                    {"M", k * k},
                                                    {"G", k * k * k},
                                                    {"T", k * k * k * k},
                                                    {"B", 1.0},
                                                    {"", 1.0}}};
  const double bytes = parse_with_suffix(text, what, suffixes, "4GiB");
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
