// One table says what is made of each key; the functions below it correct the table where values are odd.
#include "io/nikon/xtekct_review.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <string>
#include <string_view>

#include "base/units.hpp"
#include "io/nikon/xtekct_scan.hpp"

namespace feldspar::io::nikon {
namespace {

using Use = SourceField::Use;

struct KnownKeys {
  Use use;
  const char* note;
  std::vector<std::string_view> keys;
};

constexpr std::string_view used_keys[] = {"Name",
                                          "InputName",
                                          "InputSeparator",
                                          "InputFolderName",
                                          "Units",
                                          "SrcToObject",
                                          "SrcToDetector",
                                          "DetectorPixelsX",
                                          "DetectorPixelsY",
                                          "DetectorPixelSizeX",
                                          "DetectorPixelSizeY",
                                          "DetectorOffsetX",
                                          "DetectorOffsetY",
                                          "CentreOfRotation",
                                          "CentreOfRotationTop",
                                          "CentreOfRotationBottom",
                                          "ObjectOffsetX",
                                          "ObjectTilt",
                                          "ObjectRoll",
                                          "Projections",
                                          "InitialAngle",
                                          "AngularStep",
                                          "WhiteLevel",
                                          "CoefX4",
                                          "CoefX3",
                                          "CoefX2",
                                          "CoefX1",
                                          "CoefX0",
                                          "Scale",
                                          "VirtualDetectorPixelsX",
                                          "VirtualDetectorPixelsY",
                                          "VirtualDetectorPixelSizeX",
                                          "VirtualDetectorPixelSizeY",
                                          "VirtualDetectorOffsetX",
                                          "VirtualDetectorOffsetY",
                                          "SrcToVirtualDetector"};

/// The keys of [XTekCT] and what is made of them when nothing is odd about their values.
const std::vector<KnownKeys>& known_keys() {
  static const std::vector<KnownKeys> known{
      {Use::used, "", {std::begin(used_keys), std::end(used_keys)}},
      {Use::informative,
       "the volume that the file proposes",
       {"VoxelsX", "VoxelsY", "VoxelsZ", "VoxelSizeX", "VoxelSizeY", "VoxelSizeZ", "OffsetX", "OffsetY",
        "OffsetZ", "MaskRadius"}},
      {Use::ignored, "projections are found whatever the number of their digits", {"InputDigits"}},
      {Use::ignored,
       "a crop that CT Pro applies; the whole detector is used",
       {"RegionStartX", "RegionStartY", "RegionPixelsX", "RegionPixelsY"}},
      {Use::ignored,
       "CT Pro's filter; the ramp filter is chosen for the reconstruction",
       {"FilterType", "CutOffFrequency", "Exponent", "Normalisation", "OrderFFT", "InterpolationType"}},
      {Use::ignored,
       "CT Pro's processing, which is not repeated",
       {"BeamHardeningLUTFile", "Scattering", "MedianFilterKernelSize", "ConvolutionKernelSize", "Increment",
        "Blanking", "ObjectOffsetY"}},
      {Use::ignored,
       "CT Pro's output; volumes are in 1/mm here",
       {"OutputSeparator", "OutputFolderName", "OutputName", "OutputDigits", "Scaling", "OutputUnits",
        "OutputType", "ImportConversion", "AutoScalingType", "ScalingMinimum", "ScalingMaximum",
        "LowPercentile", "HighPercentile", "TIFFScaling"}},
      {Use::informative, "", {"OperatorID", "ModifierID", "AutomaticCentreOfRotation", "TimeStampFolder"}}};
  return known;
}

SourceField first_judgement(const XtekctEntry& entry) {
  SourceField field{entry.section, entry.key, entry.value, Use::informative, ""};
  if (entry.repeated) {
    field.use = Use::contradicted;
    field.note = "an earlier line has the same key, and counts";
  } else if (same_letters(entry.section, "XTekCT")) {
    field.note = "unknown key";
    for (const KnownKeys& known : known_keys())
      for (const std::string_view key : known.keys)
        if (same_letters(key, entry.key)) field.use = known.use, field.note = known.note;
  }
  return field;
}

class Reviewer {
 public:
  Reviewer(const XtekctFile& file, const geometry::CircularScan& scan) : file_(file), scan_(scan) {
    for (const XtekctEntry& entry : file.entries) review_.fields.push_back(first_judgement(entry));
    review_.findings = file.findings;
  }

  void review_replacements(const Replacements& replaced);
  void review_axis();
  void review_voxel_size();
  void review_angles();
  void review_offsets();
  void review_processing();

  [[nodiscard]] Review result() { return std::move(review_); }

 private:
  void mark(std::string_view key, Use use, const std::string& note) {
    for (std::size_t n = 0; n < review_.fields.size(); ++n)
      if (!file_.entries[n].repeated && same_letters(review_.fields[n].name, key))
        review_.fields[n].use = use, review_.fields[n].note = note;
  }
  void report(FindingCode code, const std::string& text, std::string_view key, Remedies remedies = {}) {
    review_.findings.push_back({code, fmt::format("{}: {}", file_.path.filename().string(), text),
                                std::string(key), std::move(remedies)});
  }
  /// A finding and the mark of its key when the key's value is not the harmless one.
  void expect(std::string_view key, double harmless, std::string_view consequence) {
    const auto value = file_.number(key);
    if (!value || *value == harmless) return;
    report("processing.unused", fmt::format("{} is {}: {}", key, *value, consequence), key);
    mark(key, Use::ignored, std::string(consequence));
  }
  void review_two_axes();

  const XtekctFile& file_;
  const geometry::CircularScan& scan_;
  Review review_;
};

void Reviewer::review_replacements(const Replacements& replaced) {
  if (replaced.white_level) mark("WhiteLevel", Use::ignored, "replaced by the white level that was given");
  if (replaced.pixel_size)
    for (const char* const key : {"DetectorPixelSizeX", "DetectorPixelSizeY"})
      mark(key, Use::ignored, "replaced by the pixel size that was given");
  if (replaced.angles) mark("AngularStep", Use::ignored, "the measured angles are used");
}

void Reviewer::review_two_axes() {
  const geometry::RotationAxis old_axis = axis_from_old_keys(file_, scan_);
  for (const char* const key : {"CentreOfRotation", "CentreOfRotationTop", "CentreOfRotationBottom"})
    mark(key, Use::ignored, "the newer ObjectOffsetX and ObjectRoll count");
  if (old_axis.offset == 0 && old_axis.roll == 0) return;  // 0 stands for "not measured"
  // A twentieth of a pixel is less than any centre of rotation is measured to.
  const double tolerance = 0.05 * scan_.detector.column_pitch;
  const double half_height = 0.5 * scan_.detector.rows * scan_.detector.row_pitch;
  const double shift = std::abs(old_axis.offset - scan_.axis.offset) * scan_.magnification();
  const double lean = std::abs(std::tan(old_axis.roll) - std::tan(scan_.axis.roll)) * half_height;
  if (shift <= tolerance && lean <= tolerance) return;
  for (const char* const key : {"CentreOfRotation", "CentreOfRotationTop", "CentreOfRotationBottom"})
    mark(key, Use::contradicted, "ObjectOffsetX and ObjectRoll put the axis elsewhere, and count");
  report("axis.contradicted",
         fmt::format("CentreOfRotationTop and Bottom put the rotation axis {:.3f} mm from where "
                     "ObjectOffsetX and ObjectRoll put it (at the detector, and {:.3f} mm more at its "
                     "edges); the newer ObjectOffsetX and ObjectRoll are used",
                     shift, lean),
         "CentreOfRotationTop", {{"axis-offset", "auto", "to find it, give"}});
}

void Reviewer::review_axis() {
  const bool both = has_new_axis(file_) && has_old_axis(file_);
  if (both) review_two_axes();
  if (file_.number("CentreOfRotationTop") && file_.number("CentreOfRotationBottom") && !both)
    mark("CentreOfRotation", Use::ignored, "CentreOfRotationTop and CentreOfRotationBottom count");
  const bool one_edge =
      file_.number("CentreOfRotationTop").has_value() != file_.number("CentreOfRotationBottom").has_value();
  if (one_edge && !has_new_axis(file_) && !file_.number("CentreOfRotation"))
    report("axis.upright",
           "only one of CentreOfRotationTop and CentreOfRotationBottom is given: the axis is taken as "
           "upright there",
           "CentreOfRotationTop");
  const bool automatic = file_.number("AutomaticCentreOfRotation").value_or(0) != 0;
  const bool zero = scan_.axis.offset == 0 && scan_.axis.roll == 0;
  if (zero)
    report(
        "axis.unmeasured",
        "the centre of rotation was never measured (its keys are 0 or absent): the file does not say where "
        "the rotation axis is",
        "CentreOfRotationTop");
  else if (automatic)
    report("axis.unmeasured",
           "AutomaticCentreOfRotation is 1: the centre of rotation was never measured for this file, CT Pro "
           "searches it itself; the axis written here may not be the one CT Pro found",
           "AutomaticCentreOfRotation");
}

void Reviewer::review_voxel_size() {
  const double expected = scan_.detector.column_pitch / scan_.magnification();
  for (const char* const key : {"VoxelSizeX", "VoxelSizeY", "VoxelSizeZ"}) {
    const auto size = file_.number(key);
    if (!size || std::abs(*size / expected - 1) <= 0.05) continue;
    const std::string note =
        fmt::format("DetectorPixelSizeX * SrcToObject / SrcToDetector is {:.6g} mm", expected);
    mark(key, Use::contradicted, note);
    report("voxels.contradicted",
           fmt::format("{} is {} mm, but {}: one of the distances or sizes may be wrong, or CT Pro was asked "
                       "for another voxel size",
                       key, *size, note),
           key);
  }
}

void Reviewer::review_angles() {
  const double step = file_.number("AngularStep").value_or(0);
  const auto views = static_cast<double>(scan_.angles.size());
  if (step < 0)
    report(
        "angles.sense",
        fmt::format(
            "AngularStep is {} deg: the object turned against the usual sense; it is taken as written", step),
        "AngularStep");
  if (views > 10 && step != 0 && std::abs(step) * views <= 7)
    report("angles.unit",
           fmt::format("AngularStep is {}: {} projections turn by {:.3f} deg in all, as if the step were in "
                       "radians; degrees were expected",
                       step, views, std::abs(step) * views),
           "AngularStep");
}

void Reviewer::review_offsets() {
  for (const char* const key : {"DetectorOffsetX", "DetectorOffsetY"})
    if (const double value = file_.number(key).value_or(0); value != 0)
      report("detector.offset",
             fmt::format(
                 "{} is {} mm: its sign is not documented by Nikon; it is taken towards {}", key, value,
                 key == std::string_view("DetectorOffsetX") ? "the columns on the right of the stored image"
                                                            : "the top of the image"),
             key);
  const auto cropped = [&](std::string_view start, std::string_view pixels, int all) {
    return file_.number(start).value_or(0) != 0 || file_.number(pixels).value_or(all) != all;
  };
  if (cropped("RegionStartX", "RegionPixelsX", scan_.detector.columns) ||
      cropped("RegionStartY", "RegionPixelsY", scan_.detector.rows))
    report("field.unused",
           "RegionStart and RegionPixels crop the projections in CT Pro; here the whole detector is used",
           "RegionPixelsX");
  if (file_.number("OffsetX").value_or(0) != 0 || file_.number("OffsetY").value_or(0) != 0 ||
      file_.number("OffsetZ").value_or(0) != 0)
    report("grid.proposed",
           "the volume proposed by the file is off centre (OffsetX, OffsetY, OffsetZ), with signs that are "
           "not documented by Nikon",
           "OffsetX");
  expect("ObjectOffsetY", 0, "its meaning is not documented by Nikon; it is ignored");
}

void Reviewer::review_processing() {
  constexpr std::string_view differs =
      "CT Pro would apply it and we do not: the volume will differ from CT Pro's";
  for (const char* const key : {"Scattering", "Blanking"}) expect(key, 0, differs);
  expect("Increment", 1, differs);
  if (file_.number("MedianFilterKernelSize").value_or(1) > 1) expect("MedianFilterKernelSize", 1, differs);
  if (file_.number("ConvolutionKernelSize").value_or(0) > 1) expect("ConvolutionKernelSize", 0, differs);
  if (hardening_of(file_).empty() &&
      file_.number("CoefX1").value_or(1) * file_.number("Scale").value_or(1) != 1)
    report("hardening.none",
           "CoefX1 to CoefX4 times Scale are all 0: taken as no correction of beam hardening", "CoefX1");
  if (const std::string table = file_.text("BeamHardeningLUTFile"); !table.empty())
    report("processing.unused", fmt::format("BeamHardeningLUTFile is \"{}\": {}", table, differs),
           "BeamHardeningLUTFile");
  if (same_letters(file_.text("Shuttling", "CTPro"), "True"))
    report("detector.moved",
           "Shuttling is True: the detector moved between projections, by distances that are not in the "
           "file; fine structures may be blurred",
           "Shuttling");
}

}  // namespace

Review review(const XtekctFile& file, const geometry::CircularScan& scan, const Replacements& replaced) {
  Reviewer reviewer(file, scan);
  reviewer.review_replacements(replaced);
  reviewer.review_axis();
  reviewer.review_voxel_size();
  reviewer.review_angles();
  reviewer.review_offsets();
  reviewer.review_processing();
  return reviewer.result();
}

std::string first_difference(const XtekctFile& a, const XtekctFile& b) {
  for (const std::string_view key : known_keys().front().keys)
    if (a.text(key) != b.text(key)) return std::string(key);
  return {};
}

}  // namespace feldspar::io::nikon
