// The scans of an 18650 cell on a Nikon XT H 225 before and after ageing and on a Zeiss Versa 520, and small
// scans of phantoms.
#include "simulate/presets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "base/error.hpp"
#include "simulate/cell_18650.hpp"
#include "simulate/phantom.hpp"

namespace feldspar::simulate {
namespace {

/// An object whose point `by` stands on the rotation axis.
class Moved final : public Object {
 public:
  Moved(std::shared_ptr<const Object> object, geometry::Vec3 by) : object_(std::move(object)), by_(by) {}
  [[nodiscard]] double attenuation_at(geometry::Vec3 point) const override {
    return object_->attenuation_at(point + by_);
  }
  [[nodiscard]] double line_integral(geometry::Vec3 from, geometry::Vec3 to) const override {
    return object_->line_integral(from + by_, to + by_);
  }
  void line_integrals(const ColumnOfRays& rays, std::span<double> integrals) const override {
    object_->line_integrals({rays.source + by_, rays.lowest + by_, rays.step}, integrals);
  }

 private:
  std::shared_ptr<const Object> object_;
  geometry::Vec3 by_;
};

/// A cell whose point `centre` stands on the rotation axis.
Composition composition_of(const CellDesign& design, geometry::Vec3 centre) {
  return {cell_substances(), [design, centre](const std::vector<double>& table) {
            AttenuationTable attenuations{};
            std::copy(table.begin(), table.end(), attenuations.begin());
            return std::make_shared<Moved>(std::make_shared<Cell18650>(design, attenuations), centre);
          }};
}

struct CellScan {
  double voxel_mm, seconds;
  int views;
  int sub_angles;
};

/// 2000 x 2000 pixels of 0.2 mm at 983 mm, 205 kV and 330 uA. The focal spot is 60 um wide at half height,
/// the scintillator's MTF 0.5 at 1.5 line pairs per mm.
VirtualScan scan_of_cell(const CellDesign& design, const CellScan& how) {
  constexpr double pitch = 0.2, sdd = 983, full_width_to_sigma = 2.3548;
  VirtualScan made;
  made.composition = composition_of(design, {});
  made.object = std::make_shared<Cell18650>(design);
  made.layered = true;
  made.scan.source_detector_distance = sdd;
  made.scan.source_object_distance = sdd * how.voxel_mm / pitch;
  made.scan.detector = {.columns = 2000, .rows = 2000, .column_pitch = pitch, .row_pitch = pitch};
  made.scan.angles = full_turn(how.views);
  const double spot = (made.scan.magnification() - 1) * 0.060 / full_width_to_sigma;
  const double scintillator = std::sqrt(std::log(2) / 2) / (std::numbers::pi * 1.5);
  made.blur_mm = std::hypot(spot, scintillator);
  made.detector.electronic_noise = 7;
  made.detector.gain_residual = 0.005;
  made.sampling.sub_angles = how.sub_angles;
  made.notes.exposure_s = how.seconds;
  return made;
}

/// A fresh cell on a Versa 520: 159 kV and 10 W, 1601 views of a full turn. `pixel_mm` is that of the
/// scintillator, behind which the lens and the camera's binning make pixels of 13.5 um; SOD is 40 mm,
/// and the axis passes `off_centre` mm beside the cell's. The spot and the lens together blur by a pixel's
/// width. Counts of photons are as uncertain as those of the Nikon.
VirtualScan scan_on_versa(int pixels, double pixel_mm, double voxel_mm, double seconds, double off_centre) {
  constexpr double sod = 40;
  VirtualScan made;
  const geometry::Vec3 centre{off_centre, 0, 0};
  made.composition = composition_of({}, centre);
  made.object = std::make_shared<Moved>(std::make_shared<Cell18650>(CellDesign{}), centre);
  made.layered = true;
  made.scan.source_object_distance = sod;
  made.scan.source_detector_distance = sod * pixel_mm / voxel_mm;
  made.scan.detector = {.columns = pixels, .rows = pixels, .column_pitch = pixel_mm, .row_pitch = pixel_mm};
  made.scan.angles = full_turn(1601);
  made.blur_mm = pixel_mm / 2.3548;
  made.detector.electronic_noise = 7;
  made.notes.voltage_kv = 159;
  made.notes.current_ua = 63;
  made.notes.exposure_s = seconds;
  return made;
}

/// A phantom of unit attenuation `attenuation` at 91 keV, whose material is like aluminium: 0.049/mm would be
/// solid.
VirtualScan scan_of_phantom(double attenuation, const std::function<Phantom(double attenuation)>& phantom) {
  VirtualScan made;
  made.composition.object = [phantom](const std::vector<double>& table) {
    return std::make_shared<Phantom>(phantom(table.front()));
  };
  Substance aluminium{"Al", 1};
  aluminium.density = attenuation / simulate::attenuation(aluminium, 91);
  made.composition.substances = {aluminium};
  made.object = made.composition.object({attenuation});
  made.scan.source_object_distance = 500;
  made.scan.source_detector_distance = 1000;
  made.scan.detector = {.columns = 256, .rows = 256, .column_pitch = 0.4, .row_pitch = 0.4};
  made.scan.angles = full_turn(360);
  made.detector.electronic_noise = 7;
  return made;
}

struct Entry {
  PresetSummary summary;
  std::function<VirtualScan()> make;
};

/// Scans that take exactly the sum of their exposures turned without stopping; where a step is not much more
/// than a voxel at the can (0.5 voxels for 3176 views) the standing object is the same within the blur.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> all{
      {{"mj1-fresh-53min", "fresh 18650 cell, 36 um, 3176 views of 1 s"},
       [] {
         return scan_of_cell({}, {0.036, 1, 3176, 1});
       }},
      {{"mj1-26min", "fresh 18650 cell, 36 um, 3176 views of 534 ms"},
       [] {
         return scan_of_cell({}, {0.036, 0.534, 3176, 1});
       }},
      {{"mj1-160s", "fresh 18650 cell, 36 um, 600 views of 267 ms while turning"},
       [] {
         return scan_of_cell({}, {0.036, 0.267, 600, 4});
       }},
      {{"mj1-80s", "fresh 18650 cell, 36 um, 300 views of 267 ms while turning"},
       [] {
         return scan_of_cell({}, {0.036, 0.267, 300, 8});
       }},
      {{"mj1-aged", "18650 cell after 1000 cycles, 36.6 um, 3176 views of 1 s"},
       [] {
         return scan_of_cell(aged_design(), {0.0366, 1, 3176, 1});
       }},
      {{"versa-10um", "fresh 18650 cell on a Versa 520, 0.4x lens, 10 um, 1601 views of 2048 x 2048"},
       [] { return scan_on_versa(2048, 0.0135 / 0.4, 0.010, 5, 0); }},
      {{"versa-1.97um", "2 mm of windings inside the cell on a Versa 520, 4x lens, 1.97 um, 1601 views"},
       [] { return scan_on_versa(1024, 2 * 0.0135 / 4, 0.00197, 40, 5); }},
      {{"shepp-logan", "Shepp-Logan head of 37 mm, 256 x 256 pixels, 360 views"},
       [] { return scan_of_phantom(0.1, [](double unit) { return shepp_logan(20, unit); }); }},
      {{"cylinder", "uniform cylinder of 36 mm, 0.05/mm, 256 x 256 pixels, 360 views"},
       [] { return scan_of_phantom(0.05, [](double unit) { return uniform_cylinder(18, 30, unit); }); }},
      {{"markers", "spheres that tell mirror images apart, 256 x 256 pixels, 360 views"},
       [] { return scan_of_phantom(0.1, [](double unit) { return markers(20, unit); }); }},
  };
  return all;
}

}  // namespace

std::vector<PresetSummary> presets() {
  std::vector<PresetSummary> all;
  for (const Entry& entry : entries()) all.push_back(entry.summary);
  return all;
}

VirtualScan preset(std::string_view name) {
  std::string names;
  for (const Entry& entry : entries()) {
    if (entry.summary.name == name) {
      VirtualScan made = entry.make();
      made.name = entry.summary.name;
      made.summary = entry.summary.summary;
      settle(made);
      return made;
    }
    names += (names.empty() ? "" : ", ") + entry.summary.name;
  }
  throw Error(ErrorKind::usage, fmt::format("there is no preset '{}'; there are {}", name, names));
}

std::vector<double> full_turn(int views) {
  std::vector<double> angles;
  angles.reserve(static_cast<std::size_t>(views));
  for (int n = 0; n < views; ++n) angles.push_back(std::numbers::pi * (1 - 2.0 * n / views));
  return angles;
}

void scale_detector(geometry::Detector& detector, double factor) {
  if (!(factor > 0 && factor <= 16))
    throw Error(ErrorKind::usage, fmt::format("a scale of {} is not between 0 and 16", factor));
  const auto scaled = [factor](int& count, double& pitch) {
    const double extent = count * pitch;
    count = std::max(1, static_cast<int>(std::lround(count * factor)));
    pitch = extent / count;
  };
  scaled(detector.columns, detector.column_pitch);
  scaled(detector.rows, detector.row_pitch);
}

int rays_of_scale(const VirtualScan& scan, double factor) {
  if (!scan.layered) return 1;
  constexpr double most = 4, rounding = 1e-9;
  return static_cast<int>(std::clamp(std::ceil(1 / factor - rounding), 1.0, most));
}

Illumination put_before(const TubeBeam& beam, VirtualScan& made) {
  const Spectrum spectrum = detected_spectrum(beam);
  made.notes.voltage_kv = beam.voltage_kv;
  made.notes.filter_mm = 0;
  made.notes.filter_material.clear();
  if (!beam.filters.empty()) made.notes.filter_mm = beam.filters.front().thickness;
  for (const BeamFilter& filter : beam.filters)  // the files' notes have room for one thickness
    made.notes.filter_material +=
        made.notes.filter_material.empty()
            ? filter.substance.formula
            : fmt::format(" + {:g} mm {}", filter.thickness, filter.substance.formula);
  made.detector.photons *= spectrum.photons;
  return polychromatic(spectrum, made.composition);
}

void settle(VirtualScan& made) {
  const geometry::Detector& d = made.scan.detector;
  made.detector.photons = detected_photons({.current_ua = made.notes.current_ua,
                                            .seconds = made.notes.exposure_s,
                                            .pixel_area_mm2 = d.column_pitch * d.row_pitch,
                                            .distance_mm = made.scan.source_detector_distance});
  made.detector.white_level = made.notes.white_level;
  made.detector.blur = made.blur_mm / d.column_pitch;
  const auto& angles = made.scan.angles;
  made.sampling.sweep = made.sampling.sub_angles > 1 && angles.size() > 1 ? angles[1] - angles[0] : 0;
}

}  // namespace feldspar::simulate
