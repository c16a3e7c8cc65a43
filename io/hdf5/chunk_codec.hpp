// HDF5's standard filters, shuffle and deflate, run by us on one chunk, faster than the library's.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

struct libdeflate_compressor;

namespace feldspar::io::hdf5 {

/// Of one thread.
class ChunkCodec {
 public:
  /// `level` 0 leaves chunks as they are.
  ChunkCodec(int level, std::size_t value_bytes);

  /// The bytes to store for a chunk; they live until the next call or as long as `chunk`.
  std::span<const std::byte> encode(std::span<const std::byte> chunk);

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const noexcept;
  };
  std::size_t value_bytes_;
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
  std::vector<std::byte> shuffled_;
  std::vector<std::byte> compressed_;
};

}  // namespace feldspar::io::hdf5
