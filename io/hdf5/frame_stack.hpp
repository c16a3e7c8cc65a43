// A dataset of frames, read in windows: each batch is one read, so that compressed chunks are unpacked once.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5/input_file.hpp"
#include "io/reference_frames.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io::hdf5 {

/// Which dimension of the dataset counts the frames, the rows and the columns.
struct FrameOrder {
  int frame = 0, row = 1, column = 2;
};

class FrameStack {
 public:
  FrameStack() = default;
  /// A dataset of two dimensions is one frame. Throws Error(bad_file) for another number of dimensions and
  /// for sizes that no detector has.
  FrameStack(const InputFile& file, const std::string& dataset, FrameOrder order = {});

  [[nodiscard]] int frames() const { return size_[0]; }
  [[nodiscard]] int rows() const { return size_[1]; }
  [[nodiscard]] int columns() const { return size_[2]; }
  [[nodiscard]] CountType count_type() const { return type_; }
  [[nodiscard]] float highest() const { return highest_; }  ///< count there can be; 0 for floating point

  /// Every file that holds frames: the dataset's own, and the sources of a virtual one.
  [[nodiscard]] std::vector<std::filesystem::path> files() const;

  /// The frames that are stored: all, but for a virtual dataset whose source is missing and the like.
  [[nodiscard]] std::vector<int> there() const;
  /// Which are not, and why; empty when all are.
  [[nodiscard]] std::string losses() const;

  /// Counts of `window` of these frames, as ScanSource::read delivers them: the first stored row is the
  /// highest.
  void read(std::span<const int> frames, const geometry::PixelWindow& window, CountType type,
            void* counts) const;

  /// These frames as references, in the same orientation; this stack must outlive them.
  [[nodiscard]] ReferenceFrames as_references(const std::string& kind, bool open_beam) const;

 private:
  template <class Count>
  void read_as(std::span<const int> frames, const geometry::PixelWindow& window, Count* counts) const;
  [[nodiscard]] Space select(std::span<const int> frames, const geometry::PixelWindow& window) const;

  DatasetStorage storage_;
  Dataset data_;
  FrameOrder order_;
  int dimensions_ = 3;
  std::array<int, 3> size_{};  ///< frames, rows, columns
  CountType type_ = CountType::float32;
  float highest_ = 0;
};

/// `file` and every other file that the frames come from, each once.
[[nodiscard]] std::vector<std::filesystem::path> files_of(const InputFile& file, const FrameStack& frames);

}  // namespace feldspar::io::hdf5
