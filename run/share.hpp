// One share of the slabs of a volume, as a node of a cluster does it: `--slabs 3/16`.
#pragma once

#include <filesystem>
#include <string>

#include "geometry/coverage.hpp"
#include "io/volume_sink.hpp"
#include "run/request.hpp"

namespace feldspar::run {

/// A share, in slices.
struct Share : ShareOf {
  geometry::Range slices;  ///< of the volume

  [[nodiscard]] std::string text() const;  ///< "3/16"
};

/// That share of a volume of `slices` slices. Shares begin at whole layers of the file, differ by one layer
/// at most, and depend on nothing but these arguments, so that every node cuts alike. Throws Error(usage) for
/// more shares than layers.
[[nodiscard]] Share share_of(const ShareOf& wanted, int slices);

/// The file of a share of `volume`: "cell.part-03-of-16.h5" for "cell.h5", `volume` itself for the whole.
[[nodiscard]] std::filesystem::path part_path(const std::filesystem::path& volume, const ShareOf& share);

/// Slabs of the whole volume, stored in a file that begins with slice `first` of it.
class PartSink final : public io::VolumeSink {
 public:
  /// The file must outlive it.
  PartSink(io::VolumeSink& file, int first) : file_(file), first_(first) {}
  void write(int first_slice, View3<const float> slab) override { file_.write(first_slice - first_, slab); }
  [[nodiscard]] bool has(geometry::Range slices) const override {
    return file_.has({slices.first - first_, slices.end - first_});
  }

 private:
  io::VolumeSink& file_;
  int first_;
};

}  // namespace feldspar::run
