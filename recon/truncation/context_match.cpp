#include "recon/truncation/context_match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "kernels/forward_projector.hpp"
#include "recon/device_array.hpp"
#include "recon/measure/projection_sample.hpp"

namespace feldspar::recon {
namespace {

/// Blocks of `size` x `size` pixels of the detector; what does not fill a block is left out.
struct Blocks {
  int size, across, along;
};

/// Line integrals averaged over blocks.
std::vector<float> measured(const io::ScanSource& source, int view, const Blocks& blocks,
                            MemoryBudget& budget) {
  constexpr float darkest = 1e-5f;  // as no signal
  std::size_t saturated = 0;
  const Array3<float> image = transmissions(source, view, saturated, budget);
  std::vector<float> means;
  for (int j = 0; j < blocks.along; ++j)
    for (int i = 0; i < blocks.across; ++i) {
      double sum = 0;
      for (int row = j * blocks.size; row < (j + 1) * blocks.size; ++row)
        for (int column = i * blocks.size; column < (i + 1) * blocks.size; ++column)
          sum -= std::log(std::max(image(column, row, 0), darkest));
      means.push_back(static_cast<float>(sum / (static_cast<double>(blocks.size) * blocks.size)));
    }
  return means;
}

/// The context's line integrals through the middles of the blocks.
std::vector<float> expected(const geometry::View& view, const Blocks& blocks, kernels::Backend& backend,
                            const Context& context, const kernels::DeviceView3<const float>& voxels) {
  const double middle = 0.5 * (blocks.size - 1);
  geometry::View coarse = context.placement().moved(from_pixel(view, middle, middle));
  coarse.column_step = static_cast<double>(blocks.size) * coarse.column_step;
  coarse.row_step = static_cast<double>(blocks.size) * coarse.row_step;
  std::vector<float> values(static_cast<std::size_t>(blocks.across) * static_cast<std::size_t>(blocks.along));
  DeviceArray3<float> image(backend, values.size(), "a projection of the wide volume");
  image.fill_zero(values.size());
  backend.make_forward_projector()->accumulate(std::span(&coarse, 1), {{0, blocks.across}, {0, blocks.along}},
                                               image.view(blocks.across, blocks.along, 1), context.grid(),
                                               {0, context.grid().nz}, voxels);
  image.download(values.data(), values.size());
  backend.wait();
  return values;
}

}  // namespace

ContextMatch match_context(const io::ScanSource& source, const geometry::CircularScan& scan,
                           std::span<const int> view_indices, const Resources& resources,
                           const Context& context, int count) {
  kernels::Backend& backend = resources.backend;
  const std::vector<geometry::View> views = geometry::make_views(scan);
  const geometry::Detector& d = scan.detector;
  const double pixel = d.column_pitch / scan.magnification();
  const int size =
      std::clamp(static_cast<int>(context.grid().spacing.x / pixel), 1, std::min(d.columns, d.rows));
  const Blocks blocks{size, d.columns / size, d.rows / size};
  const auto host = context.voxels();
  std::optional<DeviceArray3<float>> copy;
  if (!backend.uses_host_memory()) {
    copy.emplace(backend, host.size(), "the wide volume");
    copy->upload(host.data, host.size());
  }
  const kernels::DeviceView3<const float> voxels{copy ? copy->view(1, 1, 1).data : host.data, host.nx,
                                                 host.ny, host.nz};
  count = std::min(count, static_cast<int>(view_indices.size()));
  double both = 0, squares = 0, power = 0;
  for (int n = 0; n < count; ++n) {
    const int view =
        view_indices[view_indices.size() * static_cast<std::size_t>(n) / static_cast<std::size_t>(count)];
    const auto p = measured(source, view, blocks, resources.budget),
               m = expected(views[static_cast<std::size_t>(view)], blocks, backend, context, voxels);
    for (std::size_t i = 0; i < p.size(); ++i) {
      both += static_cast<double>(p[i]) * static_cast<double>(m[i]);
      squares += static_cast<double>(m[i]) * static_cast<double>(m[i]);
      power += static_cast<double>(p[i]) * static_cast<double>(p[i]);
    }
  }
  const double gain = squares > 0 ? both / squares : 0;
  if (!(gain > 0.5 && gain < 2))
    throw Error(ErrorKind::bad_file,
                fmt::format("the wide volume's line integrals would have to be multiplied by {:.3g} to be "
                            "those of this scan; is it the same object, in 1/mm, and is --context-at right?",
                            gain));
  const double rest = std::max(0.0, power - gain * both);
  return {.gain = gain, .mismatch = std::sqrt(rest / power)};
}

}  // namespace feldspar::recon
