// Where host code hands work to kernels: plain structs in, queued on a stream. C++17, read by both compilers.
// Nothing may be empty. Launches that fail throw Error(device).
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "kernels/shared/attenuate.hpp"
#include "kernels/shared/correct.hpp"
#include "kernels/shared/cubic_sampler.hpp"
#include "kernels/shared/extended_row.hpp"
#include "kernels/shared/fdk_block.hpp"
#include "kernels/shared/fdk_column.hpp"
#include "kernels/shared/filter_row.hpp"
#include "kernels/shared/joseph_ray.hpp"
#include "kernels/shared/linear_sampler.hpp"
#include "kernels/shared/merged_views.hpp"

namespace feldspar::kernels::cuda {

/// Counts on the device of what AttenuateBlock met.
struct DeviceTally {
  unsigned long long floored;
  unsigned long long saturated;
  unsigned long long dead;
  unsigned long long not_finite;
};

/// `lines` = rows x views. Adds to `tally`, which is on the device.
void launch(const AttenuateBlock<std::uint16_t>& block, std::int64_t lines, DeviceTally* tally,
            cudaStream_t stream);
void launch(const AttenuateBlock<float>& block, std::int64_t lines, DeviceTally* tally, cudaStream_t stream);

/// See kernels/shared/correct.hpp; `lines` = rows kept x views.
void launch(const PatchBlock& block, std::int64_t patches, cudaStream_t stream);
void launch(const RepairBlock& block, std::int64_t repairs, int views, cudaStream_t stream);
void launch(const CorrectBlock& block, std::int64_t lines, cudaStream_t stream);

void launch(const RectifyBlock& block, std::int64_t lines, cudaStream_t stream);

/// The rays of the pixels first_column .., first_row .. of some views through a box of voxels.
struct RayBlock {
  const RayView* views;  ///< on the device
  RayBox box;
  int first_column, columns;
  int first_row, rows;
};

/// `lines` = rows x views. Adds the line integrals of `volume` to `projections`, or the reverse.
void launch_projection(const RayBlock& block, std::int64_t lines, const float* volume, float* projections,
                       cudaStream_t stream);
void launch_adjoint(const RayBlock& block, std::int64_t lines, const float* projections, float* volume,
                    cudaStream_t stream);

/// Fills `wide`.
void launch(const ExtendedRows& rows, std::int64_t lines, float* wide, cudaStream_t stream);

/// Rows of which the first `left` values are no column of the projections.
struct WideRows {
  const float* values;
  int width;
  int left;
};
void launch_crop(const WideRows& rows, std::int64_t lines, float* projections, int columns,
                 cudaStream_t stream);

/// Memory on the device for rows that shared memory is too small for: `count` of them, or none.
struct RowWorkspace {
  Complex* rows;
  int count;
};

/// Whether a block may have `bytes` of shared memory on this device; makes it so for the filter's kernel.
[[nodiscard]] bool allow_shared_rows(int device, std::size_t bytes);

/// `pairs` = pairs of rows of all views.
void launch(const RowFilter& filter, int pairs, const RowWorkspace& workspace, cudaStream_t stream);

/// The slices of a volume that a batch of views is added into.
struct FdkTarget {
  float* volume;
  int nx;
  int ny;
  int first_slice;
  int slices;
  Disc disc = {};
};

/// Rows `first_row` .. of projections in the layers of a texture.
struct TextureStack {
  cudaTextureObject_t texture;
  int first_row;

#ifdef __CUDACC__
  /// Texel centres are at one half; the border mode reads 0 beyond the outermost.
  struct Line {
    cudaTextureObject_t texture;
    float u;
    float row_shift;
    int layer;
    __device__ float operator()(float v) const {
      return tex2DLayered<float>(texture, u, v + row_shift, layer);
    }
  };
  struct Sampler {
    cudaTextureObject_t texture;
    float row_shift;
    int layer;
    __device__ Line along(float u) const { return {texture, u + 0.5f, row_shift, layer}; }
    __device__ float operator()(float u, float v) const { return along(u)(v); }
  };
  __device__ Sampler operator()(int layer) const {
    return {texture, 0.5f - static_cast<float>(first_row), layer};
  }
#endif
};

/// Interpolates in software, from projections in device memory. `upright`: see FdkColumn.
void launch_fdk(const ViewBatch& batch, const LinearStack& stack, const FdkTarget& target, bool upright,
                cudaStream_t stream);
/// Interpolates with the texture unit, which rounds both weights to 1/256.
void launch_fdk(const ViewBatch& batch, const TextureStack& stack, const FdkTarget& target, bool upright,
                cudaStream_t stream);

/// Sets `scales` (one a view, on the device) to what half_scale() makes of each view's pixels.
void launch_half_scales(const float* pixels, const PairShape& shape, int views, float* scales,
                        cudaStream_t stream);
void launch(const PairPacking<FloatPair>& packing, int views, cudaStream_t stream);
void launch(const PairPacking<HalfPair>& packing, int views, cudaStream_t stream);

/// All blocks of the target. The batch must be upright (is_upright()).
void launch(const FdkBlock<FloatPair>& block, const ViewBatch& batch, cudaStream_t stream);
void launch(const FdkBlock<HalfPair>& block, const ViewBatch& batch, cudaStream_t stream);

/// Tiles of a plan in device memory, and the tables and pairs for as many.
struct MergeLaunch {
  MergePlacing placing;
  Merging merging;
  int tiles;
  int tile_width;
  int longest_stride;  ///< of any tile's shape
  BlockTarget target;  ///< the whole slab
};
/// Rows that a block of the merging kernel works on: as many as its shared memory holds. Throws
/// Error(unsupported) when it holds none.
[[nodiscard]] int merged_rows_at_once(const MergeSizes& sizes);
/// Places, merges and back-projects.
void launch(const MergeLaunch& work, cudaStream_t stream);

/// cudaSuccess when this build has code that the current device can run.
cudaError_t find_device_code();

}  // namespace feldspar::kernels::cuda
