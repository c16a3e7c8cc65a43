// Every method of back-projection on a device; skipped, visibly, without one.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "tests/kernels/cuda_device.hpp"
#include "tests/kernels/cuda_expectations.hpp"
#include "tests/support/comparison.hpp"

namespace feldspar::kernels::cuda {
namespace {

using testing::back_projected_on_device;

struct NamedMethod {
  const char* name;
  Method method;
  double rounding;  ///< of pixels and weights, relative to the largest voxel
};

// Pixels of half precision are off by 2^-11 of themselves at most. A texture's weights of 8 bits read from up
// to 2^-9 pixel away in either direction, where neighbours differ by at most 1 (the edge); the largest voxel
// gets at least half of what every view could give.
constexpr NamedMethod methods[] = {{"blocks", Method::blocks, 0},
                                   {"half_blocks", Method::half_blocks, 0x1p-11},
                                   {"columns", Method::columns, 0},
                                   {"texture", Method::texture, 2 * 0x1p-9 / 0.5}};

class MethodsOnDevice : public ::testing::TestWithParam<std::tuple<NamedMethod, testing::ScanCase>> {
 protected:
  void SetUp() override {
    const DeviceInfo device = cuda_devices().front();
    if (!device.unavailable.empty()) GTEST_SKIP() << "needs a CUDA device: " << device.unavailable;
  }
};

TEST_P(MethodsOnDevice, AgreeWithTheDefinition) {
  const auto& [way, scan_case] = GetParam();
  const auto& [name, scan, grid] = scan_case;
  const auto views = geometry::make_views(scan);
  const int nu = scan.detector.columns, nv = scan.detector.rows, count = static_cast<int>(views.size());
  const std::vector<float> values = testing::noise(static_cast<std::size_t>(nu) * nv * views.size());
  const auto expected = testing::expected_back_projection(views, {values.data(), nu, nv, count}, grid);

  const auto result = back_projected_on_device(way.method, {}, scan, grid, values);

  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.worst, way.rounding + testing::column_tolerance(scan_case))
      << "at " << difference.where;
}

INSTANTIATE_TEST_SUITE_P(Geometries, MethodsOnDevice,
                         ::testing::Combine(::testing::ValuesIn(methods),
                                            ::testing::ValuesIn(testing::scan_cases())),
                         [](const auto& of) {
                           return std::string(std::get<0>(of.param).name) + "_" + std::get<1>(of.param).name;
                         });

}  // namespace
}  // namespace feldspar::kernels::cuda
