#include "kernels/ramp.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/error.hpp"

namespace feldspar::kernels {
namespace {

using std::numbers::pi;

constexpr std::array<std::pair<RampWindow, std::string_view>, 5> names{
    {{RampWindow::ram_lak, "ram-lak"},
     {RampWindow::shepp_logan, "shepp-logan"},
     {RampWindow::cosine, "cosine"},
     {RampWindow::hamming, "hamming"},
     {RampWindow::hann, "hann"}}};

/// The window at x, the frequency as a fraction of the cutoff.
double window_at(RampWindow window, double x) {
  if (x > 1) return 0;
  switch (window) {
    case RampWindow::ram_lak: return 1;
    case RampWindow::shepp_logan: return x == 0 ? 1 : std::sin(0.5 * pi * x) / (0.5 * pi * x);
    case RampWindow::cosine: return std::cos(0.5 * pi * x);
    case RampWindow::hamming: return 0.54 + 0.46 * std::cos(pi * x);
    case RampWindow::hann: return 0.5 + 0.5 * std::cos(pi * x);
  }
  return 1;
}

}  // namespace

RampWindow parse_ramp_window(std::string_view name) {
  for (const auto& [window, known] : names)
    if (known == name) return window;
  throw Error(
      ErrorKind::usage,
      fmt::format("'{}' is no filter window; there are ram-lak, shepp-logan, cosine, hamming and hann",
                  name));
}

std::string_view name_of(RampWindow window) noexcept {
  for (const auto& [known, name] : names)
    if (known == window) return name;
  return "ram-lak";
}

void validate(const RampOptions& options) {
  if (!(options.cutoff > 0 && options.cutoff <= 1))
    throw Error(ErrorKind::usage,
                fmt::format("the filter's cutoff is {}, but it is a fraction of the Nyquist "
                            "frequency, above 0 and at most 1",
                            options.cutoff));
}

int ramp_length(int columns) {
  int length = 16;
  while (length < 2 * columns) length *= 2;
  return length;
}

std::vector<double> ramp_response(int length, const RampOptions& options) {
  validate(options);
  std::vector<double> cosine(static_cast<std::size_t>(length));
  for (int n = 0; n < length; ++n) cosine[static_cast<std::size_t>(n)] = std::cos(2 * pi * n / length);
  const int half = length / 2;
  std::vector<double> response(static_cast<std::size_t>(half) + 1);
  for (int k = 0; k <= half; ++k) {
    double sum = 0.25;
    for (int n = 1; n < half; n += 2)
      sum -= 2 / (pi * pi * n * n) * cosine[static_cast<std::size_t>(static_cast<long long>(k) * n % length)];
    response[static_cast<std::size_t>(k)] =
        sum * window_at(options.window, static_cast<double>(k) / half / options.cutoff);
  }
  return response;
}

}  // namespace feldspar::kernels
