// Which of the discrete conventions of a scan (sense of rotation, direction of the columns, sign of the
// offset) the projections themselves support.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "recon/find/centre.hpp"

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
  CentreEstimate axis;            ///< by reverse rays, in the sense they agree in; all are tried about it
  std::vector<Convention> tried;  ///< the first is as stated
  std::size_t best = 0;           ///< index of the sharpest
  double margin = 0;              ///< how much sharper than the next, as a share of the next
  bool decided = false;           ///< the best wins in every slice and by a margin that is not chance
  std::string reason;             ///< what could not be tested, or why undecided; empty otherwise

  /// The axis that was found lies nearer to where the stated offset puts it with the other sign.
  [[nodiscard]] bool is_other_sign(const geometry::CircularScan& stated) const;
};

/// Looks for the axis by reverse rays, in the stated sense of rotation and then in the other one, and
/// reconstructs up to three small slices in each combination about it. Where rays do not tell, about the
/// stated axis, and with its sign changed too. Throws what FDK throws.
[[nodiscard]] ConventionVerdict test_conventions(const io::ScanSource& source,
                                                 const geometry::CircularScan& scan,
                                                 std::span<const int> views, const Resources& resources);

}  // namespace feldspar::recon
