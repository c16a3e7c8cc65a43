// A scan with every count in memory: made up, written by any writer, and read back by any reader.
#pragma once

#include <cstdint>
#include <filesystem>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "io/open_scan.hpp"
#include "io/scan_sink.hpp"

namespace feldspar::testing {

struct WholeScan {
  io::ScanContent content;
  std::vector<float> counts;  ///< all views
};

inline std::size_t pixels_of(const geometry::Detector& d) {
  return static_cast<std::size_t>(d.columns) * static_cast<std::size_t>(d.rows);
}

inline WholeScan random_scan(geometry::CircularScan scan, io::CountType type, unsigned seed) {
  std::mt19937 random(seed);
  WholeScan whole{{std::move(scan), type, {}, {}, {}}, {}};
  const std::size_t pixels = pixels_of(whole.content.scan.detector);
  for (std::size_t n = 0; n < pixels; ++n) {
    whole.content.references.white.push_back(50000 + static_cast<float>(random() % 100000) / 13);
    whole.content.references.dark.push_back(100 + static_cast<float>(random() % 1000) / 7);
  }
  whole.content.description.name = "a \"quoted\" name";
  for (std::size_t n = 0; n < pixels * whole.content.scan.angles.size(); ++n)
    whole.counts.push_back(type == io::CountType::uint16 ? static_cast<float>(random() % 65536)
                                                         : static_cast<float>(random()) / 7e6F);
  return whole;
}

inline void write(const WholeScan& whole, io::ScanSink& sink) {
  const std::size_t pixels = pixels_of(whole.content.scan.detector);
  for (std::size_t view = whole.content.scan.angles.size(); view-- > 0;) {  // in any order
    const float* const counts = whole.counts.data() + view * pixels;
    const std::vector<std::uint16_t> narrow(counts, counts + pixels);
    const bool floats = whole.content.type == io::CountType::float32;
    sink.write_view(static_cast<int>(view), floats ? static_cast<const void*>(counts) : narrow.data());
  }
  sink.finish();
}

inline WholeScan read(const std::filesystem::path& path, const io::OpenOptions& options = {}) {
  const auto source = io::open_scan(path, options);
  const geometry::Detector& d = source->scan().detector;
  WholeScan whole{{source->scan(), source->count_type(), source->references(), source->description(), {}},
                  {}};
  std::vector<int> views(source->scan().angles.size());
  std::iota(views.begin(), views.end(), 0);
  const std::size_t size = pixels_of(d) * views.size();
  const geometry::PixelWindow window{{0, d.columns}, {0, d.rows}};
  if (source->count_type() == io::CountType::float32) {
    whole.counts.resize(size);
    source->read(views, window, whole.counts.data());
  } else {
    std::vector<std::uint16_t> narrow(size);
    source->read(views, window, narrow.data());
    whole.counts.assign(narrow.begin(), narrow.end());
  }
  return whole;
}

}  // namespace feldspar::testing
