#include "recon/correct/stripe_free_source.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/error.hpp"
#include "recon/line_integrals/line_integrals.hpp"

namespace feldspar::recon {

StripeFreeSource::StripeFreeSource(std::unique_ptr<io::ScanSource> inner, std::vector<int> view_indices,
                                   Options options)
    : WrappedSource(std::move(inner)),
      view_indices_(std::move(view_indices)),
      position_(scan().angles.size(), -1),
      options_(std::move(options)),
      host_(kernels::open_backend("cpu", {.threads = options_.threads, .budget = options_.budget})),
      pool_(options_.threads) {
  for (std::size_t n = 0; n < view_indices_.size(); ++n)
    position_[static_cast<std::size_t>(view_indices_[n])] = static_cast<int>(n);
  if (!options_.spec.empty()) correction_ = host_->make_correction(options_.spec);
}

std::size_t StripeFreeSource::bytes_a_row() const {
  return sizeof(float) * view_indices_.size() * static_cast<std::size_t>(scan().detector.columns);
}

std::size_t StripeFreeSource::bytes_a_thread(const io::ScanSource& source, std::size_t views) {
  constexpr std::size_t copies = 6;  // the sinogram, twice sorted, the order of views
  return copies * sizeof(float) * views * static_cast<std::size_t>(source.scan().detector.columns);
}

std::size_t StripeFreeSource::working_bytes() const {
  return bytes_a_thread(inner(), view_indices_.size()) * static_cast<std::size_t>(pool_.size());
}

std::shared_ptr<const StripeFreeSource::Rows> StripeFreeSource::make(geometry::Range rows) const {
  const auto& detector = scan().detector;
  const int views = static_cast<int>(view_indices_.size()), columns = detector.columns;
  auto made = std::make_shared<Rows>(Rows{
      rows, Array3<float>(columns, rows.count(), views, "rows in all views, for rings", options_.budget)});
  const int halo = kernels::halo(options_.spec);
  const geometry::Range wide{std::max(0, rows.first - halo), std::min(detector.rows, rows.end + halo)};
  LineIntegralReader reader(inner(), options_.budget);
  Array3<float> image(columns, wide.count(), 1, "a view, for rings", options_.budget);
  for (int n = 0; n < views; ++n) {
    const auto read = reader.read(view_indices_[static_cast<std::size_t>(n)], {{0, columns}, wide});
    std::memcpy(image.data(), read.data, read.bytes());
    float* const target = made->line_integrals.view().row(0, n);
    if (correction_)
      correction_->apply(n, wide, {image.data(), columns, wide.count(), 1}, rows,
                         {target, columns, rows.count(), 1});
    else
      std::memcpy(target, image.data(), read.bytes());
  }
  const Reservation room = options_.budget
                               ? Reservation(*options_.budget, working_bytes(), "sinograms, for rings")
                               : Reservation();
  std::vector<std::vector<float>> sinograms(static_cast<std::size_t>(pool_.size()));
  pool_.for_each(rows.count(), [&](std::ptrdiff_t row, int worker) {
    std::vector<float>& sinogram = sinograms[static_cast<std::size_t>(worker)];
    sinogram.resize(static_cast<std::size_t>(columns) * static_cast<std::size_t>(views));
    const View3<float> all = made->line_integrals.view(), one{sinogram.data(), columns, views, 1};
    for (int n = 0; n < views; ++n) std::copy_n(all.row(static_cast<int>(row), n), columns, one.row(n, 0));
    remove_stripes(one, options_.method);
    for (int n = 0; n < views; ++n) std::copy_n(one.row(n, 0), columns, all.row(static_cast<int>(row), n));
  });
  return made;
}

std::shared_ptr<const StripeFreeSource::Rows> StripeFreeSource::hold(geometry::Range rows) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& held : held_)
    if (held->rows.first <= rows.first && rows.end <= held->rows.end) return held;
  while (static_cast<int>(held_.size()) >= options_.held) held_.pop_front();
  held_.push_back(make(rows));
  return held_.back();
}

void StripeFreeSource::read(std::span<const int> views, const geometry::PixelWindow& window,
                            void* counts) const {
  const std::shared_ptr<const Rows> held = hold(window.rows);
  const View3<float> all = held->line_integrals.view();
  auto* out = static_cast<float*>(counts);
  for (const int view : views) {
    const int at = position_[static_cast<std::size_t>(view)];
    expects(at >= 0, "rings: a view is read that does not take part");
    for (int row = window.rows.first; row < window.rows.end; ++row)
      for (int column = window.columns.first; column < window.columns.end; ++column)
        *out++ = references_.white.front() * std::exp(-all(column, row - held->rows.first, at));
  }
}

namespace {

/// What the views of each column lose on average when `sinogram`, columns x views, is freed of stripes.
std::vector<double> mean_loss(View3<float> sinogram, StripeMethod method) {
  std::vector<double> loss(static_cast<std::size_t>(sinogram.nx));
  const auto add = [&](double sign) {
    for (int view = 0; view < sinogram.ny; ++view)
      for (int column = 0; column < sinogram.nx; ++column)
        loss[static_cast<std::size_t>(column)] +=
            sign * static_cast<double>(sinogram.row(view, 0)[column]) / sinogram.ny;
  };
  add(1);
  remove_stripes(sinogram, method);
  add(-1);
  return loss;
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// Columns x views x rows: three rows in the middle of the detector, or one where it has no more, in views
/// spread evenly.
Array3<float> middle_rows(const io::ScanSource& source, std::span<const int> view_indices, int views,
                          MemoryBudget& budget) {
  constexpr int apart = 4;  // rows, so that a bad pixel and its neighbours are in one of them only
  const geometry::Detector& detector = source.scan().detector;
  const int step = std::min(apart, (detector.rows - 1) / 2), rows = step > 0 ? 3 : 1;
  const int first = detector.rows / 2 - (rows > 1 ? step : 0);
  Array3<float> sinograms(detector.columns, views, rows, "sinograms to try the removal of stripes on",
                          &budget);
  LineIntegralReader reader(source, &budget);
  for (int n = 0; n < views; ++n) {
    const std::size_t at =
        view_indices.size() * static_cast<std::size_t>(n) / static_cast<std::size_t>(views);
    const auto values =
        reader.read(view_indices[at], {{0, detector.columns}, {first, first + (rows - 1) * step + 1}});
    for (int row = 0; row < rows; ++row)
      std::copy_n(values.row(row * step, 0), detector.columns, sinograms.view().row(n, row));
  }
  return sinograms;
}

}  // namespace

StripeCost cost_of_stripes(const io::ScanSource& source, std::span<const int> view_indices,
                           StripeMethod method, MemoryBudget& budget, int most) {
  const int views = std::min(most, static_cast<int>(view_indices.size()));
  Array3<float> sinograms = middle_rows(source, view_indices, views, budget);
  const View3<float> all = sinograms.view();
  for (float& value : all.values())
    if (!std::isfinite(value)) value = 0;
  const double power =
      std::inner_product(all.values().begin(), all.values().end(), all.values().begin(), 0.0);
  std::vector<std::vector<double>> losses;
  for (int row = 0; row < all.nz; ++row)
    losses.push_back(mean_loss({all.row(0, row), all.nx, all.ny, 1}, method));
  double own = 0, across = 0;
  for (std::size_t row = 0; row < losses.size(); ++row) {
    own += product(losses[row], losses[row]);
    across += product(losses[row], losses[(row + 1) % losses.size()]);
  }
  return {.taken = power > 0 ? std::sqrt(own * all.ny / power) : 0,
          .shared = losses.size() > 1 && own > 0 ? across / own : 0,
          .views = all.ny};
}

}  // namespace feldspar::recon
