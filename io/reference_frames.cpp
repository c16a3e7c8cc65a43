// Frames are compared by the means of at most 16 x 16 areas, in which noise is small and an object is not.
#include "io/reference_frames.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/error.hpp"
#include "io/numbered_names.hpp"

namespace feldspar::io {
namespace {

constexpr double sigmas_of_spread = 8, sigmas_of_noise = 10;
constexpr double sigma_of_deviation = 1.4826;  // of the median absolute deviation of a normal distribution

/// A frame in short.
struct Summary {
  std::vector<double> areas;  ///< mean counts
  double level = 0;           ///< their median
  double noise = 0;           ///< of a pixel, from its differences to the next one: structure makes it larger
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

double spread(std::vector<double> values) {
  const double middle = median(values);
  for (double& value : values) value = std::abs(value - middle);
  return sigma_of_deviation * median(std::move(values));
}

Summary summary_of(const float* counts, int columns, int rows) {
  constexpr int most_areas = 16;
  const int across = std::min(columns, most_areas), down = std::min(rows, most_areas);
  Summary summary;
  summary.areas.resize(static_cast<std::size_t>(across) * static_cast<std::size_t>(down));
  std::vector<int> pixels(summary.areas.size());
  double differences = 0;
  std::size_t pairs = 0;
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column, ++counts) {
      const auto count = static_cast<double>(*counts);
      if (!std::isfinite(count)) continue;
      const auto area = static_cast<std::size_t>(static_cast<std::int64_t>(row) * down / rows * across +
                                                 static_cast<std::int64_t>(column) * across / columns);
      summary.areas[area] += count, ++pixels[area];
      if (column > 0 && std::isfinite(counts[-1]))
        differences += std::abs(count - static_cast<double>(counts[-1])), ++pairs;
    }
  for (std::size_t n = 0; n < pixels.size(); ++n) summary.areas[n] /= std::max(pixels[n], 1);
  summary.level = median(summary.areas);
  if (pairs > 0) summary.noise = differences / static_cast<double>(pairs) * 0.8862;  // sqrt(pi) / 2
  return summary;
}

using Group = std::vector<const Summary*>;

template <class Value>
std::vector<double> of_each(const Group& group, const Value& value) {
  std::vector<double> values;
  for (const Summary* const frame : group) values.push_back(value(*frame));
  return values;
}

/// Why each flat does not agree with the others; empty where it does.
std::vector<std::string> doubts_of_flats(const Group& group, const std::vector<double>& typical, double level,
                                         double area_pixels) {
  std::vector<double> factors;
  for (const Summary* const frame : group) {
    std::vector<double> ratios;
    for (std::size_t k = 0; k < typical.size(); ++k)
      if (typical[k] > 0.1 * level) ratios.push_back(frame->areas[k] / typical[k]);
    factors.push_back(median(std::move(ratios)));
  }
  const bool has_spread = group.size() > 2;  // of two it says nothing
  const double of_levels = has_spread ? std::clamp(sigmas_of_spread * spread(factors), 0.2, 0.5) : 0.5;
  std::vector<std::size_t> areas(group.size());
  std::vector<double> worst(group.size());
  for (std::size_t k = 0; k < typical.size(); ++k) {
    std::vector<double> off;
    for (std::size_t n = 0; n < group.size(); ++n)
      off.push_back((group[n]->areas[k] - factors[n] * typical[k]) / level);
    const double of_area = std::min(has_spread ? sigmas_of_spread * spread(off) : 0.0, 0.3);
    for (std::size_t n = 0; n < group.size(); ++n) {
      const double noise = sigmas_of_noise * group[n]->noise / std::sqrt(area_pixels) / level;
      if (std::abs(off[n]) <= std::max({0.1, of_area, noise})) continue;
      ++areas[n], worst[n] = std::max(worst[n], std::abs(off[n]));
    }
  }
  std::vector<std::string> doubts(group.size());
  for (std::size_t n = 0; n < group.size(); ++n)
    if (std::abs(factors[n] - 1) > of_levels)
      doubts[n] = fmt::format("its level is {:.3g} times that of the others", factors[n]);
    else if (areas[n] > 0)
      doubts[n] = fmt::format("differs from the others by up to {:.0f} % of their level in {} of {} areas",
                              100 * worst[n], areas[n], typical.size());
  return doubts;
}

std::vector<std::string> doubts_of_darks(const Group& group, const std::vector<double>& typical) {
  const double noise = median(of_each(group, [](const Summary& frame) { return frame.noise; }));
  std::vector<std::string> doubts(group.size());
  for (std::size_t n = 0; n < group.size(); ++n) {
    double most = 0;
    for (std::size_t k = 0; k < typical.size(); ++k) {
      const double off = std::abs(group[n]->areas[k] - typical[k]);
      const double allowed =
          std::max(0.5 * std::abs(typical[k]), sigmas_of_noise * std::max(noise, group[n]->noise));
      if (off > allowed) most = std::max(most, off);
    }
    if (most > 0) doubts[n] = fmt::format("differs from the others by up to {:.0f} counts", most);
  }
  return doubts;
}

std::vector<std::string> doubts_of(const ReferenceFrames& frames, const Group& group) {
  if (group.size() < 2) return std::vector<std::string>(group.size());
  std::vector<double> typical;
  for (std::size_t k = 0; k < group.front()->areas.size(); ++k)
    typical.push_back(median(of_each(group, [k](const Summary& frame) { return frame.areas[k]; })));
  const double level = median(typical);
  const double pixels =
      static_cast<double>(frames.columns) * frames.rows / static_cast<double>(typical.size());
  return frames.open_beam && level > 0 ? doubts_of_flats(group, typical, level, pixels)
                                       : doubts_of_darks(group, typical);
}

class Averager {
 public:
  explicit Averager(const ReferenceFrames& frames) : frames_(frames) {}

  /// The mean of these frames; `summaries`, where given, receives theirs.
  ReferenceMean mean(const std::vector<int>& which, std::vector<Summary>* summaries) const {
    constexpr std::size_t at_once = 16 << 20;  // pixels: enough for a chunk of several frames
    const auto pixels = static_cast<std::size_t>(frames_.columns) * static_cast<std::size_t>(frames_.rows);
    if (which.empty()) return {};
    const std::size_t batch = std::clamp<std::size_t>(at_once / pixels, 1, which.size());
    std::vector<double> sum(pixels);
    std::vector<float> block(batch * pixels);
    for (std::size_t first = 0; first < which.size(); first += batch) {
      const auto some = std::span<const int>(which).subspan(first, std::min(batch, which.size() - first));
      frames_.read(some, block.data());
      for (std::size_t n = 0; n < some.size(); ++n) {
        const float* const counts = block.data() + n * pixels;
        for (std::size_t p = 0; p < pixels; ++p) sum[p] += static_cast<double>(counts[p]);
        if (summaries) summaries->push_back(summary_of(counts, frames_.columns, frames_.rows));
      }
    }
    for (std::size_t p = 0; p < pixels; ++p)
      block[p] = static_cast<float>(sum[p] / static_cast<double>(which.size()));
    block.resize(pixels);
    block.shrink_to_fit();
    return {std::move(block), static_cast<int>(which.size())};
  }

  /// Why each frame of a group is left out. Throws when no majority is left.
  std::vector<std::string> judge(const std::vector<int>& which, const std::vector<Summary>& summaries) const {
    Group group;
    for (const Summary& summary : summaries) group.push_back(&summary);
    std::vector<std::string> doubts = doubts_of(frames_, group);
    const auto out = static_cast<std::size_t>(
        std::count_if(doubts.begin(), doubts.end(), [](const std::string& doubt) { return !doubt.empty(); }));
    if (out == 0 || 2 * out < which.size()) return doubts;
    std::vector<std::string> names;
    for (std::size_t n = 0; n < which.size(); ++n)
      if (!doubts[n].empty()) names.push_back(fmt::format("{} ({})", frames_.name(which[n]), doubts[n]));
    throw Error(
        ErrorKind::bad_file,
        fmt::format("{}: the {} do not agree, and which of them are right cannot be told: {}; take the wrong "
                    "ones out",
                    frames_.source, frames_.kind, format_names(names)),
        frames_.open_beam ? Remedies{{"white-level", "", "give the open beam's counts with"}} : Remedies{});
  }

 private:
  const ReferenceFrames& frames_;
};

/// Two flats whose levels differ by more than drift explains may both be right, exposed for other times.
void mention_unlike(const ReferenceFrames& frames, const std::vector<int>& pair,
                    const std::vector<Summary>& summaries, Findings& findings) {
  const double a = summaries[0].level, b = summaries[1].level,
               share = std::abs(a - b) / (0.5 * std::abs(a + b));
  if (share > 0.2)
    findings.push_back({"references.contradicted",
                        fmt::format("{} and {} of the {} differ in level by {:.0f} %: their mean is used",
                                    frames.name(pair[0]), frames.name(pair[1]), frames.kind, 100 * share),
                        frames.kind});
}

}  // namespace

std::vector<ReferenceMean> means_of(const ReferenceFrames& frames,
                                    const std::vector<std::vector<int>>& groups, Findings& findings) {
  const Averager averager(frames);
  std::vector<ReferenceMean> means;
  std::vector<std::vector<Summary>> summaries(groups.size());
  std::vector<std::vector<std::string>> doubts;
  std::vector<double> levels;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    means.push_back(averager.mean(groups[g], &summaries[g]));
    doubts.push_back(averager.judge(groups[g], summaries[g]));
    for (std::size_t n = 0; n < groups[g].size(); ++n)
      if (doubts[g][n].empty()) levels.push_back(summaries[g][n].level);
    if (frames.open_beam && groups[g].size() == 2) mention_unlike(frames, groups[g], summaries[g], findings);
  }
  const double level = median(std::move(levels));
  std::vector<std::string> left_out;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::vector<int> kept;
    for (std::size_t n = 0; n < groups[g].size(); ++n) {
      const double factor = level > 0 ? summaries[g][n].level / level : 1;
      std::string& doubt = doubts[g][n];
      if (frames.open_beam && doubt.empty() && (factor < 0.5 || factor > 2.5))
        doubt = fmt::format("its level is {:.3g} times that of the others", factor);
      if (doubt.empty())
        kept.push_back(groups[g][n]);
      else
        left_out.push_back(fmt::format("{} ({})", frames.name(groups[g][n]), doubt));
    }
    if (kept.size() < groups[g].size()) means[g] = averager.mean(kept, nullptr);
  }
  if (!left_out.empty())
    findings.push_back({"references.left-out",
                        fmt::format("{} of the {} do not agree with the others and are left out: {}",
                                    left_out.size(), frames.kind, format_names(left_out)),
                        frames.kind});
  return means;
}

void expect_beam(const References& references, const std::string& source) {
  const auto mean = [](const std::vector<float>& counts) {
    double sum = 0;
    std::size_t finite = 0;
    for (const float count : counts)
      if (std::isfinite(count)) sum += static_cast<double>(count), ++finite;
    return finite > 0 ? sum / static_cast<double>(finite) : 0.0;
  };
  if (references.dark.empty() || references.white.empty()) return;
  const double white = mean(references.white), dark = mean(references.dark);
  if (white - dark > 0.02 * std::abs(white)) return;
  throw Error(
      ErrorKind::bad_file,
      fmt::format("{}: the open beam has {:.6g} counts on average and the dark {:.6g}, so one of them is "
                  "not what it is said to be; take the wrong frames out",
                  source, white, dark));
}

}  // namespace feldspar::io
