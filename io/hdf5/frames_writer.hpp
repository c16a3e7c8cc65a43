// What the writers of NXtomo and Data Exchange share: a file under a temporary name, and frames that are
// written one at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "io/hdf5/handle.hpp"
#include "io/hdf5/output_file.hpp"
#include "io/scan_sink.hpp"

namespace feldspar::io::hdf5 {

/// Frames x rows x columns, first row on top, neither chunked nor compressed: any row of any frame is one
/// read.
class FramesWriter {
 public:
  FramesWriter() = default;
  FramesWriter(hid_t group, const char* name, int frames, const geometry::Detector& detector, CountType type);

  /// `counts` of the type given, or float where `as_float`; lowest row first.
  void write(int frame, const void* counts, bool as_float) const;

  [[nodiscard]] hid_t id() const { return data_; }

  /// After the last frame. Throws Failure.
  void close() { data_.close("closing the frames"); }

 private:
  Dataset data_;
  int rows_ = 0, columns_ = 0;
  CountType type_ = CountType::uint16;
};

/// An HDF5 file that gets its name when every view is written.
class ScanFileWriter : public ScanSink {
 public:
  void write_view(int view, const void* counts) final;
  void finish() final;

 protected:
  /// Throws Error(io) when the file exists unless `overwrite`, when it cannot be made, or when the disk has
  /// no room for the views.
  ScanFileWriter(const std::filesystem::path& path, const ScanContent& content, bool overwrite);

  /// Runs `work` and turns Failure, or a write that failed in it, into Error(io) that names the file.
  void guarded(const std::function<void()>& work) const;

  PartialFile partial_;
  OutputFile file_;
  FramesWriter frames_;
  int first_view_ = 0;  ///< its frame in frames_

 private:
  std::vector<bool> written_;
};

/// A reference as a whole image; a single value counts for every pixel.
[[nodiscard]] std::vector<float> as_image(const std::vector<float>& reference,
                                          const geometry::Detector& detector);

}  // namespace feldspar::io::hdf5
