// From slabs to chunks. A layer is what chunks of the same height have in common: `chunk_.nz` slices.
#include "io/hdf5/chunk_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "io/content_hash.hpp"

namespace feldspar::io::hdf5 {
namespace {

constexpr std::size_t most_partial_layers = 4;

int pieces(int length, int piece) { return (length + piece - 1) / piece; }

}  // namespace

Shape chunk_shape(Shape volume) {
  // As few as chunks of 128 would be, and all alike: the file holds whole chunks.
  const auto share = [](int length) { return pieces(length, pieces(length, 128)); };
  return {share(volume.nx), share(volume.ny), std::min(VolumeWriter::layer_slices, volume.nz)};
}

ChunkWriter::ChunkWriter(const Dataset& dataset, Shape volume, VoxelCoding coding, int deflate, int threads)
    : dataset_(dataset),
      volume_(volume),
      chunk_(chunk_shape(volume)),
      coding_(coding),
      pool_(threads),
      written_(static_cast<std::size_t>(volume.nz)),
      hashes_(static_cast<std::size_t>(volume.nz)),
      set_aside_(static_cast<std::size_t>(pieces(volume.nz, chunk_.nz))) {
  const std::size_t bytes =
      View3<std::byte>{nullptr, chunk_.nx, chunk_.ny, chunk_.nz}.size() * coding.bytes();
  for (int worker = 0; worker < pool_.size(); ++worker)
    scratch_.push_back({std::vector<std::byte>(bytes), ChunkCodec(deflate, coding.bytes())});
}

int ChunkWriter::slices_of(int layer) const noexcept {
  return std::min(chunk_.nz, volume_.nz - layer * chunk_.nz);
}

std::size_t ChunkWriter::offset_of(int y, int slice) const noexcept {
  return (static_cast<std::size_t>(slice) * volume_.ny + y) * volume_.nx * coding_.bytes();
}

void ChunkWriter::claim(int first_slice, int count) {
  if (first_slice < 0 || first_slice > volume_.nz - count)
    throw Error(ErrorKind::internal, fmt::format("slices {} to {} were given for a volume of {} slices",
                                                 first_slice, first_slice + count - 1, volume_.nz));
  for (int z = first_slice; z < first_slice + count; ++z) {
    if (written_[z]) throw Error(ErrorKind::internal, fmt::format("slice {} was written twice", z));
    written_[z] = true;
  }
}

void ChunkWriter::take_as_written(geometry::Range slices, std::int64_t clipped,
                                  const std::vector<std::string>& hashes) {
  if (has(slices)) return;
  expects(static_cast<int>(hashes.size()) == slices.count(), "slices were taken over without their hashes");
  std::copy(hashes.begin(), hashes.end(), hashes_.begin() + slices.first);
  claim(slices.first, slices.count());
  slices_written_ += slices.count();
  clipped_ += clipped;
}

bool ChunkWriter::has(geometry::Range slices) const {
  for (int z = slices.first; z < slices.end; ++z)
    if (!written_[static_cast<std::size_t>(z)]) return false;
  return true;
}

/// Before anything is done with the slab, so that whatever becomes of it on the way is found.
void ChunkWriter::hash(int first_slice, View3<const float> slab) {
  const std::size_t row_bytes = static_cast<std::size_t>(slab.nx) * coding_.bytes();
  std::vector<std::vector<std::byte>> rows(static_cast<std::size_t>(pool_.size()),
                                           std::vector<std::byte>(row_bytes));
  pool_.for_each(slab.nz, [&](std::ptrdiff_t slice, int worker) {
    std::byte* const row = rows[static_cast<std::size_t>(worker)].data();
    Hasher hasher;
    for (int y = 0; y < slab.ny; ++y) {
      (void)coding_.encode(slab.row(y, static_cast<int>(slice)), slab.nx, row);
      hasher.add(row, row_bytes);
    }
    hashes_[static_cast<std::size_t>(first_slice + slice)] = hasher.text();
  });
}

void ChunkWriter::encode(const float* values, int count, std::byte* out) {
  const std::int64_t clipped = coding_.encode(values, count, out);
  if (clipped > 0) clipped_ += clipped;
}

void ChunkWriter::write(int first_slice, View3<const float> slab) {
  expects(slab.nx == volume_.nx && slab.ny == volume_.ny, "a slab is not as wide as its volume");
  claim(first_slice, slab.nz);
  hash(first_slice, slab);
  const int end = first_slice + slab.nz;
  for (int z = first_slice; z < end;) {
    const int layer = z / chunk_.nz;
    const int part_end = std::min(layer * chunk_.nz + slices_of(layer), end);
    const View3<const float> part = slab.planes(z - first_slice, part_end - z);
    if (part.nz == slices_of(layer))
      write_layer(layer, [&](int x, int y, int slice, int count, std::byte* out) {
        encode(&part(x, y, slice), count, out);
      });
    else
      write_part(layer, z - layer * chunk_.nz, part);
    z = part_end;
  }
  slices_written_ += slab.nz;
}

void ChunkWriter::write_part(int layer, int first_slice, View3<const float> part) {
  PartialLayer& known = partial_layer(layer);
  auto* voxels = static_cast<std::byte*>(known.voxels.data());
  pool_.for_each(part.nz, [&](std::ptrdiff_t slice, int) {
    for (int y = 0; y < part.ny; ++y)
      encode(part.row(y, static_cast<int>(slice)), part.nx,
             voxels + offset_of(y, first_slice + static_cast<int>(slice)));
  });
  known.filled += part.nz;
  if (known.filled < slices_of(layer)) return;
  write_stored(known);
  std::erase_if(partial_, [layer](const PartialLayer& l) { return l.index == layer; });
}

void ChunkWriter::write_stored(const PartialLayer& layer) {
  const auto* voxels = static_cast<const std::byte*>(layer.voxels.data());
  write_layer(layer.index, [&](int x, int y, int slice, int count, std::byte* out) {
    const std::size_t value = coding_.bytes();
    std::memcpy(out, voxels + offset_of(y, slice) + x * value, count * value);
  });
}

void ChunkWriter::write_layer(int layer, const RowSource& rows) {
  const int columns = pieces(volume_.nx, chunk_.nx);
  const auto chunks = static_cast<std::ptrdiff_t>(columns) * pieces(volume_.ny, chunk_.ny);
  pool_.for_each(chunks, [&](std::ptrdiff_t index, int worker) {
    const int x0 = static_cast<int>(index % columns) * chunk_.nx;
    const int y0 = static_cast<int>(index / columns) * chunk_.ny;
    const int width = std::min(chunk_.nx, volume_.nx - x0), height = std::min(chunk_.ny, volume_.ny - y0);
    Scratch& own = scratch_[worker];
    if (width < chunk_.nx || height < chunk_.ny || slices_of(layer) < chunk_.nz)
      std::fill(own.chunk.begin(), own.chunk.end(), std::byte{0});
    for (int slice = 0; slice < slices_of(layer); ++slice)
      for (int y = 0; y < height; ++y) {
        const std::size_t row = static_cast<std::size_t>(slice) * chunk_.ny + y;
        rows(x0, y0 + y, slice, width, own.chunk.data() + row * chunk_.nx * coding_.bytes());
      }
    const auto stored = own.codec.encode(own.chunk);
    const hsize_t offset[3] = {static_cast<hsize_t>(layer) * chunk_.nz, static_cast<hsize_t>(y0),
                               static_cast<hsize_t>(x0)};
    silence();
    const std::scoped_lock lock(library_);
    check(H5Dwrite_chunk(dataset_, H5P_DEFAULT, 0, offset, stored.size(), stored.data()), "writing a chunk");
  });
}

ChunkWriter::PartialLayer& ChunkWriter::partial_layer(int index) {
  for (PartialLayer& layer : partial_)
    if (layer.index == index) return layer;
  make_room();
  PartialLayer& layer = partial_.emplace_back();
  layer.index = index;
  layer.voxels =
      Block(offset_of(0, slices_of(index)), "a layer of the volume that waits for its other slices");
  std::memset(layer.voxels.data(), 0, layer.voxels.bytes());
  layer.filled = std::exchange(set_aside_[index], 0);
  if (layer.filled > 0) read_back(layer);
  return layer;
}

/// Only slabs in a wild order come here: the layer that has waited longest goes to the file as it is.
void ChunkWriter::make_room() {
  if (partial_.size() < most_partial_layers) return;
  write_stored(partial_.front());
  set_aside_[partial_.front().index] = partial_.front().filled;
  partial_.pop_front();
}

void ChunkWriter::read_back(PartialLayer& layer) {
  const hsize_t start[3] = {static_cast<hsize_t>(layer.index) * chunk_.nz, 0, 0};
  const hsize_t count[3] = {static_cast<hsize_t>(slices_of(layer.index)), static_cast<hsize_t>(volume_.ny),
                            static_cast<hsize_t>(volume_.nx)};
  const Space memory(H5Screate_simple(3, count, nullptr), "describing a layer");
  const Space file(H5Dget_space(dataset_), "asking for the extent");
  check(H5Sselect_hyperslab(file, H5S_SELECT_SET, start, nullptr, count, nullptr), "choosing a layer");
  const hid_t type = coding_.type == VoxelType::float32 ? H5T_NATIVE_FLOAT : H5T_NATIVE_UINT16;
  check(H5Dread(dataset_, type, memory, file, H5P_DEFAULT, layer.voxels.data()), "reading a layer back");
}

}  // namespace feldspar::io::hdf5
