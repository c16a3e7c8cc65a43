// The part of a map of pixels that is their gain, from what is known of the gain's size.
#pragma once

#include "base/memory.hpp"
#include "base/parallel.hpp"

namespace feldspar::recon {

/// A map in which gain, noise and object are mixed, columns x rows, NaN where nothing is known.
struct MixedMap {
  View3<const float> values;  ///< line integrals
  View3<const float> noise;   ///< a map with the noise's strength, and nothing of the others
  double gain = 0;            ///< variance of a pixel's gain in the map
};

/// Writes the gain into `result`, 0 where nothing is known: what blocks of 8 x 8, 24 x 8 and 8 x 24 pixels
/// hold in waves that change from row to row, each scaled by the share of the gain in what waves like it have
/// there. Where that is more than gain and noise can be, it is the object's. What goes on from row to row is
/// always the object's.
void shrink_to_gain(const MixedMap& map, View3<float> result, ThreadPool& pool);

/// Bytes that it takes at most, with `threads`.
[[nodiscard]] std::size_t shrinkage_bytes(int columns, int rows, int threads);

}  // namespace feldspar::recon
