// What CPU and CUDA make of the specification of a correction: for every bad pixel where its value comes
// from, and the blocks that their shared arithmetic works on.
#pragma once

#include <vector>

#include "kernels/correction.hpp"
#include "kernels/shared/correct.hpp"

namespace feldspar::kernels {

/// A CorrectionSpec as the arithmetic in kernels/shared/ reads it.
struct CorrectionTables {
  std::vector<Repair> repairs;        ///< ascending in pixel
  std::vector<RepairSource> sources;  ///< the good pixels that they take their values from
  std::vector<Patch> patches;         ///< ascending in view, then pixel
  std::vector<float> pixel_offset;    ///< 0 at repaired pixels
};

/// Throws as validate() does.
[[nodiscard]] CorrectionTables make_tables(const CorrectionSpec& spec);

/// The repairs of bad pixels in those rows, as indices of the tables.
[[nodiscard]] geometry::Range repairs_in(const CorrectionTables& tables, int columns, geometry::Range rows);
/// The patches of `views` views from `first_view`, as indices of the tables.
[[nodiscard]] geometry::Range patches_in(const CorrectionTables& tables, int first_view, int views);

/// Throws Error(internal) unless blocks, rows and views fit each other and the specification.
void check_blocks(const CorrectionSpec& spec, int first_view, geometry::Range rows,
                  DeviceView3<const float> measured, geometry::Range kept,
                  DeviceView3<const float> corrected);

}  // namespace feldspar::kernels
