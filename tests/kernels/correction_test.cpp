// Corrections of line integrals: CPU against reference, and what each correction promises.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "kernels/backend.hpp"
#include "kernels/correction.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/scans.hpp"

namespace feldspar::kernels {
namespace {

constexpr int columns = 41, rows = 37, views = 3;

CorrectionSpec plain() { return {.columns = columns, .rows = rows}; }

std::int64_t pixel(int column, int row) { return std::int64_t{row} * columns + column; }

/// Everything at once: single pixels, a column, a block in a corner, patches, offsets, a polynomial.
CorrectionSpec random_spec(unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](int end) { return std::uniform_int_distribution(0, end - 1)(random); };
  CorrectionSpec spec = plain();
  spec.view_offset = testing::noise(views, seed),
  spec.pixel_offset = testing::noise(columns * rows, seed + 1);
  spec.polynomial = {0.01f, 0.75f, 0.25f, -0.01f};
  std::set<std::int64_t> bad;
  for (int n = 0; n < 20; ++n) bad.insert(pixel(below(columns), below(rows)));
  for (int row = 0; row < rows; ++row) bad.insert(pixel(23, row)), bad.insert(pixel(24, row));
  for (int row = 0; row < 6; ++row)
    for (int column = 0; column < 5; ++column) bad.insert(pixel(column, row));
  spec.bad_pixels.assign(bad.begin(), bad.end());
  for (int view = 0; view < views; ++view)
    for (int row = below(5); row < rows; row += 1 + below(9))
      spec.patches.push_back({view, pixel(below(columns), row), 1.5f});
  return spec;
}

std::vector<float> cut(const std::vector<float>& stack, geometry::Range part) {
  std::vector<float> cut;
  for (int view = 0; view < views; ++view)
    for (int row = part.first; row < part.end; ++row)
      for (int column = 0; column < columns; ++column)
        cut.push_back(stack[static_cast<std::size_t>((view * rows + row) * columns + column)]);
  return cut;
}

/// The rows `kept` of `all`, corrected from those in `read` only.
std::vector<float> correct(const std::string& device, const CorrectionSpec& spec,
                           const std::vector<float>& all, geometry::Range read, geometry::Range kept) {
  const auto backend = open_backend(device, {.threads = 2, .budget = nullptr});
  std::vector<float> measured = cut(all, read),
                     corrected(static_cast<std::size_t>(columns * kept.count() * views));
  float* const target = read == kept ? measured.data() : corrected.data();
  backend->make_correction(spec)->apply(0, read, {measured.data(), columns, read.count(), views}, kept,
                                        {target, columns, kept.count(), views});
  return read == kept ? measured : corrected;
}

constexpr geometry::Range whole{0, rows};

TEST(Correction, AgreesWithReference) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const auto all = testing::noise(columns * rows * views, 100 + seed);

    const auto expected = correct("reference", random_spec(seed), all, whole, whole),
               result = correct("cpu", random_spec(seed), all, whole, whole);

    // Sums of up to 289 terms of one size, and a polynomial whose slope is below 4: rounding walks.
    EXPECT_LT(testing::compare(std::span(result), std::span(expected)).worst, 64 * 0x1p-24) << seed;
  }
}

TEST(Correction, HasTheSameBitsWhateverTheRows) {
  const auto all = testing::noise(columns * rows * views);
  const CorrectionSpec spec = random_spec(4);
  for (const std::string device : {"cpu", "reference"}) {
    const auto expected = correct(device, spec, all, whole, whole);
    for (int first = 0; first < rows; first += 6) {
      const geometry::Range kept{first, std::min(rows, first + 6)};
      const geometry::Range read{std::max(0, kept.first - halo(spec)), std::min(rows, kept.end + halo(spec))};
      EXPECT_EQ(correct(device, spec, all, read, kept), cut(expected, kept)) << device << " " << first;
    }
  }
}

TEST(Correction, OfNothingChangesNothing) {
  const auto all = testing::noise(columns * rows * views);
  EXPECT_TRUE(plain().empty());
  EXPECT_EQ(correct("cpu", plain(), all, whole, whole), all);
}

TEST(Correction, ReplacesABadPixelAndColumnOnARamp) {
  CorrectionSpec spec = plain();
  for (int row = 0; row < rows; ++row) spec.bad_pixels.push_back(pixel(20, row));
  spec.bad_pixels.push_back(pixel(9, 11));
  std::ranges::sort(spec.bad_pixels);
  std::vector<float> ramp(columns * rows * views), broken;
  for (std::size_t n = 0; n < ramp.size(); ++n)
    ramp[n] = 0.5f + 0.01f * static_cast<float>(n % columns) + 0.02f * static_cast<float>(n / columns % rows);
  broken = ramp;
  for (int view = 0; view < views; ++view)
    for (const std::int64_t bad : spec.bad_pixels)
      broken[static_cast<std::size_t>(view * columns * rows + bad)] = std::numeric_limits<float>::quiet_NaN();

  const auto result = correct("cpu", spec, broken, whole, whole);

  // Symmetric neighbours: exact on a ramp but for the rounding of weights; the first and last row of the
  // column have neighbours on one side only, half a row's step away.
  for (std::size_t n = 0; n < ramp.size(); ++n) {
    const std::size_t row = n / columns % rows;
    ASSERT_NEAR(result[n], ramp[n], row == 0 || row == rows - 1 ? 0.02 : 1e-6) << n;
  }
}

TEST(Correction, OffsetsComeBeforeThePolynomial) {
  CorrectionSpec spec = plain();
  spec.view_offset = {0, 1, 0};
  spec.pixel_offset.assign(columns * rows, 2.0f);
  spec.polynomial = {0, 0, 1};
  const std::vector<float> ones(columns * rows * views, 1.0f);

  const auto result = correct("cpu", spec, ones, whole, whole);

  EXPECT_EQ(result[0], 9.0f);
  EXPECT_EQ(result[columns * rows], 16.0f);
}

TEST(Correction, LeavesAHoleThatIsTooLargeAsMeasured) {
  CorrectionSpec spec = plain();
  for (std::int64_t n = 0; n < columns * rows; ++n) spec.bad_pixels.push_back(n);
  const auto all = testing::noise(columns * rows * views);
  EXPECT_EQ(correct("cpu", spec, all, whole, whole), all);
  EXPECT_EQ(correct("reference", spec, all, whole, whole), all);
}

TEST(Correction, RefusesWhatMakesNoSense) {
  const auto refuses = [](auto change) {
    CorrectionSpec spec = plain();
    change(spec);
    for (const char* device : {"cpu", "reference"})
      EXPECT_THROW((void)open_backend(device)->make_correction(spec), Error) << device;
  };
  refuses([](CorrectionSpec& s) { s.pixel_offset = {1}; });
  refuses([](CorrectionSpec& s) { s.view_offset = {std::numeric_limits<float>::quiet_NaN()}; });
  refuses([](CorrectionSpec& s) { s.polynomial = {0, std::numeric_limits<float>::infinity()}; });
  refuses([](CorrectionSpec& s) { s.bad_pixels = {5, 5}; });
  refuses([](CorrectionSpec& s) { s.bad_pixels = {columns * rows}; });
  refuses([](CorrectionSpec& s) { s.patches = {{1, 3, 0}, {0, 4, 0}}; });
}

}  // namespace
}  // namespace feldspar::kernels
