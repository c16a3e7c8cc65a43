// Takes what the object and the instrument scatter out of the counts, before anything else sees them.
//
// The measured signal is I = P + S, primary and scattered. S varies slowly, so it is estimated from the means
// of blocks of pixels, and every count is multiplied by P / (P + S) of its place: it keeps its noise and its
// detail, and never becomes negative.
#pragma once

#include <memory>
#include <string_view>

#include "base/parallel.hpp"
#include "base/progress.hpp"
#include "io/scan_source.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {

/// What is known of the scattered signal.
struct ScatterModel {
  /// Where it comes from.
  enum class Kind {
    none,
    constant,  ///< `share` of the open beam everywhere: glare of the housing and the detector
    kernel     ///< of what each ray scatters once, P ln(1 / P), `share` goes on forwards and spreads
  };
  Kind kind = Kind::none;     ///< which model
  double share = 0;           ///< as `kind` says
  double narrow_part = 0.3;   ///< of a kernel: coherently scattered
  double narrow_degrees = 2;  ///< Gaussian about the ray as seen from the axis, standard deviation
  double wide_degrees = 20;   ///< the rest, by the Compton effect
};

/// From "off", "constant:0.02" or "kernel:0.1"; shares are at least 0 and below 1. Throws Error(usage).
[[nodiscard]] ScatterModel parse_scatter(std::string_view text);

/// `source` with its scatter taken away: the same scan with counts as float32, dark level as it was. Reads
/// all views once, on as many threads as there is memory for; what is estimated of a view comes from that
/// view as a whole, so any part of it reads the same at any time. Takes 16 KiB a view. Throws
/// Error(unsupported) for a kernel in a parallel beam, whose object is at no known distance from the
/// detector, what reading throws, and Error(cancelled).
[[nodiscard]] std::unique_ptr<io::ScanSource> without_scatter(std::unique_ptr<io::ScanSource> source,
                                                              const ScatterModel& model,
                                                              const Resources& resources, Progress& progress);

/// Bytes that it takes at most with one thread, and how many of them it keeps.
struct ScatterBytes {
  std::size_t estimating = 0, kept = 0;  ///< bytes
};
/// For all views of the source.
[[nodiscard]] ScatterBytes scatter_bytes(const io::ScanSource& source);

}  // namespace feldspar::recon
