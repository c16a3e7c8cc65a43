// Where the slabs of a volume go.
#pragma once

#include "base/view3.hpp"

namespace feldspar::io {

class VolumeSink {
 public:
  virtual ~VolumeSink() = default;

  /// Stores slices [first_slice, first_slice + slab.nz) of the volume, values in 1/mm. Any order, each once.
  virtual void write(int first_slice, View3<const float> slab) = 0;
};

}  // namespace feldspar::io
