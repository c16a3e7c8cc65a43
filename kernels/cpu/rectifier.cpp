#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "kernels/cpu/operators.hpp"

namespace feldspar::kernels::cpu {
namespace {

/// The four weights of Keys' cubic convolution (a = -1/2) for a point `x` in [0, 1) after the second sample.
std::array<float, 4> cubic_weights(float x) {
  return {((-0.5f * x + 1.0f) * x - 0.5f) * x, (1.5f * x - 2.5f) * x * x + 1.0f,
          ((-1.5f * x + 2.0f) * x + 0.5f) * x, (0.5f * x - 0.5f) * x * x};
}

/// Where one target row is read from.
struct Row {
  const std::array<double, 9>& h;
  int columns, rows;
  const geometry::PixelWindow& window;
  View3<const float> image;

  [[nodiscard]] float at(double column, double row) const {
    const double w = 1.0 / (h[6] * column + h[7] * row + h[8]);
    const double u = (h[0] * column + h[1] * row + h[2]) * w, v = (h[3] * column + h[4] * row + h[5]) * w;
    if (!(u >= -0.5 && u <= columns - 0.5 && v >= -0.5 && v <= rows - 0.5)) return 0;
    const double u0 = std::floor(u), v0 = std::floor(v);
    const auto across = cubic_weights(static_cast<float>(u - u0)),
               up = cubic_weights(static_cast<float>(v - v0));
    const int first_u = static_cast<int>(u0) - 1, first_v = static_cast<int>(v0) - 1;
    float sum = 0;
    for (int b = 0; b < 4; ++b) {
      const float* pixels = image.row(std::clamp(first_v + b, 0, rows - 1) - window.rows.first, 0);
      float line = 0;
      for (int a = 0; a < 4; ++a)
        line += across[static_cast<std::size_t>(a)] *
                pixels[std::clamp(first_u + a, 0, columns - 1) - window.columns.first];
      sum += up[static_cast<std::size_t>(b)] * line;
    }
    return sum;
  }
};

class CpuRectifier final : public Rectifier {
 public:
  explicit CpuRectifier(Machine& machine) : machine_(machine) {}

  void apply(std::span<const std::array<double, 9>> homographies, int columns, int rows,
             const geometry::PixelWindow& source_window, DeviceView3<const float> source,
             const geometry::PixelWindow& target_window, DeviceView3<float> target) override {
    const View3<const float> in = on_host(source);
    const View3<float> out = on_host(target);
    expects(homographies.size() == static_cast<std::size_t>(in.nz) && in.nz == out.nz,
            "one homography a view");
    machine_.pool.for_each(static_cast<std::ptrdiff_t>(out.nz) * out.ny, [&](std::ptrdiff_t job, int) {
      const int n = static_cast<int>(job / out.ny), row = static_cast<int>(job % out.ny);
      const Row from{homographies[static_cast<std::size_t>(n)], columns, rows, source_window,
                     in.planes(n, 1)};
      float* to = out.row(row, n);
      for (int column = 0; column < out.nx; ++column)
        to[column] = from.at(target_window.columns.first + column, target_window.rows.first + row);
    });
  }

 private:
  Machine& machine_;
};

}  // namespace

std::unique_ptr<Rectifier> make_rectifier(Machine& machine) {
  return std::make_unique<CpuRectifier>(machine);
}

}  // namespace feldspar::kernels::cpu
