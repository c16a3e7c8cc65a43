#include "recon/verify/mid_plane.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/parallel.hpp"
#include "kernels/forward_projector.hpp"
#include "kernels/shared/parts.hpp"
#include "recon/device_array.hpp"
#include "recon/line_integrals/upright_rows.hpp"

namespace feldspar::recon {
namespace {

using geometry::Range;

constexpr int views_at_once = 16;
constexpr std::size_t bytes_at_once = std::size_t{16} << 20;  // of the volume

double row_at(const geometry::View& view, double height) { return project(view, {0, 0, height}).row; }

/// The height nearest to the wanted one whose row is on the detector in every view.
double visible(const FdkSetup& setup, double height) {
  for (const geometry::View& view : setup.views) {
    const double row = row_at(view, height), cut = std::clamp(row, 0.0, setup.rows - 1.0);
    if (row == cut) continue;
    const double a = row_at(view, 0), b = row_at(view, 1);  // linear in the height for an upright detector
    height = (cut - a) / (b - a);
  }
  return height;
}

/// Between which slices, not cut to the grid, the rays at `height` can pass where they are above or below it.
struct Slices {
  double lowest = 0, highest = 0;
};
Slices rays_between(const geometry::VolumeGrid& grid, const std::vector<geometry::View>& views,
                    double height) {
  const geometry::Vec3 a = grid.origin, b = grid.centre_of(grid.nx - 1, grid.ny - 1, grid.nz - 1);
  const double reach =
      std::hypot(std::max(std::abs(a.x), std::abs(b.x)), std::max(std::abs(a.y), std::abs(b.y)));
  double lowest = height, highest = height;
  for (const geometry::View& view : views) {
    const double slope = view.is_parallel()
                             ? view.direction.z / std::hypot(view.direction.x, view.direction.y)
                             : (height - view.source.z) / std::hypot(view.source.x, view.source.y);
    const double lean = view.column_step.z / std::hypot(view.column_step.x, view.column_step.y);
    lowest = std::min(lowest, height - (std::abs(slope) + std::abs(lean)) * reach);
    highest = std::max(highest, height + (std::abs(slope) + std::abs(lean)) * reach);
  }
  const auto slice = [&](double z) { return (z - a.z) / grid.spacing.z; };
  return {slice(lowest), slice(highest)};
}

/// None of them leaves the grid above or below.
bool stay_within(const Slices& slices, const geometry::VolumeGrid& grid) {
  return slices.lowest >= -1 && slices.highest <= grid.nz;
}

Range slices_met(const geometry::VolumeGrid& grid, const Sinogram& like) {
  const Slices between = rays_between(grid, like.views, like.height);
  const auto cut = [&](double k) {
    return static_cast<int>(std::clamp(k, 0.0, static_cast<double>(grid.nz)));
  };
  return {cut(std::floor(between.lowest) - 1), cut(std::ceil(between.highest) + 2)};
}

/// The length of a view's ray through pixel (`column`, 0) within the grid's box, endless along z.
double chord(const geometry::VolumeGrid& grid, const geometry::View& view, int column) {
  const geometry::Vec3 pixel = view.pixel_origin + column * view.column_step;
  const geometry::Vec3 from = view.is_parallel() ? pixel : view.source;
  const geometry::Vec3 ray = view.is_parallel() ? view.direction : pixel - view.source;
  double enter = -INFINITY, leave = INFINITY;
  const auto cut = [&](double start, double step, double lowest, double spacing, int count) {
    const double a = (lowest - 0.5 * spacing - start) / step,
                 b = (lowest + (count - 0.5) * spacing - start) / step;
    enter = std::max(enter, std::min(a, b)), leave = std::min(leave, std::max(a, b));
  };
  cut(from.x, ray.x, grid.origin.x, grid.spacing.x, grid.nx);
  cut(from.y, ray.y, grid.origin.y, grid.spacing.y, grid.ny);
  return std::max(0.0, leave - enter) * std::hypot(ray.x, ray.y, ray.z);
}

double robust_deviation(std::vector<double> differences, double factor) {
  for (double& d : differences) d = std::abs(d);
  return 1.4826 * median(std::move(differences)) / factor;
}

/// Those that show a height in some view of `batch`.
Range rows_at(double height, Range batch, const FdkSetup& setup) {
  double lowest = setup.rows, highest = -1;
  for (int n = batch.first; n < batch.end; ++n) {
    const double row = row_at(setup.views[static_cast<std::size_t>(n)], height);
    lowest = std::min(lowest, row), highest = std::max(highest, row);
  }
  const auto cut = [&](double row) {
    return std::clamp(static_cast<int>(std::floor(row)), 0, setup.rows - 1);
  };
  return {cut(lowest), std::min(setup.rows, cut(highest) + 2)};
}

/// Fills the rows of `result` from `at` on with the views of `batch`.
void measure_views(Range batch, int at, const FdkSetup& setup, UprightRows& reader, Sinogram& result) {
  const UprightRows::Rows rows = reader.read(batch, rows_at(result.height, batch, setup));
  for (int n = batch.first; n < batch.end; ++n) {
    const geometry::View& view = setup.views[static_cast<std::size_t>(n)];
    const double row = std::clamp(row_at(view, result.height), 0.0, setup.rows - 1.0);
    const kernels::Parts<double> place = kernels::parts_of(row);
    const int below = std::min(static_cast<int>(place.whole) - rows.first, rows.values.ny - 1);
    const int above = std::min(below + 1, rows.values.ny - 1);
    const float share = static_cast<float>(place.fraction);
    const float* const a = rows.values.row(below, n - batch.first);
    const float* const b = rows.values.row(above, n - batch.first);
    const int to = at + n - batch.first;
    for (int i = 0; i < setup.columns; ++i) result.row(to)[i] = (1 - share) * a[i] + share * b[i];
    result.views[static_cast<std::size_t>(to)] = from_pixel(view, 0, row);
  }
}

Sinogram cast_slices(const geometry::VolumeGrid& grid, const std::function<Array3<float>(int, int)>& read,
                     const Sinogram& like, const Resources& resources) {
  kernels::Backend& backend = resources.backend;
  const std::size_t slice = slice_bytes(grid) / sizeof(float);
  const Range met = slices_met(grid, like);
  const int together = std::min(slices_at_once(grid), std::max(1, met.count()));
  const Reservation read_room(resources.budget, static_cast<std::size_t>(together) * slice_bytes(grid),
                              "slices of the volume");
  const auto projector = backend.make_forward_projector();
  Sinogram shadow = like;
  DeviceArray3<float> rays(backend, shadow.values.size(), "re-projected rays");
  DeviceArray3<float> part(backend, slice * static_cast<std::size_t>(together), "slices to re-project");
  rays.fill_zero(shadow.values.size());
  for (int first = met.first; first < met.end; first += together) {
    const int count = std::min(together, met.end - first);
    Array3<float> voxels = read(first, count);
    for (float& value : voxels.view().values())
      if (!std::isfinite(value)) value = 0;  // counted elsewhere; here it would hide the rest
    part.upload(voxels.data(), voxels.size());
    projector->accumulate(shadow.views, {{0, like.columns}, {0, 1}}, rays.view(like.columns, 1, like.count()),
                          grid, {first, first + count}, part.view(grid.nx, grid.ny, count));
    backend.wait();
  }
  rays.download(shadow.values.data(), shadow.values.size());
  backend.wait();
  return shadow;
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Sinogram take(const Sinogram& all, const ColumnGroups& groups) {
  const int columns = (all.trusted.end - groups.first - groups.together) / groups.stride + 1;
  Sinogram some{.columns = columns, .height = all.height, .trusted = {0, columns}};
  some.values.reserve(all.views.size() * static_cast<std::size_t>(groups.together * columns));
  for (int n = 0; n < all.count(); ++n)
    for (int within = 0; within < groups.together; ++within) {
      geometry::View view = all.views[static_cast<std::size_t>(n)];
      view.pixel_origin = view.pixel_origin + groups.column(0, within) * view.column_step;
      view.column_step = groups.stride * view.column_step;
      some.views.push_back(view);
      for (int group = 0; group < columns; ++group)
        some.values.push_back(all.row(n)[groups.column(group, within)]);
    }
  return some;
}

Sinogram measure_sinogram(const FdkJob& job, double height, const Resources& resources, int every) {
  const FdkSetup& setup = job.setup;
  Sinogram result{.columns = setup.columns,
                  .height = visible(setup, height),
                  .trusted = setup.measured,
                  .resampled = setup.rectification.has_value()};
  result.trusted = {std::max(0, result.trusted.first), std::min(setup.columns, result.trusted.end)};
  if (result.trusted.count() < 8) result.trusted = {0, setup.columns};
  const int all = static_cast<int>(setup.views.size());
  std::vector<Range> batches;
  for (int first = 0; first < all; first += every * views_at_once)
    batches.push_back({first, std::min(all, first + views_at_once)});
  const auto views = static_cast<std::size_t>(std::accumulate(
      batches.begin(), batches.end(), 0, [](int n, Range batch) { return n + batch.count(); }));
  result.values.resize(views * static_cast<std::size_t>(setup.columns));
  result.views.resize(views);
  ThreadPool pool(resources.threads_with(measuring_bytes(job)));
  std::vector<std::unique_ptr<UprightRows>> readers(static_cast<std::size_t>(pool.size()));
  pool.for_each(static_cast<std::ptrdiff_t>(batches.size()), [&](std::ptrdiff_t n, int worker) {
    auto& reader = readers[static_cast<std::size_t>(worker)];
    if (!reader)
      reader =
          std::make_unique<UprightRows>(job.source, setup, job.options.correction_spec(), resources.budget);
    measure_views(batches[static_cast<std::size_t>(n)], static_cast<int>(n) * views_at_once, setup, *reader,
                  result);
  });
  return result;
}

bool can_be_cast(const FdkSetup& setup, const geometry::VolumeGrid& grid, double height, double radius) {
  if (!stay_within(rays_between(grid, setup.views, height), grid)) return false;
  return std::all_of(setup.views.begin(), setup.views.end(), [&](const geometry::View& view) {
    double highest = height;  // of what another view meets behind the axis, seen before it
    if (!view.is_parallel()) {
      const double distance = std::hypot(view.source.x, view.source.y), r = std::min(radius, 0.9 * distance);
      highest = view.source.z + (height - view.source.z) * (distance + r) / (distance - r);
    }
    const double row = row_at(view, height), outermost = row_at(view, highest);
    return std::min(row, outermost) >= 0 && std::max(row, outermost) <= setup.rows - 1;
  });
}

double column_at_axis(const Sinogram& sinogram) {
  const geometry::View& view = sinogram.views.front();
  const double pitch = norm(view.column_step);
  if (view.is_parallel()) return pitch;
  const geometry::DetectorPoint axis = project(view, {0, 0, sinogram.height});
  const geometry::Vec3 pixel = view.pixel_origin + axis.column * view.column_step;
  return pitch * std::hypot(view.source.x, view.source.y) /
         std::hypot(pixel.x - view.source.x, pixel.y - view.source.y);
}

Sinogram cast(const FinishedVolume& volume, const Sinogram& like, const Resources& resources) {
  return cast_slices(volume.grid, volume.read, like, resources);
}

int slices_at_once(const geometry::VolumeGrid& grid) {
  return std::clamp(static_cast<int>(bytes_at_once / slice_bytes(grid)), 1, grid.nz);
}

std::size_t measuring_bytes(const FdkJob& job) {
  return UprightRows::bytes(job.source, job.setup, job.options.correction_spec(), views_at_once, 4);
}

std::size_t casting_bytes(const FdkSetup& setup, const geometry::VolumeGrid& grid) {
  return sizeof(float) * setup.views.size() * static_cast<std::size_t>(setup.columns) +
         2 * static_cast<std::size_t>(slices_at_once(grid)) * slice_bytes(grid);
}

Sinogram lengths_within(const geometry::VolumeGrid& grid, const Sinogram& like) {
  Sinogram lengths = like;
  const bool leave = !stay_within(rays_between(grid, like.views, like.height), grid);
  for (int n = 0; n < like.count(); ++n)
    for (int i = 0; i < like.columns; ++i)
      lengths.row(n)[i] =
          leave ? 0 : static_cast<float>(chord(grid, like.views[static_cast<std::size_t>(n)], i));
  return lengths;
}

int edge_columns(const Sinogram& sinogram) { return std::clamp(sinogram.columns / 32, 2, 32); }

bool is_whole(const Sinogram& measured) {
  const int margin = edge_columns(measured), first = measured.trusted.first, end = measured.trusted.end;
  std::vector<std::pair<double, double>> views;  // at the edges, and in all
  for (int n = 0; n < measured.count(); ++n) {
    const float* const p = measured.row(n);
    const auto mean = [&](int a, int b) { return std::accumulate(p + a, p + b, 0.0) / (b - a); };
    views.emplace_back(std::max({0.0, mean(first, first + margin), mean(end - margin, end)}),
                       std::abs(mean(first, end)));
  }
  // A few views that are dark or of something else say nothing of the object.
  std::sort(views.begin(), views.end());
  views.resize((views.size() * 9 + 9) / 10);
  double edges = 0, all = 0;
  for (const auto& [at_edges, within] : views) edges += at_edges, all += within;
  // The greater of two means of noise is above 0.
  const double of_noise = noise_of(measured) / std::sqrt(margin) * static_cast<double>(views.size());
  return edges < 0.1 * all + of_noise;
}

double noise_of(const Sinogram& sinogram) {
  std::vector<double> along, across;
  const int views = sinogram.count(), stride = std::max(1, views / 256);
  for (std::vector<double>* differences : {&along, &across})
    differences->reserve(static_cast<std::size_t>(views / stride + 1) *
                         static_cast<std::size_t>(sinogram.columns));
  for (int n = 0; n < views; n += stride)
    for (int i = sinogram.trusted.first + 1; i + 1 < sinogram.trusted.end; ++i) {
      const float* const p = sinogram.row(n);
      along.push_back(p[i - 1] - 2.0 * p[i] + p[i + 1]);
      if (n > 0 && n + 1 < views)
        across.push_back(sinogram.row(n - 1)[i] - 2.0 * p[i] + sinogram.row(n + 1)[i]);
    }
  const double from_columns = robust_deviation(std::move(along), std::sqrt(6.0));
  if (views < 3) return from_columns;
  const double from_views = robust_deviation(std::move(across), std::sqrt(6.0));
  return sinogram.resampled ? from_views : std::min(from_columns, from_views);
}

}  // namespace feldspar::recon
