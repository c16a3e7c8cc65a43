#include "recon/measure/projection_sample.hpp"

#include <algorithm>
#include <cmath>

#include "base/memory.hpp"
#include "base/stop.hpp"

namespace feldspar::recon {

std::size_t pixels_of(const io::ScanSource& source) {
  const geometry::Detector& detector = source.scan().detector;
  return static_cast<std::size_t>(detector.columns) * static_cast<std::size_t>(detector.rows);
}

std::size_t transmissions_bytes(const io::ScanSource& source) {
  return pixels_of(source) * (io::bytes_of(source.count_type()) + sizeof(float));
}

Array3<float> transmissions(const io::ScanSource& source, int view, std::size_t& saturated,
                            MemoryBudget& budget) {
  const auto& detector = source.scan().detector;
  const std::size_t pixels = pixels_of(source);
  const Block raw(pixels * io::bytes_of(source.count_type()), "a projection", &budget);
  stop_if_requested();
  source.read(std::span(&view, 1), {{0, detector.columns}, {0, detector.rows}}, raw.data());
  const io::References& references = source.references();
  const auto reference = [](const std::vector<float>& image, std::size_t n) {
    return image.empty() ? 0.0f : image[image.size() == 1 ? 0 : n];
  };
  Array3<float> image(detector.columns, detector.rows, 1, "a projection's transmissions", &budget);
  float* const values = image.data();
  for (std::size_t n = 0; n < pixels; ++n) {
    const float count = source.count_type() == io::CountType::uint16
                            ? static_cast<float>(static_cast<const std::uint16_t*>(raw.data())[n])
                            : static_cast<const float*>(raw.data())[n];
    saturated += references.saturation > 0 && count >= references.saturation;
    const float dark = reference(references.dark, n), beam = reference(references.white, n) - dark;
    const float transmission = (count - dark) / std::max(beam, 1.0f);
    values[n] = std::isfinite(transmission) ? transmission : 1.0f;
  }
  return image;
}

}  // namespace feldspar::recon
