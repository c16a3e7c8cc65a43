// What readers say of the fields of their files: "used" is what changes the result, and none is made up.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/open_scan.hpp"
#include "io/tiff/tiff_file.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;

constexpr int views = 4;

/// One kind of scan: the text that describes it, and what stands beside it.
struct Format {
  const char* file;
  std::string text;
  std::function<void(const fs::path&)> write_beside;
};

void write_image(const fs::path& path, int number) {
  std::vector<std::uint16_t> counts;
  for (int pixel = 0; pixel < 6; ++pixel) counts.push_back(static_cast<std::uint16_t>(100 * number + pixel));
  write_tiff(path, View3<const std::uint16_t>{counts.data(), 3, 2, 1});
}

/// Images NAME1.tif and on, from `first`, with so many digits.
auto images(const char* name, int digits = 4, int first = 0) {
  return [=](const fs::path& folder) {
    for (int n = 0; n < views; ++n)
      write_image(folder / fmt::format("{}{:0{}}.tif", name, n + first, digits), n + 1);
  };
}

const Format toml{"scan.toml",
                  R"(feldspar_scan = 1
beam = 'cone'
source_to_object = '100 mm'
source_to_detector = '500 mm'
[images]
projections = 'p*.tif'
count = 4
flats = 'f1.tif'
darks = 'd1.tif'
first_row = 'bottom'
seen_from = 'detector'
[detector]
pixel_size = [ '200 um', '210 um' ]
offset_right = '0.1 mm'
offset_up = '0.2 mm'
roll = '0.1 deg'
tilt = '0.2 deg'
slant = '0.3 deg'
[axis]
column = 1.2
roll = '0.1 deg'
tilt = '0.2 deg'
[angles]
turn = 'clockwise'
file = 'a.txt'
unit = 'deg'
column = 2
header_lines = 1
skip_first = 1
[shifts]
file = 's.txt'
unit = 'mm'
[about]
name = 'cell'
instrument = 'X'
voltage_kv = 100
current_ua = 50
exposure_s = 2
filter = '1 mm Cu'
date = '2024-05-01'
hardening = [ 0, 0.75, 0.25 ]
)",
                  [](const fs::path& folder) {
                    images("p")(folder);
                    write_image(folder / "f1.tif", 90);
                    write_image(folder / "d1.tif", 0);
                    std::ofstream(folder / "a.txt") << "n angle\n0 -1\n1 0\n2 5\n3 9\n4 15\n";
                    std::ofstream(folder / "s.txt") << "0.1 0\n0 0.2\n0.1 0.1\n0 0\n";
                  }};

const Format xtekct{"Part.xtekct",
                    R"([XTekCT]
Name=Part
InputSeparator=_
VoxelsX=3
VoxelsY=3
VoxelsZ=2
VoxelSizeX=0.2
VoxelSizeY=0.2
VoxelSizeZ=0.2
SrcToObject=100
SrcToDetector=400
DetectorPixelsX=3
DetectorPixelsY=2
DetectorPixelSizeX=0.8
DetectorPixelSizeY=0.8
DetectorOffsetX=0.1
DetectorOffsetY=0.1
CentreOfRotation=0.3
CentreOfRotationTop=0.1
CentreOfRotationBottom=0.2
ObjectTilt=0.1
Projections=4
InitialAngle=10
AngularStep=90
WhiteLevel=60000
Scattering=0
CoefX4=0.1
CoefX3=0.1
CoefX2=0.1
CoefX1=0.9
CoefX0=0.1
Scale=1.5
FilterType=0
InputDigits=4
Units=mm
Frobnication=3
[Xrays]
XraykV=120
XrayuA=80
[CTPro]
Filter_Material=Copper
)",
                    [](const fs::path& folder) {
                      images("Part_", 4, 1)(folder);
                      std::ofstream(folder / "Part.ctprofile.xml")
                          << "<CTProfile><ImagingSettings "
                             "exposure=\"500\"/><WhiteTargetLevel>60000</WhiteTargetLevel></CTProfile>";
                    }};

const Format pca{"s.pca",
                 R"([General]
Version-pca=2
SystemName=v
[Geometry]
FDD=500
FOD=100
cx=1.1
cy=0.6
CalibValue=2
DetectorRot=1
Tilt=1
[CT]
NumberImages=4
RotationSector=360
[Image]
DimX=3
DimY=2
FreeRay=900
[Detector]
PixelsizeX=0.2
PixelsizeY=0.4
TimingVal=500
Avg=2
[DetectorShift]
Enable=1
Amplitude=5
[Xray]
Voltage=100
Current=90
[Helixscan]
Active=0
)",
                 images("s_", 4, 1)};

const Format skyscan{"s.log",
                     R"([System]
Scanner=SkyScan1272
[Acquisition]
Filename Prefix=s
Filename Index Length=4
Number Of Files=4
Source Voltage (kV)=60
Source Current (uA)=166
Number Of Rows=2
Number Of Columns=3
Image Pixel Size (um)=19.8
Object to Source (mm)=200
Camera to Source (mm)=300
Optical Axis (line)=1
Filter=Cu
Exposure (ms)=500
Rotation Step (deg)=0.4
Random Movement=ON (10)
Flat Field Correction=OFF
Number of connected scans=2
Reference Intensity=57000
Study Date and Time=1 May
Scanning Trajectory=ROUND
)",
                     images("s")};

const Format xre{"data settings XRE.txt",
                 R"([Scan info]
scanner type = "U"
Start = "1 May"
[Sample info]
Sample name = "rock"
[Camera settings]
Columns = 3
Rows = 2
Binned pixelsize (mm) = 0.3
Exposure time (ms) = 100
[Tube settings]
kV set value = 90
Target current actual value = 80
[Acquisition settings]
total projections = 4
CT start angle = 10
CT stop angle = 350
[CT-parameters IN]
SOD = 150
SDD = 600
COR = 1.2
[Data set settings]
basename = scan_
)",
                 [](const fs::path& folder) {
                   images("scan_")(folder);
                   write_image(folder / "io1.tif", 90);
                   write_image(folder / "di1.tif", 0);
                 }};

const Format nsi{"a.nsipro",
                 R"(<NSI Reconstruction Project>
<Project Name>a part
<Creation Date>1 May
<Object Radiograph>
<file>r*.tif
<pitch>0.5 0.25
<number>4
<angleStep>90
</Object Radiograph>
<Correction>
<flipH>False
<flipV>True
<rotate>0
</Correction>
<Geometry>
<Processed>
<clockwise>True
</Processed>
<Result>
<source>0.0625 -0.5 -100
<axis>0 -1 0
<reference>0.5 -0.25 300
<normal>0 0 1
<horizontal>-1 0 0
<odd>7
</Result>
</Geometry>
<CT Project Configuration>
<Frame averaging>2
<Technique Configuration>
<Detector>
<width pixels>3
<height pixels>2
<integration time ms>500
</Detector>
<Source>
<kV>120
<uA>90
</Source>
</Technique Configuration>
</CT Project Configuration>
</NSI Reconstruction Project>
)",
                 [](const fs::path& folder) {
                   images("r")(folder);
                   fs::create_directories(folder / "Corrections");
                   write_image(folder / "Corrections/gain0.tif", 90);
                   write_image(folder / "Corrections/offset.tif", 0);
                 }};

const Format rtk{
    "g.xml",
    R"(<?xml version="1.0"?>
<!DOCTYPE RTKGEOMETRY>
<RTKThreeDCircularGeometry version="3">
<SourceToIsocenterDistance>1000</SourceToIsocenterDistance>
<SourceToDetectorDistance>1536</SourceToDetectorDistance>
<Oddity>3</Oddity>
<Projection>
<GantryAngle>10.5</GantryAngle>
<Matrix>
1 2 3 4
</Matrix>
</Projection>
<Projection>
<GantryAngle>100</GantryAngle>
<ProjectionOffsetX>0.1</ProjectionOffsetX>
</Projection>
</RTKThreeDCircularGeometry>
)",
    [](const fs::path& folder) {
      std::ofstream(folder / "g.mha", std::ios::binary)
          << "ObjectType = Image\nNDims = 3\nBinaryData = True\nCenterOfRotation = 0 0 0\nOffset = -1 -0.5 "
             "0\nElementSpacing "
             "= 1 1 1\nDimSize = 3 2 2\nElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
          << std::string(3 * 2 * 2 * 4, '\0');
    }};

class Fields : public ::testing::TestWithParam<const Format*> {
 protected:
  [[nodiscard]] std::unique_ptr<ScanSource> open(const std::string& text) const {
    std::ofstream(folder_ / GetParam()->file, std::ios::binary) << text;
    return open_scan(folder_ / GetParam()->file);
  }

  /// All that a reconstruction takes from a source, or why there is none.
  [[nodiscard]] std::string result_of(const std::string& text) const try {
    const auto source = open(text);
    const geometry::CircularScan& s = source->scan();
    const geometry::Detector& d = s.detector;
    const ScanDescription& a = source->description();
    const ProposedGrid& g = source->proposed_grid();
    std::string all = fmt::format(
        "{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}",
        int(s.beam), s.source_object_distance, s.source_detector_distance, d.columns, d.rows, d.column_pitch,
        d.row_pitch, d.column_offset, d.row_offset, d.roll, d.tilt, d.slant, s.axis.offset, s.axis.roll,
        s.axis.tilt, fmt::join(s.angles, " "), a.format, a.name, a.instrument, a.voltage_kv, a.current_ua,
        a.exposure_s, a.filter, a.date, fmt::join(a.hardening, " "),
        fmt::join(source->references().white, " "), fmt::join(source->references().dark, " "), g.nx,
        g.spacing, g.nz);
    for (const auto& shift : s.shifts) all += fmt::format(" {} {}", shift.column, shift.row);
    const int view = 0;
    std::vector<float> pixels(static_cast<std::size_t>(d.columns) * static_cast<std::size_t>(d.rows));
    source->read(std::span(&view, 1), {{0, d.columns}, {0, d.rows}}, pixels.data());
    for (const float pixel : pixels) all += fmt::format(" {}", pixel);
    return all;
  } catch (const Error& error) {
    return error.what();
  }

  /// The text with the value of `field` replaced; empty when it does not stand there.
  static std::string with_value(std::string_view text, const SourceField& field, const std::string& value) {
    std::string changed;
    bool found = false;
    const std::string last = field.section.substr(field.section.rfind('/') + 1);
    bool within = field.section.empty() || text.find("<") == 0 || text.find(last) == text.npos;
    while (!text.empty()) {
      std::string line(take_line(text));
      if (line.starts_with('[') && line.ends_with(']')) within = line == "[" + field.section + "]";
      const std::size_t name = line.find(field.name);
      const std::size_t at = name == line.npos ? name : line.find(field.value, name + field.name.size());
      if (within && !found && at != line.npos && (name == 0 || line[name - 1] == '<')) {
        line.replace(at, field.value.size(), value);
        found = true;
      }
      changed += line + "\n";
    }
    return found ? changed : "";
  }

  /// Other values of the same kind.
  static std::vector<std::string> others(const std::string& value, bool only_valid) {
    std::vector<std::string> all;
    for (std::size_t n = 0; n < value.size(); ++n)
      if (value[n] >= '0' && value[n] <= '9') {
        all.push_back(value);
        all.back()[n] = value[n] == '9' ? '8' : static_cast<char>(value[n] + 1);
      }
    if (only_valid && !all.empty()) return all;
    const bool quoted = value.ends_with('\'') || value.ends_with('"');
    all.push_back(value.substr(0, value.size() - (quoted ? 1 : 0)) + "x" +
                  (quoted ? value.substr(value.size() - 1) : ""));
    all.push_back(value == "True" ? "False" : "True");
    return all;
  }

  void SetUp() override { GetParam()->write_beside(folder_.path()); }
  testing::TempFolder folder_;
};

TEST_P(Fields, ThatAreUsedChangeTheResultAndNoOthersDo) {
  const std::string& text = GetParam()->text;
  const std::string before = result_of(text);
  const auto source = open(text);
  ASSERT_FALSE(source->fields().empty());

  std::size_t seen = 0;
  for (SourceField field : source->fields()) {
    field.value = field.value.substr(0, field.value.find(" (the first of"));
    SCOPED_TRACE(fmt::format("{}/{} = {}: {}", field.section, field.name, field.value, name_of(field.use)));
    bool changes = false, is_there = false;
    for (const std::string& other : others(field.value, field.use != SourceField::Use::used)) {
      const std::string changed = with_value(text, field, other);
      is_there = is_there || !changed.empty();
      changes = changes || (!changed.empty() && result_of(changed) != before);
    }
    if (!is_there) continue;  // of a file beside the text
    ++seen;
    if (field.use == SourceField::Use::used) {
      EXPECT_TRUE(changes);
    } else if (field.use == SourceField::Use::ignored) {
      EXPECT_FALSE(changes);
    }
  }
  EXPECT_GE(seen, std::min<std::size_t>(10, source->fields().size() / 3));
}

TEST_P(Fields, AreAllInTheFiles) {
  const auto source = open(GetParam()->text);

  std::string all;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path()))
    if (entry.is_regular_file() && entry.path().extension() != ".tif")
      all += read_text(entry.path(), 1 << 20);
  for (const SourceField& field : source->fields())
    EXPECT_NE(
        all.find(field.name.substr(field.name.rfind(' ') == field.name.npos ? 0 : field.name.rfind(' ') + 1)),
        all.npos)
        << field.section << "/" << field.name;
}

TEST_P(Fields, ThatOptionsReplaceAreNotUsed) {
  std::ofstream(folder_ / GetParam()->file, std::ios::binary) << GetParam()->text;
  const auto source = open_scan(folder_ / GetParam()->file, {.white_level = 50000, .pixel_pitch = 2});

  for (const SourceField& field : source->fields())
    for (const char* replaced :
         {"WhiteLevel", "DetectorPixelSizeX", "DetectorPixelSizeY", "pixel_size", "flats", "ElementSpacing"})
      EXPECT_FALSE(field.name == replaced && field.use == SourceField::Use::used) << field.name;
}

INSTANTIATE_TEST_SUITE_P(Readers, Fields, ::testing::Values(&toml, &xtekct, &pca, &skyscan, &xre, &nsi, &rtk),
                         [](const auto& made) {
                           std::string name = made.param->file;
                           std::erase_if(
                               name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
                           return name;
                         });

}  // namespace
}  // namespace feldspar::io
