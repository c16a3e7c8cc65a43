#include "recon/truncation/extended_filter.hpp"

#include <algorithm>

namespace feldspar::recon {
namespace {

constexpr std::size_t wide_bytes = std::size_t{64} << 20;  // of the continued rows that are held at a time

std::size_t wide_pixels(const FdkSetup& setup, const Extension& extension, int rows) {
  return static_cast<std::size_t>(extension.width(setup.columns)) * static_cast<std::size_t>(rows);
}

int views_at_once(const FdkSetup& setup, const Extension& extension, int rows) {
  const std::size_t fit = wide_bytes / (wide_pixels(setup, extension, rows) * sizeof(float));
  return static_cast<int>(std::clamp<std::size_t>(fit, 1, 64));
}

/// Samples across and along `rows` rows of the model, wherever they begin.
int samples_across(const Extension& extension) {
  return extension.model_columns.count() / extension.model_step + 1;
}
int samples_along(const Extension& extension, int rows) { return (rows - 1) / extension.model_step + 3; }

std::size_t model_samples(const Extension& extension, int rows) {
  return static_cast<std::size_t>(samples_across(extension)) *
         static_cast<std::size_t>(samples_along(extension, rows));
}

}  // namespace

std::size_t ExtendedFilter::workspace_bytes(const FdkSetup& setup, const Extension& extension, int rows) {
  const auto views = static_cast<std::size_t>(views_at_once(setup, extension, rows));
  return views * sizeof(float) * (wide_pixels(setup, extension, rows) + model_samples(extension, rows));
}

ExtendedFilter::ExtendedFilter(kernels::Backend& backend, const FdkSetup& setup, const Extension& extension,
                               const kernels::RampOptions& ramp, int rows)
    : backend_(backend),
      setup_(setup),
      extension_(extension),
      views_at_once_(views_at_once(setup, extension, rows)),
      extender_(backend.make_row_extender()),
      filter_(backend.make_filter({.columns = extension.width(setup.columns), .ramp = ramp})),
      wide_(backend, wide_pixels(setup, extension, rows) * static_cast<std::size_t>(views_at_once_),
            "continued rows"),
      model_(backend, model_samples(extension, rows) * static_cast<std::size_t>(views_at_once_),
             "what continues rows") {
  if (!extension.context) return;
  projector_ = backend.make_forward_projector();
  if (backend.uses_host_memory()) return;
  const auto voxels = extension.context->voxels();
  context_.emplace(backend, voxels.size(), "the wide volume");
  context_->upload(voxels.data, voxels.size());
}

void ExtendedFilter::apply(geometry::Range views, geometry::Range rows,
                           kernels::DeviceView3<float> projections) {
  const int step = extension_.model_step, width = extension_.width(setup_.columns);
  const kernels::ModelSampling sampling{
      .first_column = extension_.model_columns.first, .first_row = rows.first / step, .step = step};
  const int samples = (rows.end - 1) / step + 2 - sampling.first_row;
  for (int first = views.first; first < views.end; first += views_at_once_) {
    const geometry::Range group{first, std::min(views.end, first + views_at_once_)};
    const std::size_t plane = static_cast<std::size_t>(projections.nx) * rows.count();
    const kernels::DeviceView3<float> part{projections.data + plane * (group.first - views.first),
                                           projections.nx, projections.ny, group.count()};
    const auto model = model_.view(samples_across(extension_), samples, group.count());
    const auto wide = wide_.view(width, rows.count(), group.count());
    expect(group, sampling, model);
    extender_->extend(extension_.rows, rows.first, part, sampling, model, wide);
    const auto from = static_cast<std::size_t>(group.first), count = static_cast<std::size_t>(group.count());
    const std::span<const float> all(extension_.column_weights);
    filter_->apply(std::span(extension_.weights).subspan(from, count),
                   all.empty() ? all : all.subspan(from * width, count * width), rows.first, wide);
    extender_->crop(extension_.rows, wide, part);
  }
}

void ExtendedFilter::expect(geometry::Range views, const kernels::ModelSampling& sampling,
                            kernels::DeviceView3<float> model) {
  if (!extension_.context) return expect_chords(views, sampling, model);
  const Context& context = *extension_.context;
  const int step = extension_.model_step;
  std::vector<geometry::View> coarse;
  for (int n = views.first; n < views.end; ++n) {
    geometry::View view = context.placement().moved(
        from_pixel(setup_.views[static_cast<std::size_t>(n)], sampling.first_column, 0));
    view.column_step = static_cast<double>(step) * view.column_step;
    view.row_step = static_cast<double>(step) * view.row_step;
    coarse.push_back(view);
  }
  model_.fill_zero(model.size());
  const auto voxels = context.voxels();
  const kernels::DeviceView3<const float> volume{context_ ? context_->view(1, 1, 1).data : voxels.data,
                                                 voxels.nx, voxels.ny, voxels.nz};
  projector_->accumulate(coarse, {{0, model.nx}, {sampling.first_row, sampling.first_row + model.ny}}, model,
                         context.grid(), {0, context.grid().nz}, volume);
}

void ExtendedFilter::expect_chords(geometry::Range views, const kernels::ModelSampling& sampling,
                                   kernels::DeviceView3<float> model) {
  std::vector<float> chords;
  chords.reserve(model.size());
  for (int n = views.first; n < views.end; ++n)
    for (int j = 0; j < model.ny; ++j)
      for (int i = 0; i < model.nx; ++i)
        chords.push_back(static_cast<float>(
            chord(extension_.outline, setup_.views[static_cast<std::size_t>(n)],
                  sampling.first_column + i * sampling.step, (sampling.first_row + j) * sampling.step)));
  model_.upload(chords.data(), chords.size());
  backend_.wait();
}

}  // namespace feldspar::recon
