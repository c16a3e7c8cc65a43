// Finds what is wrong with the intensities of a scan, before it is reconstructed.
#pragma once

#include <span>
#include <string>

#include "io/scan_source.hpp"
#include "recon/correct/corrections.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {

/// What to look for, in the order it is corrected.
struct CorrectionChoice {
  bool zingers = false;    ///< reads the whole scan once more
  bool bad_pixels = true;  ///< values of pixels that are dark, stuck or erratic
  bool rings = true;       ///< by the gain of single pixels
  bool drift = true;       ///< of the beam's brightness, from view to view

  friend bool operator==(const CorrectionChoice&, const CorrectionChoice&) = default;
  /// Something is looked for.
  [[nodiscard]] bool any() const { return zingers || bad_pixels || rings || drift; }
};

/// What is known of air before drift is measured.
struct KnownAir {
  double level = 0;   ///< line integral near which it is to be expected, 0 where the flats are the scan's own
  bool kept = false;  ///< the mean level is what a model of scatter left: only changes about it are drift
};

/// "auto", "off", or names separated by commas: zingers, bad-pixels, rings, drift, all; "no-" before a name
/// takes it away again, and a list that begins so begins with auto. Throws Error(usage).
[[nodiscard]] CorrectionChoice parse_corrections(const std::string& text);

/// `scan` is the source's, with the axis where it is; `view_indices` are those of the views that take part,
/// `air` what is known of it. Throws what the source throws.
[[nodiscard]] Corrections find_corrections(const io::ScanSource& source, const geometry::CircularScan& scan,
                                           std::span<const int> view_indices, const CorrectionChoice& choice,
                                           const Resources& resources, const KnownAir& air = {});

/// Bytes that it takes at most, with `threads`.
[[nodiscard]] std::size_t corrections_bytes(const io::ScanSource& source, const CorrectionChoice& choice,
                                            int threads);

}  // namespace feldspar::recon
