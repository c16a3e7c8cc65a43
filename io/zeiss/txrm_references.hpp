// The open beam of a Zeiss Xradia scan, and the exposure it had.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/findings.hpp"
#include "io/open_scan.hpp"
#include "io/zeiss/txrm_header.hpp"

namespace feldspar::io::zeiss {

/// Counts of the open beam, and what each view's counts are multiplied by to belong to them.
struct OpenBeam {
  std::vector<float> white;    ///< one value, or columns x rows
  std::vector<float> factors;  ///< empty when all are 1, or one a view
  std::string used;            ///< "ReferenceData", "MultiReferenceData" or empty: where it comes from
  std::filesystem::path file;  ///< that it comes from, when it is another: ImageInfo/ReferenceFile
  bool exposures_used = false;
};

/// Every view has the same reference: the one given with --white-level, else ReferenceData/Image, else the
/// mean of MultiReferenceData, else the images of the file that ImageInfo/ReferenceFile names, looked for
/// beside the scan under the last part of its name. It is scaled by exposure where both exposures are known;
/// when they differ from view to view, the views are scaled to the first one's. Images that are corrected
/// already get a level of their own. What was decided is added to `findings`. Throws Error(bad_file) when
/// there is no reference or it is of another size.
[[nodiscard]] OpenBeam open_beam(const CompoundFile& file, const TxrmHeader& header,
                                 const OpenOptions& options, Findings& findings);

}  // namespace feldspar::io::zeiss
