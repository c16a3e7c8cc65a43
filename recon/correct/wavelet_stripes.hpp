// Stripe removal by wavelets and Fourier series: Muench, Trtik, Marone and Stampanoni 2009.
#pragma once

#include "base/view3.hpp"

namespace feldspar::recon {

/// Decomposes columns x views with Daubechies' wavelet of ten taps, and damps in every band that is fine
/// across the columns and coarse over the views what changes less than a few times over all views.
void remove_by_wavelets(View3<float> sinogram);

}  // namespace feldspar::recon
