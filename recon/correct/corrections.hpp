// What was found to be wrong with the intensities of a scan, and what is done about it.
#pragma once

#include <string>
#include <vector>

#include "kernels/correction.hpp"

namespace feldspar::recon {

/// What became of one correction, in a sentence that begins with its name.
struct CorrectionStep {
  std::string text;     ///< for people
  bool notable = true;  ///< something was found: done, or left alone for a reason
  int views = 0;        ///< that were looked at to tell; not part of a plan, and 0 where it was not told now
};

/// What is corrected, and why.
struct Corrections {
  kernels::CorrectionSpec spec;  ///< offsets of views are those of FdkSetup::views
  std::vector<CorrectionStep>
      steps;  ///< what was looked for, in the order it is corrected, and what was found
};

}  // namespace feldspar::recon
