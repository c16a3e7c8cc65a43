// Quantities as people type and read them: "36um", "0.5deg", "4GiB", "2h 05m".
#pragma once

#include <cstddef>
#include <numbers>
#include <optional>
#include <string>
#include <string_view>

namespace feldspar {

constexpr double radians_per_degree = std::numbers::pi / 180;  ///< rad in one degree

/// A length in mm from "36um", "0.036 mm", "1.2cm", "1m". Only 0 needs no unit: a number that may be
/// millimetres or micrometres is neither. `what` names the quantity in the error. Throws Error(usage).
[[nodiscard]] double parse_length_mm(std::string_view text, std::string_view what);

/// An angle in radians from "0.5deg", "0.01rad" or 0. Throws Error(usage).
[[nodiscard]] double parse_angle_rad(std::string_view text, std::string_view what);

/// Bytes from "4GiB", "500MB" or "16G" (binary). Throws Error(usage).
[[nodiscard]] std::size_t parse_bytes(std::string_view text, std::string_view what);

/// Something that the program also reports in pixels.
struct LengthOrPixels {
  double value = 0;        ///< mm, or pixels
  bool is_pixels = false;  ///< what `value` counts

  /// In mm, where a pixel is `pixel_mm` wide.
  [[nodiscard]] double in_mm(double pixel_mm) const;
};

/// From "0.12mm", "1.5px" or 0. Throws Error(usage).
[[nodiscard]] LengthOrPixels parse_length_or_pixels(std::string_view text, std::string_view what);

/// Of what files call the units of their lengths and angles, in whatever case and with either mu: "um",
/// "microns", "Metre", "degrees". Nothing for what is none.
[[nodiscard]] std::optional<double> millimetres_in(std::string_view unit);
/// The same of angles.
[[nodiscard]] std::optional<double> radians_in(std::string_view unit);

/// A plain decimal number taking all of `text`; a decimal comma, trailing letters, NaN and infinity are
/// refused. Returns false when `text` is no such number.
[[nodiscard]] bool parse_number(std::string_view text, double& value);

[[nodiscard]] std::string format_bytes(std::size_t bytes);       ///< "3.9 GiB"
[[nodiscard]] std::string format_length_mm(double millimetres);  ///< "36.0 um", "1.20 mm"
[[nodiscard]] std::string format_seconds(double seconds);        ///< "45 s", "12m 05s", "2h 05m"

}  // namespace feldspar
