// Values of options as people type them, and back to the last bit. Internal to run/.
#pragma once

#include <string>
#include <utility>

#include "run/request.hpp"

namespace feldspar::run {

/// "0.036mm".
[[nodiscard]] std::string text_of_length(double millimetres);
/// "0.5deg", or in rad where degrees would not give the same number again.
[[nodiscard]] std::string text_of_angle(double radians);

/// From "cylinder:DIAMETER" or "cylinder:DIAMETER@X,Y". Throws Error(usage).
[[nodiscard]] recon::Outline parse_outline(const std::string& text, const std::string& what);
[[nodiscard]] std::string text_of(const recon::Outline& outline);

/// From "X,Y,Z" or "X,Y,Z,ANGLE". Throws Error(usage).
[[nodiscard]] recon::Placement parse_placement(const std::string& text, const std::string& what);
[[nodiscard]] std::string text_of(const recon::Placement& placement);

/// From "file", "auto", "off" or coefficients of p, p^2, ... Throws Error(usage).
[[nodiscard]] Hardening parse_hardening(const std::string& text, const std::string& what);
[[nodiscard]] std::string text_of(const Hardening& hardening);

/// "K/N", without the limits of a volume. Throws Error(usage).
[[nodiscard]] ShareOf parse_share(const std::string& text, const std::string& what);

/// A number, all of the text. Throws Error(usage) saying that `what` must be `kind`, between `lowest` and
/// `highest`.
[[nodiscard]] double parse_in_range(const std::string& text, double lowest, double highest, const char* kind,
                                    const std::string& what);
/// The same, whole.
[[nodiscard]] int parse_whole(const std::string& text, int lowest, int highest, const std::string& what);

/// Names and their values, the first the default. Throws Error(usage) naming them all for another text.
template <class T, std::size_t n>
T parse_name(const std::string& text, const std::pair<const char*, T> (&names)[n], const std::string& what);

[[noreturn]] void refuse(const std::string& what, const std::string& text, const std::string& why);

template <class T, std::size_t n>
T parse_name(const std::string& text, const std::pair<const char*, T> (&names)[n], const std::string& what) {
  std::string known;
  for (const auto& [name, value] : names) {
    if (text == name) return value;
    if (!known.empty()) known += ", ";
    known += name;
  }
  refuse(what, text, known.insert(0, "is none of "));
}

template <class T, std::size_t n>
const char* name_in(const std::pair<const char*, T> (&names)[n], T value) {
  for (const auto& [name, known] : names)
    if (known == value) return name;
  return "";
}

}  // namespace feldspar::run
