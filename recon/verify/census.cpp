// One pass over all voxels of a finished volume.
#include "recon/verify/census.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/parallel.hpp"

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
    const int slice = first + k;
    count(voxels.view().planes(k, 1), slice, volume.grid, census);
    if (hashed && hashes[static_cast<std::size_t>(k)] != volume.layer_hashes[static_cast<std::size_t>(slice)])
      census.changed.push_back(slice);
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

void Census::add(const Census& above) {
  if (not_finite == 0) first_not_finite = above.first_not_finite;
  if (flat_slices == 0) first_flat = above.first_flat;
  not_finite += above.not_finite, flat_slices += above.flat_slices;
  changed.insert(changed.end(), above.changed.begin(), above.changed.end());
  unreadable.insert(unreadable.end(), above.unreadable.begin(), above.unreadable.end());
  moments.insert(moments.end(), above.moments.begin(), above.moments.end());
}

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

std::size_t census_bytes(const geometry::VolumeGrid& grid) {
  return static_cast<std::size_t>(slices_at_once(grid)) * slice_bytes(grid);
}

Census take_census(const FinishedVolume& volume, MemoryBudget& budget, int threads, bool survey) {
  const int slices = volume.grid.nz, together = slices_at_once(volume.grid);
  std::vector<Census> parts(static_cast<std::size_t>((slices + together - 1) / together));
  ThreadPool pool(threads);
  pool.for_each(static_cast<std::ptrdiff_t>(parts.size()), [&](std::ptrdiff_t n, int) {
    const Reservation room(budget, census_bytes(volume.grid), "slices of the volume");
    const int first = static_cast<int>(n) * together, end = std::min(first + together, slices);
    Census& part = parts[static_cast<std::size_t>(n)];
    try {
      return look_at(volume, first, end - first, part);
    } catch (const Error& error) {
      if (!survey || error.kind() != ErrorKind::io) throw;
    }
    part = {};
    look_at_each(volume, {first, end}, part);
  });
  Census census;
  for (const Census& part : parts) census.add(part);
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
