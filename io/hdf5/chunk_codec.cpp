// Shuffle as in H5Zshuffle.c: all first bytes, then all second bytes, and so on. Deflate in zlib's framing.
#include "io/hdf5/chunk_codec.hpp"

#include <libdeflate.h>

#include "base/error.hpp"

namespace feldspar::io::hdf5 {
namespace {

template <std::size_t size>
void shuffle(std::span<const std::byte> values, std::byte* out) {
  const std::size_t count = values.size() / size;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t b = 0; b < size; ++b) out[b * count + i] = values[i * size + b];
}

}  // namespace

void ChunkCodec::Free::operator()(libdeflate_compressor* compressor) const noexcept {
  libdeflate_free_compressor(compressor);
}

ChunkCodec::ChunkCodec(int level, std::size_t value_bytes) : value_bytes_(value_bytes) {
  if (level == 0) return;
  compressor_.reset(libdeflate_alloc_compressor(level));
  expects(compressor_ != nullptr, "no memory for a compressor", ErrorKind::out_of_memory);
}

std::span<const std::byte> ChunkCodec::encode(std::span<const std::byte> chunk) {
  if (!compressor_) return chunk;
  shuffled_.resize(chunk.size());
  if (value_bytes_ == 4)
    shuffle<4>(chunk, shuffled_.data());
  else
    shuffle<2>(chunk, shuffled_.data());
  compressed_.resize(libdeflate_zlib_compress_bound(compressor_.get(), chunk.size()));
  const std::size_t size = libdeflate_zlib_compress(compressor_.get(), shuffled_.data(), shuffled_.size(),
                                                    compressed_.data(), compressed_.size());
  expects(size > 0, "a chunk outgrew the bound of its compressed size");
  return {compressed_.data(), size};
}

}  // namespace feldspar::io::hdf5
