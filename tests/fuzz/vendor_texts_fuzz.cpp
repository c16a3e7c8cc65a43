// Texts of SkyScan, phoenix, Tescan, North Star and scan.toml; the first byte chooses which.
#include "tests/fuzz/fuzz_target.hpp"

std::vector<std::string> feldspar::fuzz::seeds() {
  return {
      "0[System]\nScanner=SkyScan1272\n[Acquisition]\nFilename Prefix=a\nFilename Index Length=4\n"
      "Number Of Files=4\nNumber Of Rows=2\nNumber Of Columns=3\nOptical Axis (line)=1\n"
      "Camera to Source (mm)=270\nObject to Source (mm)=200\nImage Pixel Size (um)=19.8\n"
      "Reference Intensity=57000\nRotation Step (deg)=0.4\nFlat Field Correction=ON\n",
      "1[General]\nVersion-pca=2\n[Geometry]\nFDD=500\nFOD=100\ncx=1\ncy=0.5\nCalibValue=2\n[CT]\n"
      "NumberImages=2\nRotationSector=360\n[Image]\nDimX=3\nDimY=2\nFreeRay=900\n[Detector]\n"
      "PixelsizeX=0.2\nPixelsizeY=0.4\n",
      "2[Scan info]\n[Camera settings]\nColumns = 3\nRows = 2\nBinned pixelsize (mm) = 0.3\n"
      "[Acquisition settings]\nCT start angle = 0\nCT stop angle = 360\ntotal projections = 4\n"
      "[CT-parameters IN]\nSOD = \"150\"\nSDD = \"600\"\nCOR = \"1.1\"\n",
      "3feldspar_scan = 1\nbeam = \"cone\"\nsource_to_object = \"100 mm\"\nsource_to_detector = \"0.5 m\"\n"
      "[images]\nprojections = \"p*.tif\"\nwhite_level = 1000\n[detector]\npixel_size = \"200 um\"\n"
      "[angles]\nturn = \"clockwise\"\nrange = \"360 deg\"\n",
      "4<NSI Reconstruction Project>\n<Project Name>a\n<Object Radiograph>\n<file>R\\r*.tif\n<pitch>0.5 "
      "0.25\n"
      "<number>2\n<angleStep>90\n</Object "
      "Radiograph>\n<Correction>\n<flipH>True\n<rotate>270\n</Correction>\n"
      "<Geometry>\n<Processed>\n<clockwise>True\n</Processed>\n<Result>\n<source>0 0 -100\n<axis>0 -1 0\n"
      "<reference>0.5 -0.25 300\n<normal>0 0 1\n<horizontal>-1 0 0\n</Result>\n</Geometry>\n"
      "<CT Project Configuration>\n<Technique Configuration>\n<Detector>\n<width pixels>3\n<height pixels>2\n"
      "</Detector>\n</Technique Configuration>\n</CT Project Configuration>\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace feldspar;
  constexpr const char* names[]{"a.log", "a.pca", "a.txt", "a.toml", "a.nsipro"};
  if (size == 0) return 0;
  fuzz::expect_errors_only([&] {
    (void)io::open_scan(fuzz::write_scratch(names[(data[0] - '0' + 50) % 5], data + 1, size - 1),
                        {.headers_only = true});
  });
  return 0;
}
