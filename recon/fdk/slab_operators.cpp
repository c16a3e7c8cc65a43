#include "recon/fdk/slab_operators.hpp"

#include "recon/stopwatch.hpp"

namespace feldspar::recon {

SlabOperators::SlabOperators(const io::ScanSource& source, kernels::Backend& backend, const FdkSetup& setup,
                             const SlabPlan& plan, const FdkOptions& options, FdkReport& report)
    : backend_(backend),
      setup_(setup),
      options_(options),
      report_(report),
      line_integrals_(source, backend, setup, options.correction_spec(), plan.room(), report),
      back_projector_(backend.make_back_projector(options.projector)) {
  if (options.extension)
    extended_filter_.emplace(backend, setup, *options.extension, setup.ramp_of(options.ramp),
                             plan.room().rows);
  else
    filter_ = backend.make_filter({.columns = setup.columns, .ramp = setup.ramp_of(options.ramp)});
  for (auto& marker : done_) marker = backend.make_marker();
}

void SlabOperators::add(const Slab& slab, geometry::Range batch, Counts counts,
                        kernels::DeviceView3<float> volume) {
  const auto stack = line_integrals_.apply(slab, batch, counts);
  {
    const Stopwatch time(report_.filter_s);
    filter(slab, batch, stack);
  }
  const Stopwatch time(report_.back_projection_s);
  back_projector_->accumulate(part_of(setup_.views, batch), slab.rows, stack, options_.grid, slab.slices,
                              volume);
  done_[counts.slot]->set();
  done_[(counts.slot + 1) % slots]->wait();
}

void SlabOperators::finish() {
  const Stopwatch time(report_.back_projection_s);
  backend_.wait();
}

void SlabOperators::filter(const Slab& slab, geometry::Range batch, kernels::DeviceView3<float> stack) {
  if (extended_filter_) return extended_filter_->apply(batch, slab.rows, stack);
  const auto width = static_cast<std::size_t>(setup_.columns);
  const std::span<const float> all(setup_.column_weights);
  filter_->apply(part_of(setup_.weights, batch),
                 all.empty() ? all : all.subspan(width * batch.first, width * batch.count()), slab.rows.first,
                 stack);
}

}  // namespace feldspar::recon
