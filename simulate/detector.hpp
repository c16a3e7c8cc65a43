// From the share of the beam that arrives to the counts a detector delivers.
#pragma once

#include <cstdint>

#include "base/parallel.hpp"
#include "base/view3.hpp"

namespace feldspar::simulate {

/// A detector whose images were corrected for dark current and flat field already, as Nikon's software
/// delivers them: the open beam reads `white_level`, up to the errors below.
struct DetectorModel {
  double white_level = 60000;
  double photons = 0;           ///< detected in a pixel of open beam during one view; 0 for no noise at all
  double electronic_noise = 0;  ///< counts, standard deviation
  double gain_residual = 0;     ///< standard deviation of the pixels' gain that the flat field left over
  double dark_offset = 0;       ///< counts that remain without beam
  double dead_fraction = 0;     ///< of pixels that always read 0
  double hot_fraction = 0;      ///< of pixels that always read 65535
  double blur = 0;              ///< pixels, standard deviation: focal spot and scintillator, before the noise
  std::uint64_t seed = 1;
};

/// Photons detected in a pixel of open beam: a tungsten tube at 205 kV behind 0.5 mm of aluminium and a
/// detector of 0.6 mm CsI give 1.45e5 for 330 uA, 1 s and 0.2 mm at 983 mm (uncertain by a factor of 2.5; the
/// ratios between exposures are exact).
struct Exposure {
  double current_ua = 330;
  double seconds = 1;
  double pixel_area_mm2 = 0.04;
  double distance_mm = 983;
};
[[nodiscard]] double detected_photons(const Exposure& exposure);

/// Blurs `transmission` (columns x rows, in place) by the model's Gaussian, and repeats the edge beyond it.
void blur(const DetectorModel& model, View3<float> transmission, ThreadPool& pool);

/// Counts of view `view`: rounded and clipped to 16 bits. `transmission` and `counts` are columns x rows.
/// Equal seeds give equal counts, whatever the number of threads. Without noise a line integral p is kept to
/// within 0.5 exp(p) / white_level.
void detect(const DetectorModel& model, int view, View3<const float> transmission,
            View3<std::uint16_t> counts, ThreadPool& pool);

}  // namespace feldspar::simulate
