// One pass over all voxels of a finished volume.
#include "recon/verify/census.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace feldspar::recon {
namespace {

/// Of every fourth voxel that is a number.
SliceMoments moments_of(const View3<const float>& slice, const geometry::VolumeGrid& grid) {
  double sum = 0, squares = 0, reach = 0, count = 0;
  for (int j = 0; j < slice.ny; j += 2) {
    const float* const row = slice.row(j, 0);
    const double y = grid.origin.y + j * grid.spacing.y;
    for (int i = 0; i < slice.nx; i += 2) {
      const double x = grid.origin.x + i * grid.spacing.x, value = std::isfinite(row[i]) ? double{row[i]} : 0;
      sum += value, squares += value * value, reach += value * value * (x * x + y * y), count += 1;
    }
  }
  const double mean = sum / count;
  return {squares / count, std::max(0.0, squares / count - mean * mean), reach / count};
}

void count(const View3<const float>& voxels, int slice, const geometry::VolumeGrid& grid, Census& census) {
  const auto values = voxels.values();
  std::int64_t bad = 0;
  bool flat = values.size() > 1;
  const float reference = values.front();
  for (const float value : values) {
    bad += !(std::abs(value) <= std::numeric_limits<float>::max());
    flat &= value == reference;
  }
  census.moments.push_back(moments_of(voxels, grid));
  if (bad > 0 && census.not_finite == 0) census.first_not_finite = slice;
  if (flat && census.flat_slices == 0) census.first_flat = slice;
  census.not_finite += bad, census.flat_slices += flat;
}

/// Looks at slices [first, first + together).
void look_at(const FinishedVolume& volume, int first, int together, Census& census) {
  std::vector<std::string> hashes;
  const bool hashed = !volume.layer_hashes.empty();
  const Array3<float> voxels =
      hashed ? volume.read_hashed(first, together, hashes) : volume.read(first, together);
  for (int k = 0; k < together; ++k) {
    count(voxels.view().planes(k, 1), first + k, volume.grid, census);
    if (hashed &&
        hashes[static_cast<std::size_t>(k)] != volume.layer_hashes[static_cast<std::size_t>(first + k)])
      census.changed.push_back(first + k);
  }
}

/// "3, 7 to 9 and others".
std::string list_of(const std::vector<int>& slices) {
  std::string text;
  int ranges = 0;
  for (std::size_t n = 0; n < slices.size(); ++ranges) {
    std::size_t last = n;
    while (last + 1 < slices.size() && slices[last + 1] == slices[last] + 1) ++last;
    if (ranges == 8) return text + " and others";
    text += fmt::format("{}{}{}", n > 0 ? ", " : "", slices[n],
                        last > n ? fmt::format(" to {}", slices[last]) : "");
    n = last + 1;
  }
  return text;
}

/// At those that can be read.
void look_at_each(const FinishedVolume& volume, geometry::Range slices, Census& census) {
  for (int z = slices.first; z < slices.end; ++z) try {
      look_at(volume, z, 1, census);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::io) throw;
      census.unreadable.push_back(z), census.moments.emplace_back();
    }
}

}  // namespace

double Census::rms() const {
  double sum = 0;
  for (const SliceMoments& slice : moments) sum += slice.square;
  return moments.empty() ? 0 : std::sqrt(sum / static_cast<double>(moments.size()));
}

double Census::radius() const {
  double reach = 0, square = 0;
  for (const SliceMoments& slice : moments) reach += slice.reach, square += slice.square;
  return square > 0 ? 1.25 * std::sqrt(2 * reach / square) : 0;
}

Census take_census(const FinishedVolume& volume, MemoryBudget& budget, bool survey) {
  Census census;
  const int together = slices_at_once(volume.grid);
  const Reservation room(budget, static_cast<std::size_t>(together) * slice_bytes(volume.grid),
                         "slices of the volume");
  for (int first = 0; first < volume.grid.nz; first += together) {
    const int end = std::min(first + together, volume.grid.nz);
    try {
      look_at(volume, first, end - first, census);
      continue;
    } catch (const Error& error) {
      if (!survey || error.kind() != ErrorKind::io) throw;
    }
    look_at_each(volume, {first, end}, census);
  }
  return census;
}

Check check_layers(const Census& census, const FinishedVolume& volume) {
  const Check check{"layers"};
  if (census.changed.empty() && census.unreadable.empty()) {
    if (volume.layer_hashes.empty())
      return check.not_applicable(
          "the volume stores no hashes of its layers, as those of earlier versions: damage that leaves "
          "numbers cannot be seen");
    return check.judged(false, fmt::format("all {} layers are what was written", volume.grid.nz));
  }
  std::string text = fmt::format("of {} layers", volume.grid.nz);
  if (!census.changed.empty())
    text += fmt::format(" {} {} not what was written: {}", census.changed.size(),
                        census.changed.size() > 1 ? "are" : "is", list_of(census.changed));
  if (!census.unreadable.empty())
    text += fmt::format("{} {} cannot be read: {}", census.changed.empty() ? "" : ";",
                        census.unreadable.size(), list_of(census.unreadable));
  return check.judged(true, text);
}

Check check_numbers(const Census& census, int slices) {
  const Check check{"numbers"};
  if (census.not_finite == 0) return check.judged(false, "every voxel is a number");
  return check.judged(true, fmt::format("{} voxels are NaN or infinite, the first in slice {} of {}",
                                        census.not_finite, census.first_not_finite, slices));
}

}  // namespace feldspar::recon
