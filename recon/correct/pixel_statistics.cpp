#include "recon/correct/pixel_statistics.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "geometry/coverage.hpp"

namespace feldspar::recon {
namespace {

/// The median of a pixel and its neighbours on the detector.
float local_median(View3<const float> image, int column, int row) {
  std::array<float, 9> values{};
  std::size_t count = 0;
  for (int r = row - 1; r <= row + 1; ++r)
    for (int c = column - 1; c <= column + 1; ++c)
      if (r >= 0 && r < image.ny && c >= 0 && c < image.nx) values[count++] = image(c, r, 0);
  const auto middle = values.begin() + count / 2;
  std::nth_element(values.begin(), middle, values.begin() + count);
  return *middle;
}

/// The median of nine in 19 exchanges of a smaller with a larger (N. Devillard, "Fast median search", 1998),
/// which a compiler turns into vectors.
inline float median_of_nine(const float* a, const float* b, const float* c) {
  float p[9] = {a[-1], a[0], a[1], b[-1], b[0], b[1], c[-1], c[0], c[1]};
  const auto sort = [&](int i, int j) {
    const float low = std::min(p[i], p[j]), high = std::max(p[i], p[j]);
    p[i] = low, p[j] = high;
  };
  sort(1, 2), sort(4, 5), sort(7, 8), sort(0, 1), sort(3, 4), sort(6, 7), sort(1, 2), sort(4, 5), sort(7, 8);
  sort(0, 3), sort(5, 8), sort(4, 7), sort(3, 6), sort(1, 4), sort(2, 5), sort(4, 7), sort(4, 2), sort(6, 4);
  sort(4, 2);
  return p[4];
}

/// local_median() of a whole row.
void local_medians(View3<const float> image, int row, float* medians) {
  const int end = image.nx - 1;
  if (row == 0 || row + 1 == image.ny || end < 1) {
    for (int column = 0; column <= end; ++column) medians[column] = local_median(image, column, row);
    return;
  }
  const float *const above = image.row(row - 1, 0), *const here = image.row(row, 0),
                     *const below = image.row(row + 1, 0);
  medians[0] = local_median(image, 0, row), medians[end] = local_median(image, end, row);
  for (int column = 1; column < end; ++column)
    medians[column] = median_of_nine(above + column, here + column, below + column);
}

/// Adds views to the statistics, one after the other.
class Gatherer {
 public:
  Gatherer(PixelStatistics& seen, ThreadPool& pool, MemoryBudget* budget)
      : seen_(seen),
        pool_(pool),
        largest_(columns(), rows(), 2, "maps of pixels", budget),
        before_(columns(), rows(), 1, "a map of pixels", budget),
        medians_(columns(), pool.size(), 1, "rows of pixels", budget) {
    largest_.fill(0);
  }

  void average(View3<const float> image, float share) {
    const View3<float> means = seen_.means[seen_.views++ % 2].view();
    pool_.for_each(rows(), [&](std::ptrdiff_t line, int) {
      const float* const values = image.row(static_cast<int>(line), 0);
      float* const row = means.row(static_cast<int>(line), 0);
      for (int column = 0; column < columns(); ++column) row[column] += share * values[column];
    });
  }

  void judge(View3<const float> image) {
    pool_.for_each(rows(), [&](std::ptrdiff_t line, int worker) {
      judge_row(image, static_cast<int>(line), medians_.view().row(worker, 0));
    });
    ++judged_;
  }

  void finish() {
    for (float& value : seen_.unrest.view().values()) value /= static_cast<float>(std::max(1, judged_ - 3));
  }

 private:
  [[nodiscard]] int columns() const { return seen_.unrest.view().nx; }
  [[nodiscard]] int rows() const { return seen_.unrest.view().ny; }

  void judge_row(View3<const float> image, int row, float* median) {
    local_medians(image, row, median);
    for (int column = 0; column < columns(); ++column) {
      const float value = image(column, row, 0), distance = value - median[column];
      seen_.lowest(column, row, 0) = std::min(seen_.lowest(column, row, 0), value);
      seen_.highest(column, row, 0) = std::max(seen_.highest(column, row, 0), value);
      const float change = judged_ == 0 ? 0 : distance - before_(column, row, 0);
      before_(column, row, 0) = distance;
      float &first = largest_(column, row, 0), &second = largest_(column, row, 1),
            square = 0.5f * change * change;
      if (square > first) std::swap(square, first);
      if (square > second) std::swap(square, second);
      seen_.unrest(column, row, 0) += square;
    }
  }

  PixelStatistics& seen_;
  ThreadPool& pool_;
  Array3<float> largest_;  ///< squares of each pixel that are left out of its unrest
  Array3<float> before_;   ///< the last view's distances from the median
  Array3<float> medians_;
  int judged_ = 0;
};

/// The share of every view in the mean of its half, and whether both halves are a full turn each: then by the
/// angles to the neighbours.
std::vector<float> shares_of_turn(std::span<const double> angles, std::span<const int> views, bool& full) {
  constexpr double most_steps = 2.2;  // mean steps to the next view: one that is missing
  std::vector<float> shares(views.size());
  full = views.size() > 3;
  for (const std::size_t half : {std::size_t{0}, std::size_t{1}}) {
    std::vector<double> own;
    for (std::size_t n = half; n < views.size(); n += 2)
      own.push_back(angles[static_cast<std::size_t>(views[n])]);
    const geometry::AngularCoverage turn = geometry::angular_coverage(own);
    const double count = static_cast<double>(own.size());
    full = full && turn.complete && turn.largest_gap < most_steps * turn.period / count;
    for (std::size_t n = 0; n < own.size(); ++n)
      shares[2 * n + half] = static_cast<float>(turn.complete ? turn.steps[n] / turn.period : 1 / count);
  }
  return shares;
}

}  // namespace

PixelStatistics::PixelStatistics(int columns, int rows, MemoryBudget* budget)
    : means{{columns, rows, 1, "a map of pixels", budget}, {columns, rows, 1, "a map of pixels", budget}},
      unrest(columns, rows, 1, "a map of pixels", budget),
      lowest(columns, rows, 1, "a map of pixels", budget),
      highest(columns, rows, 1, "a map of pixels", budget) {
  for (const Array3<float>* map : {&means[0], &means[1], &unrest}) map->fill(0);
  lowest.fill(std::numeric_limits<float>::max());
  highest.fill(std::numeric_limits<float>::lowest());
}

PixelStatistics gather(const io::ScanSource& source, std::span<const int> view_indices,
                       const StatisticsViews& most, ThreadPool& pool, MemoryBudget* budget) {
  const auto& detector = source.scan().detector;
  PixelStatistics seen(detector.columns, detector.rows, budget);
  Gatherer gatherer(seen, pool, budget);
  LineIntegralReader reader(source, budget);
  const std::size_t all = view_indices.size(), judged = std::min(all, static_cast<std::size_t>(most.judged)),
                    averaged = std::min(all, static_cast<std::size_t>(std::max(most.averaged, most.judged)));
  std::vector<int> views;
  for (std::size_t n = 0; n < averaged; ++n) views.push_back(view_indices[all * n / averaged]);
  const std::vector<float> shares = shares_of_turn(source.scan().angles, views, seen.full_turn);
  std::size_t next = 0;
  for (std::size_t n = 0; n < averaged; ++n) {
    const auto image = reader.read(views[n], pool);
    gatherer.average(image, shares[n]);
    if (n < averaged * next / judged) continue;
    gatherer.judge(image);
    ++next;
  }
  gatherer.finish();
  return seen;
}

}  // namespace feldspar::recon
