#include "recon/slabs/slab_operators.hpp"

#include <span>

#include "recon/stopwatch.hpp"

namespace feldspar::recon {
namespace {

template <class T>
T& at(std::vector<T>& of_slots, int slot) {
  return of_slots[static_cast<std::size_t>(slot)];
}

template <class T>
std::span<const T> part(const std::vector<T>& all, geometry::Range batch) {
  return std::span(all).subspan(static_cast<std::size_t>(batch.first),
                                static_cast<std::size_t>(batch.count()));
}

}  // namespace

SlabOperators::SlabOperators(const io::ScanSource& source, kernels::Backend& backend, const FdkSetup& setup,
                             const SlabPlan& plan, const FdkOptions& options, FdkReport& report)
    : backend_(backend),
      setup_(setup),
      options_(options),
      report_(report),
      count_type_(source.count_type()),
      attenuation_(backend.make_attenuation({.columns = setup.source_columns,
                                             .rows = setup.source_rows,
                                             .white = source.references().white,
                                             .dark = source.references().dark,
                                             .saturation = source.references().saturation})),
      back_projector_(backend.make_back_projector(options.projector)) {
  const auto views = static_cast<std::size_t>(plan.views_per_batch);
  const std::size_t pixels = largest(plan, source_pixels) * views;
  line_integrals_.emplace(backend, pixels, "line integrals");
  if (options.extension)
    extended_filter_.emplace(backend, setup, *options.extension, ramp_of(setup, options.ramp),
                             static_cast<int>(largest(plan, [](const Slab& s) { return s.rows.count(); })));
  else
    filter_ = backend.make_filter({.columns = setup.columns, .ramp = ramp_of(setup, options.ramp)});
  for (int slot = 0; slot < slots; ++slot) {
    done_.push_back(backend.make_marker());
    if (!backend.uses_host_memory())
      counts_.emplace_back(backend, pixels * io::bytes_of(count_type_), "raw counts");
  }
  if (options.corrections && !options.corrections->spec.empty())
    correction_ = backend.make_correction(options.corrections->spec);
  if (setup.rectification) rectifier_ = backend.make_rectifier();
  if (!setup.rectification && options.halo_rows() == 0) return;
  upright_.emplace(backend,
                   largest(plan, [&](const Slab& s) { return s.rows.count(); }) * views *
                       static_cast<std::size_t>(setup.columns),
                   "upright projections");
}

void SlabOperators::bring(int slot, const void* raw, std::size_t bytes) {
  if (counts_.empty()) return;
  at(done_, slot)->wait();
  backend_.upload_beside(raw, at(counts_, slot).view(1, 1, 1).data, bytes);
}

void SlabOperators::add(const Slab& slab, geometry::Range batch, Counts counts,
                        kernels::DeviceView3<float> volume) {
  const auto stack = line_integrals(slab, batch, counts);
  {
    const Stopwatch time(report_.filter_s);
    filter(slab, batch, stack);
  }
  const Stopwatch time(report_.back_projection_s);
  back_projector_->accumulate(part(setup_.views, batch), slab.rows, stack, options_.grid, slab.slices,
                              volume);
  at(done_, counts.slot)->set();
  at(done_, (counts.slot + 1) % slots)->wait();
}

void SlabOperators::finish() {
  const Stopwatch time(report_.back_projection_s);
  backend_.wait();
}

kernels::DeviceView3<float> SlabOperators::line_integrals(const Slab& slab, geometry::Range batch,
                                                          Counts counts) {
  const int columns = slab.source_window.columns.count(), rows = slab.source_window.rows.count();
  auto stack = line_integrals_->view(columns, rows, batch.count());
  {
    const Stopwatch time(report_.attenuation_s);
    attenuate(slab, stack, counts_.empty() ? counts.raw : at(counts_, counts.slot).view(1, 1, 1).data);
  }
  if (correction_) {
    const Stopwatch time(report_.correction_s);
    stack = correct(slab, batch, stack);
  }
  if (setup_.rectification) {
    const Stopwatch time(report_.rectification_s);
    const auto upright = upright_->view(setup_.columns, slab.rows.count(), batch.count());
    rectifier_->apply(part(setup_.rectification->homographies, batch), setup_.source_columns,
                      setup_.source_rows, slab.source_window, stack, {{0, setup_.columns}, slab.rows},
                      upright);
    stack = upright;
  }
  return stack;
}

kernels::AttenuationTally SlabOperators::tally() const { return attenuation_->tally(); }

void SlabOperators::filter(const Slab& slab, geometry::Range batch, kernels::DeviceView3<float> stack) {
  if (extended_filter_) return extended_filter_->apply(batch, slab.rows, stack);
  const auto width = static_cast<std::size_t>(setup_.columns);
  const std::span<const float> all(setup_.column_weights);
  filter_->apply(part(setup_.weights, batch),
                 all.empty() ? all : all.subspan(width * batch.first, width * batch.count()), slab.rows.first,
                 stack);
}

/// Leaves the rows that are filtered next: all of them to a rectification, which finds its own.
kernels::DeviceView3<float> SlabOperators::correct(const Slab& slab, geometry::Range batch,
                                                   kernels::DeviceView3<float> stack) {
  const geometry::Range read = slab.source_window.rows, kept = setup_.rectification ? read : slab.rows;
  const auto corrected = kept == read ? stack : upright_->view(stack.nx, kept.count(), stack.nz);
  correction_->apply(batch.first, read, stack, kept, corrected);
  return corrected;
}

void SlabOperators::attenuate(const Slab& slab, kernels::DeviceView3<float> stack, void* raw) {
  if (count_type_ == io::CountType::uint16)
    attenuation_->apply(kernels::DeviceView3<const std::uint16_t>{static_cast<const std::uint16_t*>(raw),
                                                                  stack.nx, stack.ny, stack.nz},
                        slab.source_window, stack);
  else
    attenuation_->apply(
        kernels::DeviceView3<const float>{static_cast<const float*>(raw), stack.nx, stack.ny, stack.nz},
        slab.source_window, stack);
}

}  // namespace feldspar::recon
