#include "recon/correct/zingers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/error.hpp"
#include "base/reservation.hpp"

namespace feldspar::recon {
namespace {

constexpr float least_depth = 0.1f;   // of a line integral: a tenth more counts than there should be
constexpr float scatter_levels = 8;   // median deviations of the neighbours
constexpr double most_share = 0.001;  // of all values; so many are no single events

/// A view and the two beside it; at both ends of the scan, the two that follow or precede.
struct Neighbourhood {
  View3<const float> before, now, after;

  /// The value that should be there, when the pixel is hit.
  [[nodiscard]] std::optional<float> replacement(int column, int row) const {
    const float value = now(column, row, 0);
    if (value > std::min(before(column, row, 0), after(column, row, 0)) - least_depth) return {};
    std::array<float, 27> near{};
    std::size_t count = 0;
    for (const View3<const float>* view : {&before, &now, &after})
      for (int r = std::max(0, row - 1); r <= std::min(now.ny - 1, row + 1); ++r)
        for (int c = std::max(0, column - 1); c <= std::min(now.nx - 1, column + 1); ++c)
          near[count++] = (*view)(c, r, 0);
    const auto middle = near.begin() + count / 2, end = near.begin() + count;
    std::nth_element(near.begin(), middle, end);
    const float expected = *middle;
    for (auto n = near.begin(); n != end; ++n) *n = std::abs(*n - expected);
    std::nth_element(near.begin(), middle, end);
    if (value > expected - std::max(least_depth, scatter_levels * *middle)) return {};
    return expected;
  }
};

/// Three views in memory, the one at hand among them.
class Window {
 public:
  Window(const io::ScanSource& source, std::span<const int> views, MemoryBudget* budget)
      : views_(views),
        reader_(source, budget),
        columns_(source.scan().detector.columns),
        rows_(source.scan().detector.rows) {
    for (auto& image : images_) image = Array3<float>(columns_, rows_, 1, "views to find zingers in", budget);
  }

  [[nodiscard]] Neighbourhood around(int n) {
    const int last = static_cast<int>(views_.size()) - 1;
    const int before = n == 0 ? 2 : n - 1, after = n == last ? last - 2 : n + 1;
    for (const int view : {before, n, after}) load(view);
    return {image(before), image(n), image(after)};
  }

 private:
  [[nodiscard]] View3<const float> image(int n) const {
    return images_[static_cast<std::size_t>(n % 3)].view();
  }

  void load(int n) {
    int& held = held_[static_cast<std::size_t>(n % 3)];
    if (held == n) return;
    const auto values = reader_.read(views_[static_cast<std::size_t>(n)], {{0, columns_}, {0, rows_}});
    std::memcpy(images_[static_cast<std::size_t>(n % 3)].data(), values.data, values.bytes());
    held = n;
  }

  std::span<const int> views_;
  LineIntegralReader reader_;
  int columns_, rows_;
  std::array<Array3<float>, 3> images_;
  std::array<int, 3> held_{-1, -1, -1};
};

using Patches = std::vector<kernels::CorrectionPatch>;

/// Lets `patches` take those of all rows: their number is not known before, so they are counted as they grow.
void make_room(const std::vector<Patches>& of_rows, MemoryBudget* budget, Reservation& room,
               Patches& patches) {
  std::size_t count = patches.size();
  for (const Patches& more : of_rows) count += more.size();
  if (count <= patches.capacity()) return;
  const std::size_t capacity = count + count / 2;
  Reservation larger;
  if (budget) larger = Reservation(*budget, capacity * sizeof(Patches::value_type), "zingers");
  patches.reserve(capacity);
  room = std::move(larger);
}

}  // namespace

Zingers find_zingers(const io::ScanSource& source, std::span<const int> view_indices,
                     std::span<const std::int64_t> bad, ThreadPool& pool, MemoryBudget* budget) {
  Zingers found;
  const int columns = source.scan().detector.columns, rows = source.scan().detector.rows;
  const auto most =
      static_cast<std::size_t>(most_share * columns * rows * static_cast<double>(view_indices.size()));
  if (view_indices.size() < 3) {
    found.step = {"zingers: left alone, for they are told by three views or more"};
    return found;
  }
  Window window(source, view_indices, budget);
  Reservation room;
  std::vector<std::vector<kernels::CorrectionPatch>> of_rows(static_cast<std::size_t>(rows));
  for (int n = 0; n < static_cast<int>(view_indices.size()); ++n) {
    const Neighbourhood near = window.around(n);
    pool.for_each(rows, [&](std::ptrdiff_t row, int) {
      auto& patches = of_rows[static_cast<std::size_t>(row)];
      patches.clear();
      for (int column = 0; column < columns; ++column)
        if (const auto value = near.replacement(column, static_cast<int>(row))) {
          const std::int64_t pixel = row * columns + column;
          if (!std::ranges::binary_search(bad, pixel)) patches.push_back({n, pixel, *value});
        }
    });
    make_room(of_rows, budget, room, found.patches);
    for (const auto& patches : of_rows)
      found.patches.insert(found.patches.end(), patches.begin(), patches.end());
    if (found.patches.size() > std::max<std::size_t>(most, 100)) {
      found.step = {
          fmt::format("zingers: left alone, for more than {:.1f} % of the values up to view {} look like it",
                      100 * most_share, n)};
      found.patches.clear();
      return found;
    }
  }
  found.step = {found.patches.empty() ? "zingers: none"
                                      : fmt::format("zingers: {} values replaced by the median of their "
                                                    "neighbours in space and time",
                                                    found.patches.size()),
                !found.patches.empty()};
  return found;
}

}  // namespace feldspar::recon
