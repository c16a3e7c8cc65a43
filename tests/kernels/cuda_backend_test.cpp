// The CUDA backend on a real device, every operator against its definition; skipped, visibly, without one.
// Where there is none, that it says so.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "kernels/back_projector.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/filter.hpp"
#include "kernels/rectifier.hpp"
#include "tests/kernels/cuda_expectations.hpp"
#include "tests/support/comparison.hpp"

namespace feldspar::kernels {
namespace {

using testing::ScanCase;

TEST(CudaDevices, AreListedOrSayWhyNot) {
  const std::vector<DeviceInfo> devices = cuda_devices();

  ASSERT_FALSE(devices.empty());
  for (const DeviceInfo& device : devices) {
    EXPECT_EQ(device.name.rfind("cuda", 0), 0u) << device.name;
    EXPECT_FALSE(device.description.empty());
    EXPECT_EQ(device.preference > 0, device.unavailable.empty()) << device.unavailable;
    EXPECT_EQ(device.unavailable.empty() && device.memory == 0, false);
  }
}

TEST(OpenCuda, OfAnUnusableDeviceThrowsItsReason) {
  const std::vector<DeviceInfo> devices = cuda_devices();
  if (devices.front().unavailable.empty()) GTEST_SKIP() << "this machine has " << devices.front().description;

  try {
    (void)open_cuda(0);
    FAIL() << "opened a device that is listed as unavailable";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_NE(std::string(error.what()).find(devices.front().unavailable), std::string::npos) << error.what();
  }
}

TEST(OpenCuda, OfADeviceThatDoesNotExistThrows) {
  for (const int index : {-1, 1000000}) EXPECT_THROW((void)open_cuda(index), Error) << index;
}

/// Opens the first device, or skips.
class OnDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    const DeviceInfo device = cuda_devices().front();
    if (!device.unavailable.empty()) GTEST_SKIP() << "needs a CUDA device: " << device.unavailable;
    backend_ = open_cuda(0);
  }

  /// A buffer on the device with a copy of `values`.
  template <class T>
  [[nodiscard]] std::unique_ptr<Buffer> uploaded(const std::vector<T>& values) const {
    auto buffer = backend_->allocate(values.size() * sizeof(T), "a test");
    backend_->upload(values.data(), buffer->data(), buffer->bytes());
    backend_->wait();
    return buffer;
  }
  template <class T>
  void download(const Buffer& buffer, std::vector<T>& values) const {
    backend_->download(buffer.data(), values.data(), values.size() * sizeof(T));
    backend_->wait();
  }

  std::unique_ptr<Backend> backend_;
};

template <class T>
DeviceView3<T> view_of(const Buffer& buffer, int nx, int ny, int nz) {
  return {static_cast<T*>(buffer.data()), nx, ny, nz};
}

TEST_F(OnDevice, MemoryComesBackAsItWent) {
  const std::vector<float> values = testing::noise(1000003);
  std::vector<float> back(values.size());
  const auto buffer = uploaded(values);

  backend_->fill_zero(buffer->data(), 12);
  download(*buffer, back);

  EXPECT_EQ(backend_->name(), "cuda:0");
  EXPECT_TRUE(std::all_of(back.begin(), back.begin() + 3, [](float x) { return x == 0; }));
  EXPECT_TRUE(std::equal(back.begin() + 3, back.end(), values.begin() + 3));
}

TEST_F(OnDevice, MemoryThatIsNotThereIsAnErrorThatNamesItsPurpose) {
  try {
    (void)backend_->allocate(std::size_t{1} << 50, "an impossible slab");
    FAIL() << "allocated a pebibyte";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::out_of_memory);
    EXPECT_NE(std::string(error.what()).find("an impossible slab"), std::string::npos) << error.what();
  }
  EXPECT_NO_THROW((void)backend_->allocate(1 << 20, "what is possible, afterwards"));
}

TEST_F(OnDevice, AttenuationAgreesWithTheDefinitionAndCounts) {
  const int columns = 300, rows = 40, views = 3;
  std::vector<float> counts = testing::noise(columns * rows * views, 200, 60000);
  counts[7] = std::numeric_limits<float>::quiet_NaN();
  counts[columns] = 50;
  counts[columns + 1] = 65535;
  const std::vector<float> white(columns * rows, 61000), dark{100};
  const auto attenuation = backend_->make_attenuation({columns, rows, white, dark, 65535});
  const auto source = uploaded(counts), target = backend_->allocate(source->bytes(), "line integrals");

  attenuation->apply(view_of<const float>(*source, columns, rows, views), {{0, columns}, {0, rows}},
                     view_of<float>(*target, columns, rows, views));

  std::vector<float> result(counts.size());
  download(*target, result);
  for (std::size_t n = 0; n < counts.size(); ++n)  // one ulp of a logarithm below 12 and two of its argument
    ASSERT_NEAR(result[n], n == 7 ? 0 : testing::expected_line_integral(counts[n], 61000, 100), 2e-6) << n;
  const AttenuationTally tally = attenuation->tally();
  EXPECT_EQ(tally.pixels, columns * rows * views);
  EXPECT_EQ(tally.floored, 1);
  EXPECT_EQ(tally.saturated, 1);
  EXPECT_EQ(tally.dead, 0);
  EXPECT_EQ(tally.not_finite, 1);
}

TEST_F(OnDevice, FilterConvolvesWithTheRamp) {
  for (const int count : {2, 5}) {  // the second block is larger than the plan made for the first
    geometry::CircularScan scan = testing::plain_scan(count);
    const auto weights = testing::weights_of(geometry::make_views(scan));
    const int columns = scan.detector.columns, rows = scan.detector.rows;
    std::vector<float> values = testing::noise(static_cast<std::size_t>(columns * rows * count));
    const auto by_column = testing::noise(static_cast<std::size_t>(columns * count), 0, 2);
    const auto expected = testing::expected_filter(weights, by_column, {values.data(), columns, rows, count});
    const auto filter = backend_->make_filter({columns, {}});
    const auto buffer = uploaded(values);

    filter->apply(weights, by_column, 0, view_of<float>(*buffer, columns, rows, count));

    download(*buffer, values);
    const auto difference = testing::compare(std::span(values), std::span(expected));
    EXPECT_LT(difference.worst, 24 * 0x1p-24)
        << "at " << difference.where;  // roundings of log2(128) stages, twice
  }
}

TEST_F(OnDevice, RectifierAgreesWithTheDefinition) {
  const int columns = 37, rows = 29, nx = 41, ny = 35;
  const std::vector<float> values = testing::noise(columns * rows);
  const std::array<double, 9> h{1.01, 0.03, -1.7, -0.03, 0.99, 0.4, 1e-4, -2e-4, 1};
  const auto source = uploaded(values),
             target = backend_->allocate(nx * ny * sizeof(float), "a virtual detector");

  backend_->make_rectifier()->apply(
      std::span(&h, 1), columns, rows,
      {{{0, columns}, {0, rows}}, view_of<const float>(*source, columns, rows, 1)},
      {{{-2, nx - 2}, {-3, ny - 3}}, view_of<float>(*target, nx, ny, 1)});

  std::vector<float> result(nx * ny);
  download(*target, result);
  for (int n = 0; n < nx * ny; ++n)
    ASSERT_NEAR(result[static_cast<std::size_t>(n)],
                testing::expected_rectified({values.data(), columns, rows, 1}, 0, h, n % nx - 2, n / nx - 3),
                8 * 0x1p-24)
        << n;
}

class BackProjectionOnDevice : public OnDevice, public ::testing::WithParamInterface<ScanCase> {};

TEST_P(BackProjectionOnDevice, AgreesWithTheDefinition) {
  const auto& [name, scan, grid] = GetParam();
  const auto views = geometry::make_views(scan);
  const int nu = scan.detector.columns, nv = scan.detector.rows, count = static_cast<int>(views.size());
  const std::vector<float> values = testing::noise(static_cast<std::size_t>(nu * nv * count));
  const auto expected = testing::expected_back_projection(views, {values.data(), nu, nv, count}, grid);
  std::vector<float> result(grid.voxels(), 0.0f);
  const auto projections = uploaded(values), volume = uploaded(result);

  backend_->make_back_projector({})->accumulate(
      views, {0, nv}, view_of<const float>(*projections, nu, nv, count), grid, {0, grid.nz},
      view_of<float>(*volume, grid.nx, grid.ny, grid.nz));

  download(*volume, result);
  const auto difference = testing::compare(std::span(result), std::span(expected));
  EXPECT_LT(difference.worst, testing::column_tolerance(GetParam())) << "at " << difference.where;
}

INSTANTIATE_TEST_SUITE_P(Geometries, BackProjectionOnDevice,
                         ::testing::ValuesIn(testing::back_projection_cases()),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace feldspar::kernels
