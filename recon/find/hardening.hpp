// The polynomial that undoes beam hardening, found from the scan itself.
#pragma once

#include "base/progress.hpp"
#include "recon/fdk/fdk.hpp"
#include "recon/find/hardening_fit.hpp"

namespace feldspar::recon {

/// A polynomial against beam hardening, and what it was found from.
struct HardeningEstimate {
  HardeningFit fit;      ///< the polynomial, or why there is none
  double reference = 0;  ///< the line integral that stays what it is: the mean through the object
  double highest = 0;    ///< of the line integrals looked at
};

/// From what it is found: up to 360 views and three slices, or in a tenth of the time, to tell whether it is
/// worth it.
enum class HardeningSearch { thorough, quick };

/// How many of so many views it takes: every n-th, at most 360, or 120.
[[nodiscard]] std::size_t hardening_views(std::size_t all, HardeningSearch search);

/// Reconstructs p, p^2, p^3 and p^4 in coarse slices of the object, with the other corrections of the job's
/// options, and fits. Corrected voxels are in 1/mm at the effective energy of the
/// beam behind an object of the reference line integral. Throws what reconstruct_fdk throws.
[[nodiscard]] HardeningEstimate estimate_hardening(const FdkJob& job, const geometry::CircularScan& scan,
                                                   const Resources& resources, Progress& progress,
                                                   HardeningSearch search = HardeningSearch::thorough);

/// Bytes that it takes at least beside what `options` hold, with as small slabs as there are.
[[nodiscard]] std::size_t hardening_bytes(const io::ScanSource& source, const geometry::CircularScan& scan,
                                          const FdkSetup& setup, const FdkOptions& options,
                                          kernels::Backend& backend);

}  // namespace feldspar::recon
