// Counts are brought to one white reference while they are read, so that nothing else needs to know.
#include "io/flat_series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "base/error.hpp"

namespace feldspar::io {
namespace {

double mean_of(const std::vector<float>& counts) {
  double sum = 0;
  for (const float count : counts) sum += static_cast<double>(count);
  return sum / static_cast<double>(counts.size());
}

class FlatSeriesSource final : public WrappedSource {
 public:
  FlatSeriesSource(std::unique_ptr<ScanSource> source, std::vector<FlatGroup> groups)
      : WrappedSource(std::move(source)), groups_(std::move(groups)) {
    const geometry::Detector& d = scan().detector;
    const std::size_t pixels = static_cast<std::size_t>(d.columns) * static_cast<std::size_t>(d.rows);
    const References& references = this->references();
    bool fits = groups_.size() > 1 && references.white.size() == pixels && references.dark.size() <= pixels;
    for (const FlatGroup& group : groups_) fits = fits && group.counts.size() == pixels;
    expects(fits, "with_flats_in_time: flats, views and source do not fit");
    findings_ = inner().findings();
    findings_.push_back({"flats.interpolated", finding()});
  }

  [[nodiscard]] const Findings& findings() const override { return findings_; }
  [[nodiscard]] CountType count_type() const override { return CountType::float32; }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override;

 private:
  [[nodiscard]] std::string finding() const;
  template <class Count>
  void read_as(std::span<const int> views, const geometry::PixelWindow& window, float* counts) const;
  void scale(int view, const geometry::PixelWindow& window, float* counts) const;

  std::vector<FlatGroup> groups_;
  Findings findings_;
};

std::string FlatSeriesSource::finding() const {
  std::string sizes;
  double least = mean_of(groups_[0].counts), most = least;
  for (const FlatGroup& group : groups_) {
    sizes += fmt::format("{}{}", sizes.empty() ? "" : ", ", group.flats);
    const double mean = mean_of(group.counts);
    least = std::min(least, mean), most = std::max(most, mean);
  }
  return fmt::format(
      "the flats were taken in {} groups ({}) whose means differ by {:.2f} %: the open beam of each view is "
      "interpolated between them in time, and counts are brought to the mean of all flats",
      groups_.size(), sizes, most > 0 ? 100 * (most - least) / most : 0);
}

void FlatSeriesSource::read(std::span<const int> views, const geometry::PixelWindow& window,
                            void* counts) const {
  auto* const out = static_cast<float*>(counts);
  if (inner().count_type() == CountType::uint16)
    read_as<std::uint16_t>(views, window, out);
  else
    read_as<float>(views, window, out);
  const std::size_t pixels =
      static_cast<std::size_t>(window.columns.count()) * static_cast<std::size_t>(window.rows.count());
  for (std::size_t n = 0; n < views.size(); ++n) scale(views[n], window, out + n * pixels);
}

template <class Count>
void FlatSeriesSource::read_as(std::span<const int> views, const geometry::PixelWindow& window,
                               float* counts) const {
  if constexpr (std::is_same_v<Count, float>) {
    inner().read(views, window, counts);
  } else {
    std::vector<Count> stored(views.size() * static_cast<std::size_t>(window.columns.count()) *
                              static_cast<std::size_t>(window.rows.count()));
    inner().read(views, window, stored.data());
    std::copy(stored.begin(), stored.end(), counts);
  }
}

void FlatSeriesSource::scale(int view, const geometry::PixelWindow& window, float* counts) const {
  const double time = view + 0.5;  // between those before and those after it
  const auto later = std::find_if(groups_.begin(), groups_.end() - 1,
                                  [&](const FlatGroup& group) { return group.views_before >= time; });
  const FlatGroup& after = *later;
  const FlatGroup& before = later == groups_.begin() ? after : *(later - 1);
  const double span = after.views_before - before.views_before;
  const auto weight =
      static_cast<float>(span > 0 ? std::clamp((time - before.views_before) / span, 0.0, 1.0) : 1.0);
  const References& references = this->references();
  const float full = references.saturation;
  const float below_full = std::nextafter(full, 0.0F);
  const auto columns = static_cast<std::size_t>(scan().detector.columns);
  for (int row = window.rows.first; row < window.rows.end; ++row)
    for (int column = window.columns.first; column < window.columns.end; ++column, ++counts) {
      const std::size_t pixel = static_cast<std::size_t>(row) * columns + static_cast<std::size_t>(column);
      const float dark = references.dark.empty()       ? 0
                         : references.dark.size() == 1 ? references.dark[0]
                                                       : references.dark[pixel];
      const float beam = before.counts[pixel] + weight * (after.counts[pixel] - before.counts[pixel]) - dark;
      const float white = references.white[pixel] - dark;
      if (!(beam > 0 && white > 0) || (full > 0 && *counts >= full)) continue;
      const float scaled = (*counts - dark) * (white / beam) + dark;
      *counts = full > 0 ? std::min(scaled, below_full) : scaled;
    }
}

}  // namespace

bool may_keep_flats(std::size_t groups, std::size_t pixels) {
  constexpr std::size_t most_bytes = std::size_t{512} << 20;
  return groups <= most_bytes / sizeof(float) / std::max<std::size_t>(pixels, 1);
}

std::vector<float> mean_of_flats(const std::vector<FlatGroup>& groups) {
  std::vector<double> sum(groups.at(0).counts.size());
  double flats = 0;
  for (const FlatGroup& group : groups) {
    flats += group.flats;
    for (std::size_t n = 0; n < sum.size(); ++n) sum[n] += group.flats * static_cast<double>(group.counts[n]);
  }
  std::vector<float> mean(sum.size());
  std::transform(sum.begin(), sum.end(), mean.begin(),
                 [flats](double value) { return static_cast<float>(value / flats); });
  return mean;
}

std::vector<float> mean_of_groups(const ReferenceFrames& frames,
                                  const std::map<int, std::vector<int>>& groups, std::vector<FlatGroup>& kept,
                                  Findings& findings) {
  std::vector<std::vector<int>> members;
  members.reserve(groups.size());
  for (const auto& [before, group] : groups) members.push_back(group);
  std::vector<ReferenceMean> means = means_of(frames, members, findings);
  std::size_t n = 0;
  for (const auto& [before, group] : groups) {
    ReferenceMean& mean = means[n++];
    if (mean.frames > 0) kept.push_back({static_cast<double>(before), std::move(mean.counts), mean.frames});
  }
  if (kept.size() > 1) return mean_of_flats(kept);
  std::vector<float> only = kept.empty() ? std::vector<float>{} : std::move(kept.front().counts);
  kept.clear();
  return only;
}

std::unique_ptr<ScanSource> with_flats_in_time(std::unique_ptr<ScanSource> source,
                                               std::vector<FlatGroup> groups) {
  return std::make_unique<FlatSeriesSource>(std::move(source), std::move(groups));
}

}  // namespace feldspar::io
