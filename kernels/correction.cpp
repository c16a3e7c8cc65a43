#include "kernels/correction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/error.hpp"
#include "kernels/correction_tables.hpp"

namespace feldspar::kernels {
namespace {

/// The pixels of a square around one, cut to the detector.
struct Square {
  geometry::Range columns, rows;

  Square(const CorrectionSpec& spec, int column, int row, int radius)
      : columns{std::max(0, column - radius), std::min(spec.columns, column + radius + 1)},
        rows{std::max(0, row - radius), std::min(spec.rows, row + radius + 1)} {}
};

/// Finds how the value of one bad pixel is made.
class RepairMaker {
 public:
  RepairMaker(const CorrectionSpec& spec, CorrectionTables& tables)
      : spec_(spec),
        tables_(tables),
        is_bad_(static_cast<std::size_t>(spec.columns) * static_cast<std::size_t>(spec.rows)) {
    for (const std::int64_t pixel : spec.bad_pixels) is_bad_[static_cast<std::size_t>(pixel)] = true;
  }

  void add(std::int64_t pixel) {
    const int row = static_cast<int>(pixel / spec_.columns), column = static_cast<int>(pixel % spec_.columns);
    Repair repair{pixel, std::ssize(tables_.sources), 0, row, row};
    const Square square = smallest(column, row);
    double total = 0;
    each_good(square, [&](int c, int r) { total += weight(c - column, r - row); });
    each_good(square, [&](int c, int r) {
      tables_.sources.push_back(
          {std::int64_t{r} * spec_.columns + c, static_cast<float>(weight(c - column, r - row) / total)});
      repair.lowest_row = std::min(repair.lowest_row, r);
      repair.highest_row = std::max(repair.highest_row, r);
    });
    repair.end_source = std::ssize(tables_.sources);
    if (repair.end_source > repair.first_source) tables_.repairs.push_back(repair);
  }

 private:
  static double weight(int across, int along) { return 1.0 / (across * across + along * along); }

  template <class Action>
  void each_good(const Square& square, Action action) const {
    for (int r = square.rows.first; r < square.rows.end; ++r)
      for (int c = square.columns.first; c < square.columns.end; ++c)
        if (!is_bad_[static_cast<std::size_t>(r) * static_cast<std::size_t>(spec_.columns) +
                     static_cast<std::size_t>(c)])
          action(c, r);
  }

  [[nodiscard]] Square smallest(int column, int row) const {
    for (int radius = 1; radius < CorrectionSpec::reach; ++radius) {
      const Square square(spec_, column, row, radius);
      int good = 0;
      each_good(square, [&](int, int) { ++good; });
      if (2 * good >= square.columns.count() * square.rows.count()) return square;
    }
    return {spec_, column, row, CorrectionSpec::reach};
  }

  const CorrectionSpec& spec_;
  CorrectionTables& tables_;
  std::vector<bool> is_bad_;
};

void check_finite(const std::vector<float>& values, const char* name) {
  for (std::size_t n = 0; n < values.size(); ++n)
    if (!std::isfinite(values[n]))
      throw Error(ErrorKind::usage,
                  fmt::format("correction: {} {} is {}, not a finite number", name, n, values[n]));
}

}  // namespace

void validate(const CorrectionSpec& spec) {
  const std::int64_t pixels = std::int64_t{spec.columns} * spec.rows;
  expects(spec.columns > 0 && spec.rows > 0, "correction: the detector has no pixels", ErrorKind::usage);
  if (!spec.pixel_offset.empty() && std::ssize(spec.pixel_offset) != pixels)
    throw Error(ErrorKind::usage,
                fmt::format("correction: {} offsets of pixels, but the detector has {} x {} = {}",
                            spec.pixel_offset.size(), spec.columns, spec.rows, pixels));
  check_finite(spec.view_offset, "the offset of view");
  check_finite(spec.pixel_offset, "the offset of pixel");
  check_finite(spec.polynomial, "the coefficient of power");
  std::int64_t last = -1;
  for (const std::int64_t pixel : spec.bad_pixels) {
    if (pixel <= last || pixel >= pixels)
      throw Error(
          ErrorKind::usage,
          fmt::format("correction: bad pixel {} follows {}; they must ascend below {}", pixel, last, pixels));
    last = pixel;
  }
  const CorrectionPatch* before = nullptr;
  for (const CorrectionPatch& patch : spec.patches) {
    if (patch.view < 0 || patch.pixel < 0 || patch.pixel >= pixels || !std::isfinite(patch.value) ||
        (before && std::tie(before->view, before->pixel) >= std::tie(patch.view, patch.pixel)))
      throw Error(ErrorKind::usage,
                  fmt::format("correction: the patch of pixel {} in view {} is out of order, beside the "
                              "detector or not finite ({})",
                              patch.pixel, patch.view, patch.value));
    before = &patch;
  }
}

int halo(const CorrectionSpec& spec) { return spec.bad_pixels.empty() ? 0 : CorrectionSpec::reach; }

std::size_t bytes_of(const CorrectionSpec& spec) {
  constexpr std::size_t usual_sources = 12;  // of a single bad pixel 8, in lines and clusters more
  return sizeof(float) * (spec.view_offset.size() + spec.pixel_offset.size() + spec.polynomial.size()) +
         spec.bad_pixels.size() * (sizeof(Repair) + usual_sources * sizeof(RepairSource)) +
         spec.patches.size() * sizeof(Patch);
}

CorrectionTables make_tables(const CorrectionSpec& spec) {
  validate(spec);
  CorrectionTables tables;
  tables.pixel_offset = spec.pixel_offset;
  if (!spec.bad_pixels.empty()) {
    RepairMaker maker(spec, tables);
    for (const std::int64_t pixel : spec.bad_pixels) maker.add(pixel);
  }
  if (!tables.pixel_offset.empty())
    for (const Repair& repair : tables.repairs)
      tables.pixel_offset[static_cast<std::size_t>(repair.pixel)] = 0;
  for (const CorrectionPatch& patch : spec.patches)
    tables.patches.push_back({patch.pixel, patch.view, patch.value});
  return tables;
}

geometry::Range repairs_in(const CorrectionTables& tables, int columns, geometry::Range rows) {
  const auto first_from = [&](int row) {
    const auto found =
        std::ranges::lower_bound(tables.repairs, std::ptrdiff_t{row} * columns, {}, &Repair::pixel);
    return static_cast<int>(found - tables.repairs.begin());
  };
  return {first_from(rows.first), first_from(rows.end)};
}

geometry::Range patches_in(const CorrectionTables& tables, int first_view, int views) {
  const auto first_from = [&](int view) {
    const auto found = std::ranges::lower_bound(tables.patches, view, {}, &Patch::view);
    return static_cast<int>(found - tables.patches.begin());
  };
  return {first_from(first_view), first_from(first_view + views)};
}

void check_blocks(const CorrectionSpec& spec, int first_view, geometry::Range rows,
                  DeviceView3<const float> measured, geometry::Range kept,
                  DeviceView3<const float> corrected) {
  expects(measured.nx == spec.columns && corrected.nx == spec.columns && measured.ny == rows.count() &&
              corrected.ny == kept.count() && measured.nz == corrected.nz,
          "correction: the blocks are not whole rows of the same views");
  expects(rows.first >= 0 && rows.end <= spec.rows && kept.first >= rows.first && kept.end <= rows.end,
          "correction: the rows are not on the detector or kept ones were not measured");
  expects(spec.view_offset.empty() ||
              (first_view >= 0 && first_view + measured.nz <= std::ssize(spec.view_offset)),
          "correction: there are fewer offsets than views");
  expects(measured.data != corrected.data || rows == kept, "correction: in place all rows are kept");
}

}  // namespace feldspar::kernels
