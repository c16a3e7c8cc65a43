// Open beams and darks that are averaged, without those that do not agree with the others.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/findings.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io {

/// Frames of one kind, and how to read them.
struct ReferenceFrames {
  std::string kind;           ///< "flats"; for people
  bool open_beam = false;     ///< flats, whose brightness may drift, not darks
  int columns = 0, rows = 0;  ///< of a frame
  /// Reads whole frames, one behind the other.
  std::function<void(std::span<const int> frames, float* counts)> read;
  std::function<std::string(int frame)> name;  ///< "flat_3.tif"; for people
  std::string source;                          ///< the file that errors name
};

/// The mean of the frames of a group that agree.
struct ReferenceMean {
  std::vector<float> counts;  ///< empty when no frame agrees with those of the other groups
  int frames = 0;             ///< that the mean was made of
};

/// The mean of each group of frames; between groups the beam may change its shape. A frame is left out, as a
/// finding by name, when it differs from the median of its group in some area by more than noise and drift
/// explain: for flats in their level (by 20 %, or eight times its spread; of two by half) or, brought to one
/// level, in an area (by 10 % of the level, or eight times the spread there); for darks by half of the level
/// or ten times the noise of a pixel. Flats below half or above 2.5 times the level of all groups are left
/// out as well. Throws Error(bad_file) naming the frames when half or more of a group would be left out.
[[nodiscard]] std::vector<ReferenceMean> means_of(const ReferenceFrames& frames,
                                                  const std::vector<std::vector<int>>& groups,
                                                  Findings& findings);

/// Throws Error(bad_file) when the open beam is less than 2 % above the dark: one of them is not what it is
/// said to be.
void expect_beam(const References& references, const std::string& source);

}  // namespace feldspar::io
