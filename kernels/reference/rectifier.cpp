#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "kernels/reference/operators.hpp"

namespace feldspar::kernels::reference {
namespace {

/// Keys' cubic convolution kernel (IEEE Trans. ASSP 29, 1153, 1981) with a = -1/2.
double cubic(double x) {
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

class ReferenceRectifier final : public Rectifier {
 public:
  void apply(std::span<const std::array<double, 9>> homographies, int columns, int rows,
             const WindowImages<const float>& source, const WindowImages<float>& target) override {
    const View3<const float> in{source.images.data, source.images.nx, source.images.ny, source.images.nz};
    const View3<float> out{target.images.data, target.images.nx, target.images.ny, target.images.nz};
    expects(homographies.size() == static_cast<std::size_t>(in.nz) && in.nz == out.nz,
            "one homography a view");
    for (int n = 0; n < out.nz; ++n)
      for (int row = 0; row < out.ny; ++row)
        for (int column = 0; column < out.nx; ++column) {
          const auto& h = homographies[static_cast<std::size_t>(n)];
          const double c = target.window.columns.first + column, r = target.window.rows.first + row;
          const double w = h[6] * c + h[7] * r + h[8];
          const double u = (h[0] * c + h[1] * r + h[2]) / w, v = (h[3] * c + h[4] * r + h[5]) / w;
          const bool on_detector = u >= -0.5 && u <= columns - 0.5 && v >= -0.5 && v <= rows - 0.5;
          out(column, row, n) =
              on_detector
                  ? static_cast<float>(interpolate(in.planes(n, 1), source.window, columns, rows, u, v))
                  : 0;
        }
  }

 private:
  static double interpolate(View3<const float> image, const geometry::PixelWindow& window, int columns,
                            int rows, double u, double v) {
    const int u0 = static_cast<int>(std::floor(u)), v0 = static_cast<int>(std::floor(v));
    double sum = 0;
    for (int row = v0 - 1; row <= v0 + 2; ++row)
      for (int column = u0 - 1; column <= u0 + 2; ++column)
        sum += cubic(u - column) * cubic(v - row) *
               image(std::clamp(column, 0, columns - 1) - window.columns.first,
                     std::clamp(row, 0, rows - 1) - window.rows.first, 0);
    return sum;
  }
};

}  // namespace

std::unique_ptr<Rectifier> make_rectifier() { return std::make_unique<ReferenceRectifier>(); }

}  // namespace feldspar::kernels::reference
