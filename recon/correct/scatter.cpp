// A scan source that multiplies the counts of another.
#include "recon/correct/scatter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/units.hpp"
#include "recon/correct/scatter_estimate.hpp"
#include "recon/measure/projection_sample.hpp"

namespace feldspar::recon {
namespace {

/// Where a pixel lies between the middles of blocks, along one side.
struct Between {
  int first, second;
  float part;  ///< of the second
};

Between between(int pixel, int size, int blocks) {
  const float place = std::clamp((static_cast<float>(pixel) + 0.5F) / static_cast<float>(size) - 0.5F, 0.0F,
                                 static_cast<float>(blocks - 1));
  const int first = static_cast<int>(place);
  return {first, std::min(first + 1, blocks - 1), place - static_cast<float>(first)};
}

class WithoutScatter final : public io::WrappedSource {
 public:
  WithoutScatter(std::unique_ptr<io::ScanSource> source, const ScatterModel& model)
      : WrappedSource(std::move(source)),
        model_(model),
        grid_(BlockGrid::of(scan().detector.columns, scan().detector.rows)),
        shares_(scan().angles.size()) {}

  void estimate(const Resources& resources, Progress& progress) {
    kept_ = Reservation(resources.budget, scatter_bytes(inner()).kept, "the shares of scatter");
    const std::size_t working = scatter_bytes(inner()).estimating;
    ThreadPool pool(resources.threads_with(working));
    const KernelSpread spread = spread_in_blocks();
    progress.expect(static_cast<double>(shares_.size()));
    pool.for_each(static_cast<std::ptrdiff_t>(shares_.size()), [&](std::ptrdiff_t view, int) {
      std::size_t saturated = 0;
      const Array3<float> image = transmissions(inner(), static_cast<int>(view), saturated, resources.budget);
      shares_[static_cast<std::size_t>(view)] =
          primary_shares(means_of(image.view().values()), grid_, model_, spread);
      progress.advance(1, "estimating scatter");
    });
  }

  [[nodiscard]] io::CountType count_type() const override { return io::CountType::float32; }

  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    const std::size_t plane =
        static_cast<std::size_t>(window.columns.count()) * static_cast<std::size_t>(window.rows.count());
    auto* const values = static_cast<float*>(counts);
    if (inner().count_type() == io::CountType::uint16)
      read_widened(views, window, plane * views.size(), values);
    else
      inner().read(views, window, values);
    for (std::size_t n = 0; n < views.size(); ++n)
      correct(shares_[static_cast<std::size_t>(views[n])], window, values + n * plane);
  }

 private:
  [[nodiscard]] KernelSpread spread_in_blocks() const {
    const auto& detector = scan().detector;
    const double way = scan().source_detector_distance - scan().source_object_distance;
    const auto blocks = [&](double degrees, double pitch) {
      return way * std::tan(degrees * radians_per_degree) / (pitch * grid_.size);
    };
    return {.narrow_x = blocks(model_.narrow_degrees, detector.column_pitch),
            .narrow_y = blocks(model_.narrow_degrees, detector.row_pitch),
            .wide_x = blocks(model_.wide_degrees, detector.column_pitch),
            .wide_y = blocks(model_.wide_degrees, detector.row_pitch)};
  }

  /// Narrow counts are read into the second half of the room for wide ones and widened from the front: a
  /// value is never overwritten before it was read.
  void read_widened(std::span<const int> views, const geometry::PixelWindow& window, std::size_t count,
                    float* values) const {
    auto* const narrow = reinterpret_cast<std::byte*>(values) + count * sizeof(std::uint16_t);
    inner().read(views, window, narrow);
    for (std::size_t n = 0; n < count; ++n) {
      std::uint16_t value = 0;
      std::memcpy(&value, narrow + n * sizeof value, sizeof value);
      values[n] = value;
    }
  }

  /// Mean transmission of each block.
  [[nodiscard]] std::vector<float> means_of(std::span<const float> image) const {
    const int columns = scan().detector.columns, rows = scan().detector.rows;
    std::vector<double> sums(grid_.count()), pixels(grid_.count());
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) {
        const std::size_t block =
            static_cast<std::size_t>(row / grid_.size) * static_cast<std::size_t>(grid_.columns) +
            static_cast<std::size_t>(column / grid_.size);
        sums[block] += image[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
                             static_cast<std::size_t>(column)];
        pixels[block] += 1;
      }
    std::vector<float> means(sums.size());
    for (std::size_t n = 0; n < sums.size(); ++n) means[n] = static_cast<float>(sums[n] / pixels[n]);
    return means;
  }

  void correct(const std::vector<float>& shares, const geometry::PixelWindow& window, float* values) const {
    const auto columns = static_cast<std::size_t>(grid_.columns);
    std::vector<Between> across;
    for (int column = window.columns.first; column < window.columns.end; ++column)
      across.push_back(between(column, grid_.size, grid_.columns));
    std::vector<float> line(columns);
    for (int row = window.rows.first; row < window.rows.end; ++row) {
      const Between up = between(row, grid_.size, grid_.rows);
      const float *low = shares.data() + static_cast<std::size_t>(up.first) * columns,
                  *high = shares.data() + static_cast<std::size_t>(up.second) * columns;
      for (std::size_t n = 0; n < columns; ++n) line[n] = low[n] + up.part * (high[n] - low[n]);
      for (std::size_t i = 0; i < across.size(); ++i, ++values) {
        const float first = line[static_cast<std::size_t>(across[i].first)],
                    second = line[static_cast<std::size_t>(across[i].second)];
        const float dark = dark_at(window.columns.first + static_cast<int>(i), row);
        *values = dark + (*values - dark) * (first + across[i].part * (second - first));
      }
    }
  }

  [[nodiscard]] float dark_at(int column, int row) const {
    const std::vector<float>& dark = references().dark;
    if (dark.empty()) return 0;
    return dark.size() == 1
               ? dark.front()
               : dark[static_cast<std::size_t>(row) * static_cast<std::size_t>(scan().detector.columns) +
                      static_cast<std::size_t>(column)];
  }

  ScatterModel model_;
  BlockGrid grid_;
  std::vector<std::vector<float>> shares_;  ///< primary over all signal, by view and block
  Reservation kept_;
};

}  // namespace

ScatterModel parse_scatter(std::string_view text) {
  if (text == "off") return {};
  ScatterModel model;
  const auto colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  if (kind == "constant") model.kind = ScatterModel::Kind::constant;
  if (kind == "kernel") model.kind = ScatterModel::Kind::kernel;
  if (model.kind == ScatterModel::Kind::none || colon == std::string_view::npos ||
      !parse_number(text.substr(colon + 1), model.share) || !(model.share >= 0 && model.share < 1))
    throw Error(ErrorKind::usage,
                fmt::format("'{}' is not off, constant:SHARE or kernel:SHARE with a share from 0 to "
                            "1, like constant:0.02 of the open beam",
                            text));
  return model;
}

ScatterBytes scatter_bytes(const io::ScanSource& source) {
  const geometry::Detector& detector = source.scan().detector;
  constexpr std::size_t doubles = 8;  // a block, while a view is estimated
  const std::size_t blocks = BlockGrid::of(detector.columns, detector.rows).count();
  return {.estimating = transmissions_bytes(source) + blocks * doubles * sizeof(double),
          .kept = source.scan().angles.size() * (blocks * sizeof(float) + 64)};
}

std::unique_ptr<io::ScanSource> without_scatter(std::unique_ptr<io::ScanSource> source,
                                                const ScatterModel& model, const Resources& resources,
                                                Progress& progress) {
  if (model.kind == ScatterModel::Kind::none || model.share == 0) return source;
  if (model.kind == ScatterModel::Kind::kernel && source->scan().beam == geometry::Beam::parallel)
    throw Error(
        ErrorKind::unsupported,
        "scatter by a kernel: a parallel beam's scan does not say how far the object is from the detector",
        {{"scatter", "constant:SHARE"}});
  auto corrected = std::make_unique<WithoutScatter>(std::move(source), model);
  corrected->estimate(resources, progress);
  return corrected;
}

}  // namespace feldspar::recon
