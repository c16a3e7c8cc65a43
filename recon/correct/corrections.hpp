// What was found to be wrong with the intensities of a scan, and what is done about it.
#pragma once

#include <string>
#include <vector>

#include "base/log.hpp"
#include "kernels/correction.hpp"

namespace feldspar::recon {

struct Corrections {
  kernels::CorrectionSpec spec;    ///< offsets of views are those of FdkSetup::views
  std::vector<std::string> steps;  ///< in the order they are done, for people: "rings: ..."
  Findings findings;               ///< what was met on the way
};

}  // namespace feldspar::recon
