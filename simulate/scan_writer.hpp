// What every format of simulated scans has in common: views in, a scan on disk out.
#pragma once

#include <cstdint>

#include "base/view3.hpp"

namespace feldspar::simulate {

class ScanWriter {
 public:
  virtual ~ScanWriter() = default;

  /// Writes the counts of one view: columns x rows, column 0 leftmost seen from the source, row 0 lowest.
  /// Holds no more than one image. Views may come in any order.
  virtual void write_view(int view, View3<const std::uint16_t> counts) = 0;

  /// Completes the scan; before, nothing takes it for one. Throws Error(internal) unless every view was
  /// written.
  virtual void finish() = 0;
};

}  // namespace feldspar::simulate
