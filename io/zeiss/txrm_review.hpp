// Every stream of a Zeiss Xradia file, with its value and what became of it.
#pragma once

#include <vector>

#include "base/findings.hpp"
#include "geometry/scan.hpp"
#include "io/scan_source.hpp"
#include "io/zeiss/txrm_header.hpp"
#include "io/zeiss/txrm_references.hpp"

namespace feldspar::io::zeiss {

struct Review {
  std::vector<SourceField> fields;
  Findings findings;
};

/// What the streams say beside the geometry, checked against it. `scan` may be incomplete for a file that is
/// only described.
[[nodiscard]] Review review(const CompoundFile& file, const TxrmHeader& header,
                            const geometry::CircularScan& scan, const OpenBeam& beam);

/// Facts for people.
[[nodiscard]] ScanDescription describe(const CompoundFile& file, const TxrmHeader& header);

}  // namespace feldspar::io::zeiss
