// Ready-made virtual scans: an object, the instrument before it, and how well it measures.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "geometry/scan.hpp"
#include "io/nikon/nikon_writer.hpp"
#include "simulate/detector.hpp"
#include "simulate/illumination.hpp"
#include "simulate/object.hpp"
#include "simulate/spectrum.hpp"
#include "simulate/virtual_scan.hpp"

namespace feldspar::simulate {

struct VirtualScan {
  std::string name;
  std::string summary;  ///< a line for people
  std::shared_ptr<const Object> object;
  Composition composition;  ///< of the object, for beams of many energies
  geometry::CircularScan scan;
  DetectorModel detector;  ///< photons and blur are set by settle()
  double blur_mm = 0;      ///< standard deviation at the detector, of focal spot and scintillator together
  Sampling sampling;
  bool layered = false;  ///< the object has layers of few full-size pixels
  io::ScanNotes notes;
};

/// Names and summaries of all presets, in the order to show them.
struct PresetSummary {
  std::string name, summary;
};
[[nodiscard]] std::vector<PresetSummary> presets();

/// Throws Error(usage) naming those there are.
[[nodiscard]] VirtualScan preset(std::string_view name);

/// Angles of a full turn in `views` steps, clockwise from Nikon's InitialAngle 0.
[[nodiscard]] std::vector<double> full_turn(int views);

/// Changes the number of pixels by `factor` on the same area, within rounding of the counts.
void scale_detector(geometry::Detector& detector, double factor);

/// Rays a pixel, along each side, when pixels are larger by 1/`factor`: a layered object is sampled as finely
/// as by the full detector's single rays, up to 4, for one ray a pixel makes windings alias; else 1.
[[nodiscard]] int rays_of_scale(const VirtualScan& scan, double factor);

/// How the scan's object takes the beam of a tube, whose voltage and filters go into the notes and whose
/// output into the photons. After settle().
[[nodiscard]] Illumination put_before(const TubeBeam& beam, VirtualScan& scan);

/// Derives what depends on the geometry after it was changed: photons a pixel, blur in pixels, sweep a view.
void settle(VirtualScan& scan);

}  // namespace feldspar::simulate
