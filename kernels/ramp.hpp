// The ramp filter in numbers: the same on every backend, only the Fourier transform differs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace feldspar::kernels {

/// What damps the ramp's high frequencies.
enum class RampWindow { ram_lak, shepp_logan, cosine, hamming, hann };

/// From "ram-lak", "shepp-logan", "cosine", "hamming" or "hann". Throws Error(usage).
[[nodiscard]] RampWindow parse_ramp_window(std::string_view name);
/// The name, as parse_ramp_window() takes it.
[[nodiscard]] std::string_view name_of(RampWindow window) noexcept;

/// Which ramp.
struct RampOptions {
  RampWindow window = RampWindow::ram_lak;  ///< what damps it
  double cutoff = 1.0;  ///< fraction of the Nyquist frequency above which nothing passes, in (0, 1]
};

/// Throws Error(usage) unless the cutoff is in (0, 1].
void validate(const RampOptions& options);

/// The transform length for rows of `columns` pixels: the smallest power of two of at least twice the
/// columns, so that the circular convolution is the linear one.
[[nodiscard]] int ramp_length(int columns);

/// The real, even spectrum of the windowed ramp at k = 0 .. length/2 cycles in `length` pixels, without
/// unit (the kernel for a pitch of 1): the transform of the kernel sampled in space,
///   h[0] = 1/4, h[n] = -1/(pi n)^2 for odd n, 0 for even n   (Kak & Slaney 1988, eq. 3.61),
/// which keeps the mean that |f| sampled in frequency loses, times the window.
[[nodiscard]] std::vector<double> ramp_response(int length, const RampOptions& options);

}  // namespace feldspar::kernels
