// TIFF images: what they hold, some of their rows, and writing them. A file holds one image or, as pages,
// many.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/view3.hpp"
#include "geometry/coverage.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io {

/// What a TIFF's header says, checked against the file's size.
struct TiffInfo {
  int columns = 0;
  int rows = 0;
  CountType count_type = CountType::uint16;  ///< what read_tiff_rows delivers
  float highest = 0;                         ///< the largest count its pixels can hold; 0 for floating point
  bool is_signed = false;                    ///< signed integers
  friend bool operator==(const TiffInfo&, const TiffInfo&) = default;
};

/// What pixels of 32 bits are whose file does not say it: by the standard they are integers, but programs
/// forget to call numbers with decimals so.
enum class UnstatedPixels { refused, uint32, float32 };

/// Where an image is in its file; `the_only_image` refuses files that hold several.
struct TiffPage {
  std::uint64_t directory = 0;  ///< the byte at which its tags begin
  std::uint32_t plane = 0;      ///< of those that ImageJ keeps, without tags of their own, behind one image
  UnstatedPixels unstated = UnstatedPixels::refused;
  friend bool operator==(const TiffPage&, const TiffPage&) = default;
};
constexpr TiffPage the_only_image{};

/// The pages that a file still has.
struct TiffPages {
  std::vector<TiffPage> pages;  ///< in their order
  std::uint32_t stated = 0;     ///< how many ImageJ says there are; 0 when nothing says it
  std::string damage;           ///< why others behind them cannot be reached; empty when there are none
};

/// The pages of a file, in a time that grows with their number. Throws Error(io), Error(bad_file) when not
/// even the first can be reached, or Error(unsupported) for planes that do not lie behind one another as
/// ImageJ writes them.
[[nodiscard]] TiffPages tiff_pages(const std::filesystem::path& path);

/// Throws Error(io) when the file cannot be opened, Error(bad_file) when it is no TIFF, is truncated, or
/// declares an impossible size, Error(unsupported) naming the property (colour, compression, depth)
/// when it is a TIFF that no projection is stored as.
[[nodiscard]] TiffInfo read_tiff_info(const std::filesystem::path& path, TiffPage page = the_only_image);

/// Rows `rows`, counted from the top of the stored image, of all columns, into `counts` of the info's
/// count_type, in stored order. Reads only the strips or tiles that hold them. Errors as read_tiff_info.
void read_tiff_rows(const std::filesystem::path& path, const TiffInfo& info, geometry::Range rows,
                    void* counts, TiffPage page = the_only_image);

/// Decodes all pixels of a compressed image, so that damage inside it is known before they are needed; those
/// of others are wherever their header says. Errors as read_tiff_info.
void check_tiff_pixels(const std::filesystem::path& path, TiffPage page = the_only_image);

/// Writes one plane (top row first) as an uncompressed greyscale TIFF. Throws Error(io).
void write_tiff(const std::filesystem::path& path, View3<const std::uint16_t> image);
void write_tiff(const std::filesystem::path& path, View3<const float> image);

}  // namespace feldspar::io
