// Continuation of truncated rows: CPU against reference, and what the continuation must keep.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/error.hpp"
#include "kernels/backend.hpp"
#include "kernels/row_extender.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/scans.hpp"

namespace feldspar {
namespace {

struct Rows {
  kernels::RowExtension how;
  kernels::ModelSampling sampling;
  int columns, rows, views, first_row, model_columns, model_rows;

  [[nodiscard]] int width() const { return how.left + columns + how.right; }
};

Rows random_rows(unsigned seed) {
  std::mt19937 random(seed);
  const auto whole = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
  Rows r{};
  r.columns = whole(9, 70), r.rows = whole(1, 9), r.views = whole(1, 4), r.first_row = 2 * whole(0, 20);
  r.how.measured = {whole(0, 2), r.columns - whole(0, 2)};
  r.how.left = whole(0, 90), r.how.right = whole(0, 90), r.how.edge = whole(1, 5);
  r.how.reach = whole(1, 50), r.how.scale_to_edge = whole(0, 1) == 1, r.how.least_level = 0.7;
  r.sampling = {-r.how.left - whole(0, 3), 0, whole(1, 9)};
  r.sampling.first_row = r.first_row / r.sampling.step;
  r.model_columns = (r.width() + 3) / r.sampling.step + 2;
  r.model_rows = (r.first_row + r.rows - 1) / r.sampling.step + 2 - r.sampling.first_row;
  return r;
}

std::vector<float> extend(const std::string& device, const Rows& r, const std::vector<float>& measured,
                          const std::vector<float>& model) {
  const auto backend = kernels::open_backend(device, {.threads = 2, .budget = nullptr});
  std::vector<float> wide(std::size_t(r.width()) * r.rows * r.views);
  backend->make_row_extender()->extend(r.how, r.first_row, {measured.data(), r.columns, r.rows, r.views},
                                       r.sampling, {model.data(), r.model_columns, r.model_rows, r.views},
                                       {wide.data(), r.width(), r.rows, r.views});
  return wide;
}

TEST(RowExtender, AgreesWithReference) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const Rows r = random_rows(seed);
    const auto measured = testing::noise(std::size_t(r.columns) * r.rows * r.views, 1),
               model = testing::noise(std::size_t(r.model_columns) * r.model_rows * r.views, 2);

    const auto expected = extend("reference", r, measured, model), result = extend("cpu", r, measured, model);

    // A dozen operations of single precision on values of one size.
    EXPECT_LT(testing::compare(std::span(result), std::span(expected)).worst, 16 * 0x1p-24) << seed;
  }
}

TEST(RowExtender, GoesOnWithTheModelWhereItIsRight) {
  Rows r = random_rows(3);
  r.how.scale_to_edge = false;
  const std::vector<float> measured(std::size_t(r.columns) * r.rows * r.views, 2.5f),
      model(std::size_t(r.model_columns) * r.model_rows * r.views, 2.5f);
  for (const float value : extend("cpu", r, measured, model)) ASSERT_FLOAT_EQ(value, 2.5f);
}

TEST(RowExtender, EndsAMismatchAtItsReach) {
  Rows r = random_rows(3);
  r.how.measured = {0, r.columns}, r.how.left = 60, r.how.right = 0, r.how.reach = 20;
  r.how.scale_to_edge = false, r.sampling.first_column = -60;
  r.model_columns = r.width() / r.sampling.step + 2;
  const std::vector<float> measured(std::size_t(r.columns) * r.rows * r.views, 3.0f),
      model(std::size_t(r.model_columns) * r.model_rows * r.views, 1.0f);

  const auto wide = extend("cpu", r, measured, model);

  EXPECT_NEAR(wide[59], 3.0, 0.02);  // beside the edge: cos^2 of a twentieth
  EXPECT_NEAR(wide[50], 2.0, 1e-5);  // halfway
  for (int n = 0; n <= 40; ++n) EXPECT_NEAR(wide[std::size_t(n)], 1.0, 1e-5) << n;
}

TEST(RowExtender, CropsWhatItExtended) {
  const Rows r = random_rows(5);
  const auto measured = testing::noise(std::size_t(r.columns) * r.rows * r.views, 1),
             model = testing::noise(std::size_t(r.model_columns) * r.model_rows * r.views, 2);
  for (const std::string device : {"cpu", "reference"}) {
    Rows all = r;
    all.how.measured = {0, r.columns};
    const auto wide = extend(device, all, measured, model);
    std::vector<float> back(measured.size());
    kernels::open_backend(device)->make_row_extender()->crop(
        all.how, {wide.data(), all.width(), r.rows, r.views}, {back.data(), r.columns, r.rows, r.views});
    EXPECT_EQ(back, measured) << device;
  }
}

TEST(RowExtender, RefusesAModelThatEndsTooSoon) {
  Rows r = random_rows(3);
  r.sampling.first_column = 1;
  const std::vector<float> measured(std::size_t(r.columns) * r.rows * r.views),
      model(std::size_t(r.model_columns) * r.model_rows * r.views);
  EXPECT_THROW((void)extend("cpu", r, measured, model), Error);
}

}  // namespace
}  // namespace feldspar
