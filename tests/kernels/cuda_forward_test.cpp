// The CUDA forward projector and row extender on a real device against the reference; skipped, visibly,
// without one.
#include <gtest/gtest.h>

#include <vector>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/forward_projector.hpp"
#include "kernels/row_extender.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/scans.hpp"

namespace feldspar::kernels {
namespace {

using testing::Case;

class ForwardOnDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    const DeviceInfo device = cuda_devices().front();
    if (!device.unavailable.empty()) GTEST_SKIP() << "needs a CUDA device: " << device.unavailable;
    backend_ = open_cuda(0);
  }
  [[nodiscard]] std::unique_ptr<Buffer> uploaded(const std::vector<float>& values) const {
    auto buffer = backend_->allocate(values.size() * sizeof(float), "a test");
    backend_->upload(values.data(), buffer->data(), buffer->bytes());
    backend_->wait();
    return buffer;
  }
  void download(const Buffer& buffer, std::vector<float>& values) const {
    backend_->download(buffer.data(), values.data(), values.size() * sizeof(float));
    backend_->wait();
  }
  template <class T = float>
  static DeviceView3<T> view_of(const Buffer& buffer, int nx, int ny, int nz) {
    return {static_cast<T*>(buffer.data()), nx, ny, nz};
  }
  std::unique_ptr<Backend> backend_, reference_ = open_backend("reference");
};

TEST_F(ForwardOnDevice, ProjectsAsTheReference) {
  for (const Case& c : testing::random_cases(8, 5)) {
    const auto views = geometry::make_views(c.scan);
    const geometry::PixelWindow window{{-5, c.scan.detector.columns + 4}, {-2, c.scan.detector.rows}};
    const int nu = window.columns.count(), nv = window.rows.count(), count = static_cast<int>(views.size());
    const auto volume = testing::noise(c.grid.voxels(), 1),
               stack = testing::noise(std::size_t(nu) * nv * count, 2);
    std::vector<float> pixels(stack.size(), 0.0f), voxels(volume.size(), 0.0f), expected_pixels = pixels,
                                                                                expected_voxels = voxels;
    const auto theirs = reference_->make_forward_projector(), ours = backend_->make_forward_projector();
    const geometry::Range all{0, c.grid.nz};
    theirs->accumulate(views, window, {expected_pixels.data(), nu, nv, count}, c.grid, all,
                       {volume.data(), c.grid.nx, c.grid.ny, c.grid.nz});
    theirs->accumulate_adjoint(views, window, {stack.data(), nu, nv, count}, c.grid, all,
                               {expected_voxels.data(), c.grid.nx, c.grid.ny, c.grid.nz});
    const auto on_volume = uploaded(volume), on_stack = uploaded(stack), on_pixels = uploaded(pixels),
               on_voxels = uploaded(voxels);

    ours->accumulate(views, window, view_of(*on_pixels, nu, nv, count), c.grid, all,
                     view_of<const float>(*on_volume, c.grid.nx, c.grid.ny, c.grid.nz));
    ours->accumulate_adjoint(views, window, view_of<const float>(*on_stack, nu, nv, count), c.grid, all,
                             view_of(*on_voxels, c.grid.nx, c.grid.ny, c.grid.nz));

    download(*on_pixels, pixels), download(*on_voxels, voxels);
    // As the CPU's: places within a plane are rounded to 2^-24 of the grid's size, on noise.
    EXPECT_LT(testing::compare(std::span(pixels), std::span(expected_pixels)).relative, 3e-5) << c.name;
    EXPECT_LT(testing::compare(std::span(voxels), std::span(expected_voxels)).relative, 3e-5) << c.name;
  }
}

TEST_F(ForwardOnDevice, ContinuesRowsAsTheReference) {
  for (const bool scale : {false, true}) {
    const int columns = 300, rows = 6, views = 3, left = 410, right = 290, width = left + columns + right;
    const RowExtension how{.measured = {2, columns - 1},
                           .left = left,
                           .right = right,
                           .edge = 5,
                           .reach = 150,
                           .scale_to_edge = scale,
                           .least_level = 0.7};
    const ModelSampling sampling{-left, 1, 7};
    const int across = width / 7 + 2, along = 3;
    const auto measured = testing::noise(std::size_t(columns) * rows * views, 1),
               model = testing::noise(std::size_t(across) * along * views, 2);
    std::vector<float> wide(std::size_t(width) * rows * views), expected = wide, back(measured.size());
    reference_->make_row_extender()->extend(how, 8, {measured.data(), columns, rows, views}, sampling,
                                            {model.data(), across, along, views},
                                            {expected.data(), width, rows, views});
    const auto on_measured = uploaded(measured), on_model = uploaded(model), on_wide = uploaded(wide),
               on_back = uploaded(back);
    const auto extender = backend_->make_row_extender();

    extender->extend(how, 8, view_of<const float>(*on_measured, columns, rows, views), sampling,
                     view_of<const float>(*on_model, across, along, views),
                     view_of(*on_wide, width, rows, views));
    extender->crop(how, view_of<const float>(*on_wide, width, rows, views),
                   view_of(*on_back, columns, rows, views));

    download(*on_wide, wide), download(*on_back, back);
    EXPECT_LT(testing::compare(std::span(wide), std::span(expected)).worst, 32 * 0x1p-24) << scale;
    EXPECT_EQ(back[5], measured[5]);
    EXPECT_EQ(back[std::size_t(columns) * rows * views - 5],
              measured[std::size_t(columns) * rows * views - 5]);
  }
}

}  // namespace
}  // namespace feldspar::kernels
