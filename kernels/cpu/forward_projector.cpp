// Joseph's method on threads, with the arithmetic that the CUDA backend shares.
#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "kernels/cpu/operators.hpp"
#include "kernels/ray_view.hpp"

namespace feldspar::kernels::cpu {
namespace {

class CpuForwardProjector final : public ForwardProjector {
 public:
  explicit CpuForwardProjector(Machine& machine) : machine_(machine) {}

  void accumulate(std::span<const geometry::View> views, const geometry::PixelWindow& window,
                  DeviceView3<float> projections, const geometry::VolumeGrid& grid, geometry::Range slices,
                  DeviceView3<const float> volume) override {
    const View3<float> stack = on_host(projections);
    const std::vector<RayView> rays = ray_views(views, window, stack, grid, slices, on_host(volume));
    const RayBox box{grid.nx, grid.ny, slices.first, slices.end};
    machine_.pool.for_each(static_cast<std::ptrdiff_t>(stack.nz) * stack.ny, [&](std::ptrdiff_t line, int) {
      const int n = static_cast<int>(line / stack.ny), row = static_cast<int>(line % stack.ny);
      float* pixels = stack.row(row, n);
      for (int column = 0; column < stack.nx; ++column)
        pixels[column] += along(joseph_ray(rays[static_cast<std::size_t>(n)], box,
                                           window.columns.first + column, window.rows.first + row),
                                box, volume.data);
    });
  }

  /// Threads own slices, so that no voxel is written by two, and take its pixels in the same order.
  void accumulate_adjoint(std::span<const geometry::View> views, const geometry::PixelWindow& window,
                          DeviceView3<const float> projections, const geometry::VolumeGrid& grid,
                          geometry::Range slices, DeviceView3<float> volume) override {
    const View3<const float> stack = on_host(projections);
    const View3<float> voxels = on_host(volume);
    const std::vector<RayView> rays = ray_views(views, window, stack, grid, slices, voxels);
    const int shares = 4 * machine_.pool.size();
    const int height = std::max(least_height, (slices.count() + shares - 1) / shares);
    machine_.pool.for_each((slices.count() + height - 1) / height, [&](std::ptrdiff_t job, int) {
      const int first = slices.first + static_cast<int>(job) * height;
      const RayBox box{grid.nx, grid.ny, first, std::min(slices.end, first + height)};
      spread(rays, window, stack, box, voxels.row(0, first - slices.first));
    });
  }

 private:
  static constexpr int least_height = 4;  // slices: every ray is set up again for each share

  static std::vector<RayView> ray_views(std::span<const geometry::View> views,
                                        const geometry::PixelWindow& window, View3<const float> stack,
                                        const geometry::VolumeGrid& grid, geometry::Range slices,
                                        View3<const float> volume) {
    expects(stack.nx == window.columns.count() && stack.ny == window.rows.count() &&
                views.size() == static_cast<std::size_t>(stack.nz),
            "the projections have another size than the window and the views");
    expects(volume.nx == grid.nx && volume.ny == grid.ny && volume.nz == slices.count(),
            "the volume has another size than the slices of its grid");
    std::vector<RayView> rays;
    for (const geometry::View& view : views) rays.push_back(make_ray_view(view, grid));
    return rays;
  }

  /// The planes of a ray, to be summed.
  static RayRun run_of(const JosephRay& ray, const RayBox& box, const float* voxels) {
    const std::ptrdiff_t strides[] = {1, box.nx, static_cast<std::ptrdiff_t>(box.nx) * box.ny};
    const int first[] = {0, 0, box.first}, end[] = {box.nx, box.ny, box.end};
    const int a = ray.axis == 0 ? 1 : 0, b = ray.axis == 2 ? 1 : 2;
    return {.voxels = voxels,
            .plane_stride = strides[ray.axis],
            .a_stride = strides[a],
            .b_stride = strides[b],
            .plane_first = first[ray.axis],
            .a_last = end[a] - 1,
            .b_first = first[b],
            .b_last = end[b] - 1,
            .first = ray.first,
            .end = ray.end,
            .a0 = ray.a0,
            .a1 = ray.a1,
            .b0 = ray.b0,
            .b1 = ray.b1};
  }

  /// The line integral: most planes many at once, those at the rim of the box one by one.
  [[nodiscard]] float along(const JosephRay& ray, const RayBox& box, const float* voxels) const {
    if (std::ptrdiff_t{box.nx} * box.ny > RayRun::largest_stride) return line_integral(ray, box, voxels);
    RayRun run = run_of(ray, box, voxels);
    const float most = machine_.simd->sum_along_ray(run) * ray.length;
    JosephRay before = ray, behind = ray;
    before.end = run.first, behind.first = run.end;
    return most + line_integral(before, box, voxels) + line_integral(behind, box, voxels);
  }

  static void spread(const std::vector<RayView>& rays, const geometry::PixelWindow& window,
                     View3<const float> stack, const RayBox& box, float* voxels) {
    for (int n = 0; n < stack.nz; ++n)
      for (int row = 0; row < stack.ny; ++row)
        for (int column = 0; column < stack.nx; ++column) {
          const JosephRay ray = joseph_ray(rays[static_cast<std::size_t>(n)], box,
                                           window.columns.first + column, window.rows.first + row);
          const float value = stack(column, row, n) * ray.length;
          walk(ray, box, [&](std::ptrdiff_t voxel, float weight) { voxels[voxel] += weight * value; });
        }
  }

  Machine& machine_;
};

}  // namespace

std::unique_ptr<ForwardProjector> make_forward_projector(Machine& machine) {
  return std::make_unique<CpuForwardProjector>(machine);
}

}  // namespace feldspar::kernels::cpu
