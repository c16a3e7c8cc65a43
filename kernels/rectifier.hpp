// Resampling of projections onto the virtual detector of geometry/rectification.hpp.
#pragma once

#include <array>
#include <span>

#include "geometry/coverage.hpp"
#include "kernels/backend.hpp"

namespace feldspar::kernels {

/// Images of a window of a detector: a plane a view.
template <class T>
struct WindowImages {
  geometry::PixelWindow window;  ///< of the whole detector
  DeviceView3<T> images;         ///< of the window's size
};

/// Made by a Backend. Interpolates with the cubic convolution kernel of Keys (1981, a = -1/2) in both
/// directions; pixels beyond the real detector repeat its edge by up to half a pixel and are 0 further out.
class Rectifier {
 public:
  virtual ~Rectifier() = default;

  /// Fills `target`, of the virtual detector, from `source`, of a real detector of `columns` x `rows`; both
  /// hold one plane a homography (real (column, row, 1) ~ H * (virtual column, virtual row, 1),
  /// whole-detector indices).
  virtual void apply(std::span<const std::array<double, 9>> homographies, int columns, int rows,
                     const WindowImages<const float>& source, const WindowImages<float>& target) = 0;
};

}  // namespace feldspar::kernels
