// Contiguous datasets, a view a call.
#include "io/hdf5/frames_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::io::hdf5 {

FramesWriter::FramesWriter(hid_t group, const char* name, int frames, const geometry::Detector& detector,
                           CountType type)
    : rows_(detector.rows), columns_(detector.columns), type_(type) {
  const std::array<hsize_t, 3> size{static_cast<hsize_t>(frames), static_cast<hsize_t>(rows_),
                                    static_cast<hsize_t>(columns_)};
  const Space space(H5Screate_simple(3, size.data(), nullptr), "describing the frames");
  const hid_t stored = type == CountType::uint16 ? H5T_STD_U16LE : H5T_IEEE_F32LE;
  data_ = Dataset(H5Dcreate2(group, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                  "making the frames");
}

void FramesWriter::write(int frame, const void* counts, bool as_float) const {
  const std::size_t row_bytes =
      static_cast<std::size_t>(columns_) * bytes_of(as_float ? CountType::float32 : type_);
  std::vector<std::byte> top_first(row_bytes * static_cast<std::size_t>(rows_));
  for (int row = 0; row < rows_; ++row)
    std::memcpy(top_first.data() + static_cast<std::size_t>(rows_ - 1 - row) * row_bytes,
                static_cast<const std::byte*>(counts) + static_cast<std::size_t>(row) * row_bytes, row_bytes);
  const std::array<hsize_t, 3> start{static_cast<hsize_t>(frame), 0, 0},
      count{1, static_cast<hsize_t>(rows_), static_cast<hsize_t>(columns_)};
  const Space space(H5Dget_space(data_), "asking for the frames' size");
  check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
        "choosing a frame");
  const Space memory(H5Screate_simple(3, count.data(), nullptr), "describing a frame");
  const bool floats = as_float || type_ == CountType::float32;
  check(H5Dwrite(data_, floats ? H5T_NATIVE_FLOAT : H5T_NATIVE_UINT16, memory, space, H5P_DEFAULT,
                 top_first.data()),
        "writing a frame");
}

ScanFileWriter::ScanFileWriter(const std::filesystem::path& path, const ScanContent& content, bool overwrite)
    : partial_(path, overwrite), written_(content.scan.angles.size(), false) {
  geometry::validate(content.scan);
  const geometry::Detector& d = content.scan.detector;
  const auto needed = static_cast<std::uint64_t>(d.columns) * static_cast<std::uint64_t>(d.rows) *
                      bytes_of(content.type) * (content.scan.angles.size() + 2);
  if (const std::uint64_t room = partial_.room(); room < needed)
    throw Error(ErrorKind::io, fmt::format("{}: the scan needs {}, but only {} are free", path.string(),
                                           format_bytes(needed), format_bytes(room)));
  guarded([&] { file_ = OutputFile::create(partial_); });
}

void ScanFileWriter::guarded(const std::function<void()>& work) const {
  silence();
  try {
    work();
    file_.check();
  } catch (const Failure& failure) {
    throw Error(ErrorKind::io,
                fmt::format("{}: cannot be written: {}", partial_.temporary_path().string(),
                            partial_.error() != 0 ? std::strerror(partial_.error()) : failure.what()));
  }
}

void ScanFileWriter::write_view(int view, const void* counts) {
  expects(view >= 0 && static_cast<std::size_t>(view) < written_.size(),
          "a view that the scan does not have");
  guarded([&] { frames_.write(first_view_ + view, counts, false); });
  written_[static_cast<std::size_t>(view)] = true;
}

void ScanFileWriter::finish() {
  expects(std::all_of(written_.begin(), written_.end(), [](bool done) { return done; }),
          "a scan was finished before all of its views were written");
  guarded([&] {
    frames_.close();
    file_.close();
  });
  partial_.publish();
}

std::vector<float> as_image(const std::vector<float>& reference, const geometry::Detector& detector) {
  if (reference.size() != 1) return reference;
  return std::vector<float>(
      static_cast<std::size_t>(detector.columns) * static_cast<std::size_t>(detector.rows), reference[0]);
}

}  // namespace feldspar::io::hdf5
