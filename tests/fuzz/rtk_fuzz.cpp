// RTK geometries with a MetaImage, and MetaImages with a geometry; the first byte chooses which.
#include "tests/fuzz/fuzz_target.hpp"

namespace {

const std::string geometry_text =
    "<?xml version=\"1.0\"?><RTKThreeDCircularGeometry version=\"3\">\n<!-- a -->"
    "<SourceToIsocenterDistance>1000</SourceToIsocenterDistance><SourceToDetectorDistance>1536"
    "</SourceToDetectorDistance><InPlaneAngle>1</InPlaneAngle><OutOfPlaneAngle>1</OutOfPlaneAngle>"
    "<SourceOffsetX>1</SourceOffsetX><SourceOffsetY>1</SourceOffsetY><Projection><GantryAngle>0</GantryAngle>"
    "<ProjectionOffsetX>2</ProjectionOffsetX></Projection><Projection><GantryAngle>90</GantryAngle></"
    "Projection>"
    "</RTKThreeDCircularGeometry>";

const std::string image_bytes =
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = True\nCompressedData = "
    "False\n"
    "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = -1 -1 0\nElementSpacing = 1 1 1\nDimSize = 3 2 2\n"
    "ElementType = MET_FLOAT\nElementDataFile = LOCAL\n" +
    std::string(48, '\x3e');

}  // namespace

std::vector<std::string> feldspar::fuzz::seeds() { return {"0" + geometry_text, "1" + image_bytes}; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace feldspar;
  if (size == 0) return 0;
  const std::string tried(data + 1, data + size);
  const bool tries_image = data[0] % 2 == 1;
  const auto write = [](const char* name, const std::string& text) {
    return fuzz::write_scratch(name, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  };
  write("a.mha", tries_image ? tried : image_bytes);
  const auto path = write("a.xml", tries_image ? geometry_text : tried);
  fuzz::expect_errors_only([&] { fuzz::read_scan(path); });
  return 0;
}
