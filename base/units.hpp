// Quantities as people type and read them: "36um", "0.5deg", "4GiB", "2h 05m".
#pragma once

#include <cstddef>
#include <numbers>
#include <string>
#include <string_view>

namespace feldspar {

constexpr double radians_per_degree = std::numbers::pi / 180;

/// A length in mm from "36um", "0.036mm", "1.2cm", "1m" or a bare number of mm. `what` names the
/// quantity in the error. Throws Error(usage).
[[nodiscard]] double parse_length_mm(std::string_view text, std::string_view what);

/// An angle in radians from "0.5deg", "0.01rad" or a bare number of degrees. Throws Error(usage).
[[nodiscard]] double parse_angle_rad(std::string_view text, std::string_view what);

/// Bytes from "4GiB", "500MB", "16G" (binary), or a bare number of bytes. Throws Error(usage).
[[nodiscard]] std::size_t parse_bytes(std::string_view text, std::string_view what);

/// A plain decimal number taking all of `text`; a decimal comma, trailing letters, NaN and infinity are
/// refused. Returns false when `text` is no such number.
[[nodiscard]] bool parse_number(std::string_view text, double& value);

[[nodiscard]] std::string format_bytes(std::size_t bytes);       ///< "3.9 GiB"
[[nodiscard]] std::string format_length_mm(double millimetres);  ///< "36.0 um", "1.20 mm"
[[nodiscard]] std::string format_seconds(double seconds);        ///< "45 s", "12m 05s", "2h 05m"

}  // namespace feldspar
