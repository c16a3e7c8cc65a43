// Resampling of projections onto the virtual detector of geometry/rectification.hpp.
#pragma once

#include <array>
#include <span>

#include "geometry/coverage.hpp"
#include "kernels/backend.hpp"

namespace feldspar::kernels {

/// Made by a Backend. Interpolates with the cubic convolution kernel of Keys (1981, a = -1/2) in both
/// directions; pixels beyond the real detector repeat its edge by up to half a pixel and are 0 further out.
class Rectifier {
 public:
  virtual ~Rectifier() = default;

  /// Fills `target`, the `target_window` of the virtual detector, from `source`, the `source_window` of
  /// a real detector of `columns` x `rows`; both hold one plane a homography
  /// (real (column, row, 1) ~ H * (virtual column, virtual row, 1), whole-detector indices).
  virtual void apply(std::span<const std::array<double, 9>> homographies, int columns, int rows,
                     const geometry::PixelWindow& source_window, DeviceView3<const float> source,
                     const geometry::PixelWindow& target_window, DeviceView3<float> target) = 0;
};

}  // namespace feldspar::kernels
