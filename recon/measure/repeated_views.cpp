// Rows are compared by a hash, and what that finds by all pixels.
#include "recon/measure/repeated_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace feldspar::recon {
namespace {

class Views {
 public:
  explicit Views(const io::ScanSource& source)
      : source_(source), pixel_bytes_(io::bytes_of(source.count_type())) {}

  /// Visits the middle row of each view, in batches that suit files of many frames a chunk.
  template <class Visit>
  void for_middle_rows(std::span<const int> indices, const Visit& visit) const {
    constexpr std::size_t at_once = 64;
    const geometry::Detector& d = source_.scan().detector;
    const std::size_t bytes = static_cast<std::size_t>(d.columns) * pixel_bytes_;
    std::vector<char> rows(at_once * bytes);
    for (std::size_t first = 0; first < indices.size(); first += at_once) {
      const auto some = indices.subspan(first, std::min(at_once, indices.size() - first));
      source_.read(some, {{0, d.columns}, {d.rows / 2, d.rows / 2 + 1}}, rows.data());
      for (std::size_t n = 0; n < some.size(); ++n)
        visit(first + n, std::string_view(rows.data() + n * bytes, bytes));
    }
  }

  [[nodiscard]] std::vector<char> whole(int view) const {
    const geometry::Detector& d = source_.scan().detector;
    std::vector<char> counts(static_cast<std::size_t>(d.columns) * static_cast<std::size_t>(d.rows) *
                             pixel_bytes_);
    source_.read(std::span(&view, 1), {{0, d.columns}, {0, d.rows}}, counts.data());
    return counts;
  }

  [[nodiscard]] bool is_constant(std::string_view counts) const {
    return counts.substr(pixel_bytes_) == counts.substr(0, counts.size() - pixel_bytes_);
  }

  [[nodiscard]] double value_of(const char* count) const {
    std::uint16_t integer = 0;
    float number = 0;
    if (source_.count_type() == io::CountType::float32)
      std::memcpy(&number, count, sizeof number);
    else
      std::memcpy(&integer, count, sizeof integer), number = integer;
    return static_cast<double>(number);
  }

 private:
  const io::ScanSource& source_;
  std::size_t pixel_bytes_;
};

/// "3, 7, 8 and 12 more".
std::string list_of(const std::vector<std::string>& items) {
  constexpr std::size_t most = 20;
  std::string text;
  for (std::size_t n = 0; n < std::min(items.size(), most); ++n) text += (n > 0 ? ", " : "") + items[n];
  return items.size() > most ? text + fmt::format(" and {} more", items.size() - most) : text;
}

/// Views of equal middle rows, and those whose row is constant.
struct Suspects {
  std::vector<std::pair<int, int>> pairs;  ///< a view and the last one before it with the same row
  std::vector<int> constant;
};

Suspects suspects_of(const Views& views, std::span<const int> indices) {
  Suspects suspects;
  std::unordered_map<std::size_t, int> last;
  views.for_middle_rows(indices, [&](std::size_t n, std::string_view row) {
    if (views.is_constant(row)) {
      suspects.constant.push_back(indices[n]);
      return;
    }
    const auto [at, is_new] = last.emplace(std::hash<std::string_view>{}(row), indices[n]);
    if (!is_new) suspects.pairs.emplace_back(at->second, indices[n]), at->second = indices[n];
  });
  return suspects;
}

}  // namespace

Findings find_repeated_views(const io::ScanSource& source, std::span<const int> view_indices) {
  const Views views(source);
  if (view_indices.size() < 2) return {};
  const auto [pairs, constant] = suspects_of(views, view_indices);
  Findings findings;
  std::vector<std::string> neighbours, others, constants;
  // Whole views are compared while they are few: an object without noise that looks alike from all sides is
  // not.
  constexpr std::size_t most_compared = 100;
  for (std::size_t n = 0; n < std::min(pairs.size(), most_compared); ++n) {
    const auto [a, b] = pairs[n];
    if (views.whole(a) == views.whole(b))
      (b == a + 1 ? neighbours : others).push_back(fmt::format("{} and {}", a, b));
  }
  for (std::size_t n = 0; n < std::min(constant.size(), most_compared); ++n) {
    const std::vector<char> counts = views.whole(constant[n]);
    if (views.is_constant({counts.data(), counts.size()}))
      constants.push_back(fmt::format("{} ({})", constant[n], views.value_of(counts.data())));
  }
  const std::string more = pairs.size() > most_compared || constant.size() > most_compared
                               ? fmt::format(" (of more than {} looked at)", most_compared)
                               : "";
  if (!neighbours.empty())
    findings.push_back(
        {"views.repeated",
         fmt::format("{} pairs of neighbouring views are identical bit by bit{}: the detector or its file "
                     "stood still while the object turned; views, counted from 0: {}",
                     neighbours.size(), more, list_of(neighbours))});
  if (!others.empty() && 10 * others.size() <= view_indices.size())
    findings.push_back(
        {"views.repeated", fmt::format("{} views repeat another one bit by bit{}; views, counted from 0: {}",
                                       others.size(), more, list_of(others))});
  if (!constants.empty())
    findings.push_back(
        {"views.constant",
         fmt::format("{} views have one count in every pixel{}: they show nothing, and the volume is wrong "
                     "where they count; views, counted from 0, and their counts: {}",
                     constants.size(), more, list_of(constants))});
  return findings;
}

}  // namespace feldspar::recon
