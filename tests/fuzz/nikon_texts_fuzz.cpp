// .xtekct files, acquisition profiles and angle files; the first byte chooses which.
#include "io/nikon/angle_file.hpp"
#include "io/nikon/ct_profile.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

constexpr const char* scan_text =
    "[XTekCT]\r\nName=a\r\nSrcToObject=100\r\nSrcToDetector=1000\r\nDetectorPixelsX=20\r\n"
    "DetectorPixelsY=10\r\nDetectorPixelSizeX=0.2\r\nDetectorPixelSizeY=0.2\r\nProjections=4\r\n"
    "AngularStep=90\r\nInitialAngle=0\r\nWhiteLevel=60000\r\nVoxelsX=20\r\nVoxelSizeX=0.02\r\n"
    "ObjectOffsetX=0.1\r\nObjectRoll=0.2\r\nDetectorOffsetX=0\r\nMaskRadius=1\r\n[Xrays]\r\nXraykV=200\r\n";

}  // namespace

std::vector<std::string> feldspar::fuzz::seeds() {
  return {std::string("0") + scan_text,
          "1Projections\tFrames\tExposure(ms)\r\n2\t1\t708.00\r\nProjection\tAngle(deg)\tTime(s)\r\n"
          "1\t000.0342\t002.8319\r\n2\t000.2640\t003.54\r\n",
          "1Proj\tAngle(deg)\n1:\t270\n2:\t180\n3:\t90\n4:\t0\n",
          "2<?xml version=\"1.0\"?><CTProfile><XraySettings><kV>200</kV><uA>50</uA></XraySettings>"
          "<exposure>708</exposure><FramesPerProjection>2</FramesPerProjection><Projections>4</Projections>"
          "<HelicalScan>false</HelicalScan><PanelScan>false</PanelScan></CTProfile>"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace feldspar;
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  fuzz::expect_errors_only([&] {
    if (data[0] % 3 == 0) {
      (void)io::open_scan(fuzz::write_scratch("a.xtekct", data + 1, size - 1), {.headers_only = true});
    } else if (data[0] % 3 == 1) {
      const io::nikon::AngleFile file = io::nikon::parse_angle_file(text, "a.ang");
      (void)io::nikon::match_angles(file, {0, 1.5, 3, 4.5});
    } else {
      (void)io::nikon::parse_ct_profile(text, "a.xml", io::nikon::parse_xtekct(scan_text, "a.xtekct"));
    }
  });
  return 0;
}
