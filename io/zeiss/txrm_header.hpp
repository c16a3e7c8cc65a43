// What the streams of a Zeiss Xradia file say, in the file's own names and units.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/zeiss/compound_file.hpp"

namespace feldspar::io::zeiss {

/// Codes of ImageInfo/DataType.
enum class PixelType { uint16 = 5, float32 = 10 };
[[nodiscard]] constexpr std::size_t bytes_of(PixelType type) { return type == PixelType::uint16 ? 2 : 4; }
/// "5 (uint16)"
[[nodiscard]] std::string name_of_data_type(int code);

/// Values of small streams. Absent ones are empty; a stream of the wrong size throws Error(bad_file).
class Values {
 public:
  explicit Values(const CompoundFile& file) : file_(file) {}
  [[nodiscard]] std::optional<int> integer(std::string_view path) const;    ///< the first 4 bytes
  [[nodiscard]] std::optional<double> number(std::string_view path) const;  ///< the first float
  [[nodiscard]] std::vector<double> numbers(std::string_view path) const;
  [[nodiscard]] std::string text(std::string_view path) const;  ///< up to its first NUL, as UTF-8
  /// The value of the first of these streams that there is.
  [[nodiscard]] std::optional<double> number_of(std::initializer_list<std::string_view> paths) const;

 private:
  [[nodiscard]] std::vector<std::byte> bytes(std::string_view path) const;
  const CompoundFile& file_;
};

struct TxrmHeader {
  std::filesystem::path path;
  int columns = 0, rows = 0;
  int planned = 0;  ///< NoOfImages
  int taken = 0;    ///< ImagesTaken, or NoOfImages where it is absent
  std::optional<int> data_type, mode, file_type, geometry, mosaic_mode;
  int mosaic_rows = 0, mosaic_columns = 0;
  int column_binning = 0, row_binning = 0;        ///< 0 when unknown
  bool reference_corrected = false;               ///< OriginalDataRefCorrected
  double pixel_size_um = 0;                       ///< at the object
  std::vector<double> source_mm, detector_mm;     ///< StoRADistance, DtoRADistance: as written, one or more
  double old_source_um = 0, old_detector_um = 0;  ///< AutoRecon's, which reconstruction files have
  std::vector<double> angles_deg;                 ///< one an image taken
  std::vector<double> x_shifts, y_shifts;         ///< pixels; empty or one an image taken
  std::vector<double> exposures_s;                ///< empty or one an image taken
  double camera_pixel_um = 0, optical_magnification = 0, xray_magnification = 0;  ///< 0 when unknown
};

/// Throws Error(bad_file) when a stream that nothing can be done without is absent or impossible.
[[nodiscard]] TxrmHeader read_txrm_header(const CompoundFile& file);

/// True when it holds ImageInfo with a width and height, as every scan, image and reconstruction does.
[[nodiscard]] bool looks_like_txrm(const CompoundFile& file);

/// "ImageData2/Image101" for 101, counted from 1.
[[nodiscard]] std::string image_stream(int number);

}  // namespace feldspar::io::zeiss
