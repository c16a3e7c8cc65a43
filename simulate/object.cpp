// What every object can do from its line integrals alone.
#include "simulate/object.hpp"

#include "base/error.hpp"

namespace feldspar::simulate {
namespace {

double voxel_mean(const Object& object, const geometry::VolumeGrid& grid, geometry::Vec3 centre,
                  int samples) {
  double sum = 0;
  for (int b = 0; b < samples; ++b)
    for (int a = 0; a < samples; ++a) {
      const double x = centre.x + grid.spacing.x * ((a + 0.5) / samples - 0.5);
      const double y = centre.y + grid.spacing.y * ((b + 0.5) / samples - 0.5);
      sum += object.line_integral({x, y, centre.z - 0.5 * grid.spacing.z},
                                  {x, y, centre.z + 0.5 * grid.spacing.z});
    }
  return sum / (static_cast<double>(samples) * samples * grid.spacing.z);
}

}  // namespace

void Object::line_integrals(const ColumnOfRays& rays, std::span<double> integrals) const {
  geometry::Vec3 end = rays.lowest;
  for (std::size_t row = 0; row < integrals.size(); ++row) {
    end.z = rays.lowest.z + static_cast<double>(row) * rays.step;
    integrals[row] = line_integral(rays.source, end);
  }
}

void voxel_means(const Object& object, const geometry::VolumeGrid& grid, int samples, View3<float> volume,
                 ThreadPool& pool) {
  expects(volume.nx == grid.nx && volume.ny == grid.ny && volume.nz == grid.nz,
          "the truth volume and its grid differ in size");
  expects(samples >= 1, "a voxel needs at least one sample", ErrorKind::usage);
  pool.for_each(static_cast<std::ptrdiff_t>(grid.ny) * grid.nz, [&](std::ptrdiff_t line, int) {
    const int j = static_cast<int>(line % grid.ny), k = static_cast<int>(line / grid.ny);
    float* row = volume.row(j, k);
    for (int i = 0; i < grid.nx; ++i)
      row[i] = static_cast<float>(voxel_mean(object, grid, grid.centre_of(i, j, k), samples));
  });
}

}  // namespace feldspar::simulate
