#include "recon/line_integrals/upright_rows.hpp"

#include <algorithm>

#include "base/stop.hpp"

namespace feldspar::recon {

namespace {

/// What the operators have of their own.
std::size_t bytes_of_copies(const io::ScanSource& source, const FdkOptions& options) {
  return bytes_of(source.references()) +
         (options.corrections ? 2 * kernels::bytes_of(options.corrections->spec) : 0);
}

}  // namespace

std::size_t UprightRows::bytes(const io::ScanSource& source, const FdkSetup& setup, const FdkOptions& options,
                               int views, int rows) {
  Slab slab;
  const int middle = setup.rows / 2;
  set_rows(slab, setup, {middle, std::min(setup.rows, middle + rows)}, options.halo_rows());
  const std::size_t upright = static_cast<std::size_t>(setup.columns) * slab.rows.count();
  return static_cast<std::size_t>(views) *
             (source_pixels(slab) * (io::bytes_of(source.count_type()) + sizeof(float)) +
              upright * sizeof(float)) +
         bytes_of_copies(source, options);
}

UprightRows::UprightRows(const io::ScanSource& source, const FdkSetup& setup, const FdkOptions& options,
                         MemoryBudget& budget)
    : source_(source),
      setup_(setup),
      options_(options),
      backend_(kernels::open_backend("reference", {.budget = &budget})),
      budget_(budget),
      copies_(budget, bytes_of_copies(source, options), "references to verify with") {
  options_.extension = nullptr;  // it acts after these rows
  options_.projector = {};
}

void UprightRows::make_room(const Slab& slab, int views) {
  const auto count = static_cast<std::size_t>(views);
  const std::size_t real = source_pixels(slab) * count;
  const std::size_t upright = static_cast<std::size_t>(setup_.columns) * slab.rows.count() * count;
  if (operators_ && real <= source_pixels_ && upright <= pixels_) return;
  operators_.reset(), raw_ = {};
  operators_ = std::make_unique<SlabOperators>(
      source_, *backend_, setup_, SlabPlan{.slabs = {slab}, .views_per_batch = views}, options_, report_);
  raw_ = Block(real * io::bytes_of(source_.count_type()), "raw counts to verify", &budget_);
  source_pixels_ = real, pixels_ = upright;
}

UprightRows::Rows UprightRows::read(geometry::Range batch, geometry::Range rows) {
  Slab slab;
  set_rows(slab, setup_, rows, options_.halo_rows());
  make_room(slab, batch.count());
  stop_if_requested();
  source_.read(std::span(setup_.view_indices)
                   .subspan(static_cast<std::size_t>(batch.first), static_cast<std::size_t>(batch.count())),
               slab.source_window, raw_.data());
  const auto stack = operators_->line_integrals(slab, batch, {0, raw_.data()});
  return {slab.rows.first, {stack.data, stack.nx, stack.ny, stack.nz}};
}

}  // namespace feldspar::recon
