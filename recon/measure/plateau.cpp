#include "recon/measure/plateau.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/reservation.hpp"
#include "base/stop.hpp"
#include "recon/measure/projection_sample.hpp"
#include "recon/measure/robust.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {
namespace {

constexpr std::size_t fewest = 30;    // pixels of a plateau
constexpr double least_share = 1e-4;  // of the pixels
constexpr float step = 1e-4f;         // of the highest count: what is just below it; at least one count
constexpr std::size_t more_than_below = 3;
constexpr float least_noise = 5e-4f;    // of the highest count
constexpr float least_noise_steps = 2;  // what is coarser than its noise has plateaus everywhere

/// Counts of one view as float32.
void read_counts(const io::ScanSource& source, int view, std::vector<float>& counts) {
  const auto& detector = source.scan().detector;
  const geometry::PixelWindow whole{{0, detector.columns}, {0, detector.rows}};
  stop_if_requested();
  if (source.count_type() == io::CountType::float32) {
    source.read(std::span(&view, 1), whole, counts.data());
    return;
  }
  std::vector<std::uint16_t> integers(counts.size());
  source.read(std::span(&view, 1), whole, integers.data());
  std::ranges::copy(integers, counts.begin());
}

/// Collects the highest count and how many pixels read it or a little less; and the noise of others.
class Top {
 public:
  void look_at(const std::vector<float>& counts) {
    for (const float count : counts)
      if (std::isfinite(count)) highest_ = std::max(highest_, count);
  }
  void tally(const std::vector<float>& counts, std::size_t columns) {
    const float below = highest_ - width();
    for (std::size_t n = 0; n < counts.size(); ++n) {
      at_ += counts[n] == highest_, just_below_ += counts[n] < highest_ && counts[n] >= below;
      if (n % columns < 4 || n % stride_ != 0) continue;
      const float* const c = counts.data() + n - 4;
      if (*std::max_element(c, c + 5) >= below) continue;
      constexpr float norm = 8.3666f;  // root of 70: fourth differences of noise, and hardly of an object
      roughness_.push_back(std::abs(c[0] - 4 * c[1] + 6 * c[2] - 4 * c[3] + c[4]) / norm);
    }
    all_ += counts.size();
  }
  [[nodiscard]] Plateau judge() {
    const float noise = 1.4826f * median(roughness_);
    const bool plateau =
        at_ >= std::max(fewest, static_cast<std::size_t>(least_share * static_cast<double>(all_))) &&
        at_ > more_than_below * just_below_ && noise > least_noise * highest_ &&
        noise > least_noise_steps * width();
    return plateau ? Plateau{highest_, static_cast<double>(at_) / static_cast<double>(all_)} : Plateau{};
  }

 private:
  [[nodiscard]] float width() const {
    return highest_ > 256 ? std::max(1.0f, step * highest_) : step * highest_;
  }

  static constexpr std::size_t stride_ = 7;  // of pixels whose noise is looked at
  float highest_ = 0;
  std::size_t at_ = 0, just_below_ = 0, all_ = 0;
  std::vector<float> roughness_;
};

class Saturating final : public io::WrappedSource {
 public:
  Saturating(std::unique_ptr<io::ScanSource> source, double level, MemoryBudget& budget)
      : WrappedSource(std::move(source)),
        room_(budget, bytes_of(inner().references()), "open-beam and dark images"),
        references_(inner().references()) {
    references_.saturation = static_cast<float>(level);
  }
  [[nodiscard]] const io::References& references() const override { return references_; }

 private:
  Reservation room_;
  io::References references_;
};

}  // namespace

std::unique_ptr<io::ScanSource> saturating_at(std::unique_ptr<io::ScanSource> source, double level,
                                              MemoryBudget& budget) {
  return std::make_unique<Saturating>(std::move(source), level, budget);
}

Plateau find_plateau(const io::ScanSource& source, std::span<const int> views, MemoryBudget& budget) {
  const std::size_t pixels = pixels_of(source);
  const Reservation room(budget, transmissions_bytes(source), "a projection");
  std::vector<float> counts(pixels);
  Top top;
  for (const int view : views) {
    read_counts(source, view, counts);
    top.look_at(counts);
  }
  for (const int view : views) {
    read_counts(source, view, counts);
    top.tally(counts, static_cast<std::size_t>(source.scan().detector.columns));
  }
  return top.judge();
}

}  // namespace feldspar::recon
