// Where the slabs of a volume go.
#pragma once

#include "base/view3.hpp"
#include "geometry/coverage.hpp"

namespace feldspar::io {

/// A volume in the making, slab by slab.
class VolumeSink {
 public:
  virtual ~VolumeSink() = default;

  /// Stores slices [first_slice, first_slice + slab.nz) of the volume, values in 1/mm. Any order, each once.
  virtual void write(int first_slice, View3<const float> slab) = 0;

  /// True when an earlier run stored all of these slices: they need not come again.
  [[nodiscard]] virtual bool has(geometry::Range) const { return false; }
};

}  // namespace feldspar::io
