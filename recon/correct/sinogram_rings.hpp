// Ring removal in one sinogram: the line integrals of one detector row in all views.
#pragma once

#include "base/view3.hpp"

namespace feldspar::recon {

/// How a sinogram's stripes, which become rings, are told from the object.
enum class StripeMethod {
  sorting,  ///< every column's values in order of size, smoothed over the columns beside (Vo 2018, algorithm
            ///< 3)
  all,      ///< dead and large stripes replaced, then sorting (Vo 2018, algorithms 6, 5 and 3)
  wavelet   ///< slow change over the views taken out of every wavelet band across it (Muench 2009)
};

/// Changes `sinogram`, columns x views (one plane). Deterministic; finite values stay finite. Windings
/// centred on the axis are stripes as well: `wavelet` takes them out, the other two blunt those narrower than
/// half their smoothing of 21 columns.
void remove_stripes(View3<float> sinogram, StripeMethod method);

}  // namespace feldspar::recon
