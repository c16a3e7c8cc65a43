// Which of the discrete conventions of a scan (sense of rotation, direction of the columns, sign of the
// offset) the projections themselves support.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "io/scan_source.hpp"
#include "recon/resources.hpp"

namespace feldspar::recon {

/// One combination. Columns the other way round with everything else as stated give the mirror image of
/// `reversed` and `negated` both toggled, equally sharp: the two cannot be told apart by projections.
struct Convention {
  bool reversed = false;               ///< the object turns the other way than stated
  bool negated = false;                ///< axis and detector stand on the other side than stated
  double sharpness = 0;                ///< mean over the slices, each relative to its sharpest combination
  std::vector<double> of_slices = {};  ///< relative sharpness, one a slice
};

/// Which combination the slices speak for.
struct ConventionVerdict {
  std::vector<Convention> tried;  ///< the first is as stated
  std::size_t best = 0;           ///< index of the sharpest
  double margin = 0;              ///< how much sharper than the next, as a share of the next
  bool decided = false;           ///< the best wins in every slice and by a margin that is not chance
  std::string reason;             ///< what could not be tested, or why undecided; empty otherwise
};

/// Reconstructs up to three small slices in each combination. Throws what FDK throws.
[[nodiscard]] ConventionVerdict test_conventions(const io::ScanSource& source,
                                                 const geometry::CircularScan& scan,
                                                 std::span<const int> views, const Resources& resources);

}  // namespace feldspar::recon
