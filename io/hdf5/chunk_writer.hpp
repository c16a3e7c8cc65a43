// Cuts slabs of any height into the chunks of a dataset, each compressed and written once. HDF5's own path
// compresses on one thread and would compress a chunk again for every slab that touches it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/memory.hpp"
#include "base/parallel.hpp"
#include "io/hdf5/chunk_codec.hpp"
#include "io/hdf5/handle.hpp"
#include "io/hdf5/voxel_coding.hpp"

namespace feldspar::io::hdf5 {

/// Voxels along x, y and z.
struct Shape {
  int nx = 0;
  int ny = 0;
  int nz = 0;
};

/// 1 MiB of float32: a slice touches 16 slices' worth of chunks, a row or column plane 128.
[[nodiscard]] Shape chunk_shape(Shape volume);

/// Writes the voxels of one dataset. Memory: a chunk or two a thread, and the layers of chunks that are
/// known only in part: one while slabs come in order, never more than four.
class ChunkWriter {
 public:
  ChunkWriter(const Dataset& dataset, Shape volume, VoxelCoding coding, int deflate, int threads);

  /// Throws Error(internal) for slices outside the volume or written before, Failure when HDF5 fails.
  void write(int first_slice, View3<const float> slab);

  /// Takes these slices as written, by an earlier run, which hashed them.
  void take_as_written(geometry::Range slices, std::int64_t clipped, const std::vector<std::string>& hashes);
  [[nodiscard]] bool has(geometry::Range slices) const;

  [[nodiscard]] bool complete() const noexcept { return slices_written_ == volume_.nz; }
  [[nodiscard]] std::int64_t clipped() const noexcept { return clipped_; }

  /// Of the stored values of each slice before compression, rows in order; empty texts of slices to come.
  [[nodiscard]] const std::vector<std::string>& hashes() const noexcept { return hashes_; }

 private:
  /// The slices of one layer of chunks that came so far, coded, in the order of the volume.
  struct PartialLayer {
    int index = 0;
    int filled = 0;
    Block voxels;
  };
  struct Scratch {
    std::vector<std::byte> chunk;
    ChunkCodec codec;
  };
  /// Puts `count` coded voxels from (x, y, slice of the layer) on at `out`.
  using RowSource = std::function<void(int x, int y, int slice, int count, std::byte* out)>;

  void claim(int first_slice, int count);
  void hash(int first_slice, View3<const float> slab);
  void encode(const float* values, int count, std::byte* out);
  void write_part(int layer, int first_slice, View3<const float> part);
  void write_layer(int layer, const RowSource& rows);
  void write_stored(const PartialLayer& layer);
  PartialLayer& partial_layer(int index);
  void make_room();
  void read_back(PartialLayer& layer);
  [[nodiscard]] int slices_of(int layer) const noexcept;
  [[nodiscard]] std::size_t offset_of(int y, int slice) const noexcept;

  const Dataset& dataset_;
  Shape volume_;
  Shape chunk_;
  VoxelCoding coding_;
  ThreadPool pool_;
  std::vector<Scratch> scratch_;
  std::mutex library_;
  std::atomic<std::int64_t> clipped_{0};
  std::vector<bool> written_;
  std::vector<std::string> hashes_;
  int slices_written_ = 0;
  std::deque<PartialLayer> partial_;
  std::vector<int> set_aside_;  ///< by layer: slices in the file of a layer that is not complete
};

}  // namespace feldspar::io::hdf5
