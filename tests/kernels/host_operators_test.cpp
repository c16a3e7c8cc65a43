// The CPU operators, on every instruction set this machine has, against the reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "geometry/coverage.hpp"
#include "geometry/rectification.hpp"
#include "kernels/attenuation.hpp"
#include "kernels/back_projector.hpp"
#include "kernels/backend.hpp"
#include "kernels/filter.hpp"
#include "kernels/rectifier.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/scans.hpp"

namespace feldspar {
namespace {

using geometry::Range;
using testing::Case;

std::vector<Case> all_cases() {
  std::vector<Case> all = testing::named_cases();
  for (Case& c : testing::pixel_centre_cases()) all.push_back(std::move(c));
  for (Case& c : testing::random_cases(20, 7)) all.push_back(std::move(c));
  return all;
}

std::vector<std::string> host_devices() {
  std::vector<std::string> names;
  for (const auto& device : kernels::list_devices())
    if (device.name.starts_with("cpu:") && device.unavailable.empty()) names.push_back(device.name);
  return names;
}

std::string test_name(std::string device, const std::string& name) {
  device[device.find(':')] = '_';
  return device + "_" + name;
}

template <class T>
kernels::DeviceView3<T> device(T* data, int nx, int ny, int nz) {
  return {data, nx, ny, nz};
}

class OnDeviceAndCase : public ::testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  [[nodiscard]] const Case& test_case() const { return std::get<1>(GetParam()); }
  std::unique_ptr<kernels::Backend> backend_ =
      kernels::open_backend(std::get<0>(GetParam()), {.threads = 2, .budget = nullptr});
  std::unique_ptr<kernels::Backend> reference_ = kernels::open_backend("reference");
};

using BackProjection = OnDeviceAndCase;
using Filtering = OnDeviceAndCase;
using Rectifying = OnDeviceAndCase;

/// Back-projects noise in slabs of `height` slices, each with only the rows it needs.
std::vector<float> back_project(kernels::Backend& backend, const Case& c, int height,
                                const kernels::BackProjectorSpec& spec = {}) {
  const auto views = geometry::make_views(c.scan);
  const int nu = c.scan.detector.columns, nv = c.scan.detector.rows, count = static_cast<int>(views.size());
  const std::vector<float> stack = testing::noise(std::size_t(nu) * nv * count);
  std::vector<float> volume(c.grid.voxels(), 0.0f);
  const auto projector = backend.make_back_projector(spec);
  for (int first = 0; first < c.grid.nz; first += height) {
    const Range slices{first, std::min(c.grid.nz, first + height)};
    Range rows =
        geometry::shadow_window(views, geometry::slab_of(c.grid, first, slices.count()), nu, nv).rows;
    if (rows.empty()) rows = {0, 1};
    std::vector<float> part;
    for (int n = 0; n < count; ++n)
      part.insert(part.end(), stack.begin() + (std::ptrdiff_t(n) * nv + rows.first) * nu,
                  stack.begin() + (std::ptrdiff_t(n) * nv + rows.end) * nu);
    projector->accumulate(views, rows, device<const float>(part.data(), nu, rows.count(), count), c.grid,
                          slices,
                          device(volume.data() + std::size_t(first) * c.grid.nx * c.grid.ny, c.grid.nx,
                                 c.grid.ny, slices.count()));
  }
  return volume;
}

// The shadow is placed in double; what single precision costs is the interpolation weight, off by up to
// 2^-24 of a chunk's 32 samples, and eight-view sums rounded to 2^-24. On noise, whose neighbours differ by
// as much as its values, that is a few parts in a million of the result.
constexpr double interpolation_rounding = 1e-5;

TEST_P(BackProjection, AgreesWithReference) {
  const std::vector<float> expected = back_project(*reference_, test_case(), 1 << 20);

  const std::vector<float> result = back_project(*backend_, test_case(), 1 << 20);

  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.relative, interpolation_rounding) << "at " << difference.where;
  EXPECT_LT(difference.worst, 4 * interpolation_rounding) << "at " << difference.where;
}

TEST_P(BackProjection, DoesNotDependOnSlabs) {
  const std::vector<float> whole = back_project(*backend_, test_case(), 1 << 20);

  for (const int height : {1, 5, 16, 23})
    EXPECT_EQ(back_project(*backend_, test_case(), height), whole) << height;
}

TEST_P(Filtering, AgreesWithReference) {
  const auto views = geometry::make_views(test_case().scan);
  const int nu = test_case().scan.detector.columns, nv = test_case().scan.detector.rows,
            count = int(views.size());
  std::vector<kernels::FdkWeight> weights;
  for (const auto& view : views) weights.push_back(kernels::make_fdk_weight(view, 0.1));
  const std::vector<float> column_weights = testing::noise(std::size_t(nu) * count, 3);
  std::vector<float> result = testing::noise(std::size_t(nu) * nv * count), expected = result;
  const kernels::FilterSpec spec{.columns = nu,
                                 .ramp = {.window = kernels::RampWindow::hamming, .cutoff = 0.8}};

  backend_->make_filter(spec)->apply(weights, column_weights, 4, device(result.data(), nu, nv, count));
  reference_->make_filter(spec)->apply(weights, column_weights, 4, device(expected.data(), nu, nv, count));

  // A transform of length L rounds about sqrt(log2 L) times, each 2^-24 of the row; the ramp keeps a few
  // per cent of noise this smooth in norm, hence the factor.
  EXPECT_LT(testing::compare(std::span(result), std::span(expected)).relative, 1e-5);
}

TEST_P(Rectifying, AgreesWithReference) {
  const auto views = geometry::make_views(test_case().scan);
  const int nu = test_case().scan.detector.columns, nv = test_case().scan.detector.rows,
            count = int(views.size());
  const auto r = geometry::make_rectification(views, nu, nv);
  const geometry::PixelWindow target{{0, r.columns}, {2, r.rows - 1}};
  const geometry::PixelWindow source = geometry::source_window(r, target, nu, nv);
  const int width = source.columns.count(), height = source.rows.count();
  const std::vector<float> stack = testing::noise(std::size_t(width) * height * count);
  std::vector<float> result(std::size_t(r.columns) * target.rows.count() * count), expected = result;

  const kernels::WindowImages<const float> real{source, device(stack.data(), width, height, count)};
  backend_->make_rectifier()->apply(r.homographies, nu, nv, real,
                                    {target, device(result.data(), r.columns, target.rows.count(), count)});
  reference_->make_rectifier()->apply(
      r.homographies, nu, nv, real, {target, device(expected.data(), r.columns, target.rows.count(), count)});

  // Sixteen products of single precision; the places are computed in double by both.
  EXPECT_LT(testing::compare(std::span(result), std::span(expected)).worst, 16 * 0x1p-24);
}

std::string name_of(const ::testing::TestParamInfo<std::tuple<std::string, Case>>& info) {
  return test_name(std::get<0>(info.param), std::get<1>(info.param).name);
}
const auto everything =
    ::testing::Combine(::testing::ValuesIn(host_devices()), ::testing::ValuesIn(all_cases()));
INSTANTIATE_TEST_SUITE_P(Host, BackProjection, everything, name_of);
INSTANTIATE_TEST_SUITE_P(Host, Filtering, everything, name_of);
INSTANTIATE_TEST_SUITE_P(Host, Rectifying, everything, name_of);

class OnDevice : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<kernels::Backend> backend_ =
      kernels::open_backend(GetParam(), {.threads = 2, .budget = nullptr});
  std::unique_ptr<kernels::Backend> reference_ = kernels::open_backend("reference");
};

// Which pixel sizes put a shadow just below a pixel centre on one way of rounding and on it on another is a
// matter of luck: those of usual detectors and objectives, in micrometres.
TEST_P(OnDevice, BackProjectionAgreesWhereShadowsFallOnPixelCentres) {
  for (const double micrometres :
       {0.325, 0.65, 0.72, 0.8,  0.9,  1.0,  1.1,  1.3,  1.6,  1.625, 2.0,   2.5,   3.0,   3.25,  3.45,
        4.5,   5.0,  5.2,  5.5,  5.86, 6.45, 6.5,  7.4,  8.0,  9.0,   10.0,  11.0,  12.0,  13.0,  13.5,
        16.0,  24.0, 25.0, 36.0, 48.0, 50.0, 55.0, 74.8, 75.0, 100.0, 127.0, 139.0, 150.0, 172.0, 200.0})
    for (const int count : {16, 17}) {
      const Case c = testing::parallel_on_centres(count, 1e-3 * micrometres);
      const std::vector<float> expected = back_project(*reference_, c, 1 << 20);

      const std::vector<float> result = back_project(*backend_, c, 1 << 20);

      const auto difference = testing::compare(std::span(result), std::span(expected));
      EXPECT_LT(difference.worst, 4 * interpolation_rounding)
          << count << " columns of " << micrometres << " um, at " << difference.where;
    }
}

TEST_P(OnDevice, FilterAgreesAtEveryLength) {
  for (const int columns : {1, 2, 7, 8, 9, 31, 64, 65, 500, 513, 1100}) {
    const int rows = 3;
    std::vector<kernels::FdkWeight> weights{{.ray = {-40, 500, -3},
                                             .column_step = {0.4, 0, 0},
                                             .row_step = {0, 0, 0.4},
                                             .to_axis = {0, 1, 0},
                                             .scale = 0.7}};
    std::vector<float> result = testing::noise(std::size_t(columns) * rows), expected = result;

    backend_->make_filter({.columns = columns, .ramp = {}})
        ->apply(weights, {}, 0, device(result.data(), columns, rows, 1));
    reference_->make_filter({.columns = columns, .ramp = {}})
        ->apply(weights, {}, 0, device(expected.data(), columns, rows, 1));

    EXPECT_LT(testing::compare(std::span(result), std::span(expected)).relative, 1e-5)
        << columns << " columns";
  }
}

TEST_P(OnDevice, AttenuationAgreesWithReferenceAndCountsTheSame) {
  const int nu = 37, nv = 5, views = 3;
  std::vector<float> white = testing::noise(std::size_t(nu) * nv, 1),
                     dark = testing::noise(std::size_t(nu) * nv, 2);
  for (float& w : white) w *= 60000;
  for (float& d : dark) d *= 100;
  white[7] = dark[7] + 0.5f;  // a dead pixel
  const kernels::AttenuationSpec spec{
      .columns = nu, .rows = nv, .white = white, .dark = dark, .saturation = 65535};
  const geometry::PixelWindow window{{2, nu - 1}, {0, nv - 1}};
  const int width = window.columns.count(), height = window.rows.count();
  std::vector<float> counts = testing::noise(std::size_t(width) * height * views, 4);
  for (float& c : counts) c *= 50000;
  counts[3] = 0, counts[40] = 65535, counts[50] = std::nanf(""), counts[60] = INFINITY, counts[61] = 99999;
  std::vector<float> result(counts.size(), NAN), expected(counts.size());
  const auto ours = backend_->make_attenuation(spec), theirs = reference_->make_attenuation(spec);

  ours->apply(device<const float>(counts.data(), width, height, views), window,
              device(result.data(), width, height, views));
  theirs->apply(device<const float>(counts.data(), width, height, views), window,
                device(expected.data(), width, height, views));

  // Two units in the last place of a logarithm of at most ln(60000) = 11.
  EXPECT_LT(testing::compare(std::span(result), std::span(expected)).worst, 4 * 0x1p-24);
  EXPECT_EQ(ours->tally().pixels, theirs->tally().pixels);
  EXPECT_EQ(ours->tally().floored, theirs->tally().floored);
  EXPECT_EQ(ours->tally().saturated, theirs->tally().saturated);
  EXPECT_EQ(ours->tally().dead, theirs->tally().dead);
  EXPECT_EQ(ours->tally().not_finite, theirs->tally().not_finite);
  EXPECT_GT(ours->tally().dead, 0);
  EXPECT_EQ(ours->tally().not_finite, 2);
}

TEST_P(OnDevice, AttenuationTakesEverySixteenBitCount) {
  std::vector<std::uint16_t> counts(65536);
  for (std::size_t n = 0; n < counts.size(); ++n) counts[n] = static_cast<std::uint16_t>(n);
  std::vector<float> result(counts.size());
  const auto attenuation = backend_->make_attenuation(
      {.columns = 256, .rows = 256, .white = {60000}, .dark = {}, .saturation = 0});

  attenuation->apply(device<const std::uint16_t>(counts.data(), 256, 256, 1), {{0, 256}, {0, 256}},
                     device(result.data(), 256, 256, 1));

  for (std::size_t n = 0; n < counts.size(); ++n)
    ASSERT_NEAR(result[n], -std::log(std::max(double(n), 1.0) / 60000), 2e-6)
        << n;  // 2 x 2^-24 x 11, rounded up
  EXPECT_EQ(attenuation->tally().floored, 1);
}

INSTANTIATE_TEST_SUITE_P(Host, OnDevice, ::testing::ValuesIn(host_devices()), [](const auto& of) {
  return test_name(of.param, "device").substr(0, of.param.size());
});

}  // namespace
}  // namespace feldspar
