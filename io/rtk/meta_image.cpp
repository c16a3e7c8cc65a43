// "Key = value" lines up to ElementDataFile, behind which the pixels of an .mha begin.
#include "io/rtk/meta_image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::io::rtk {
namespace {

namespace fs = std::filesystem;

struct Header {
  fs::path file;
  std::map<std::string, std::string> values;
  std::uint64_t end = 0;  ///< of the header, in bytes

  [[noreturn]] void refuse(ErrorKind kind, const std::string& key, const std::string& what) const {
    const auto at = values.find(key);
    throw Error(kind, fmt::format("{}: {} is {}, but {}", file.string(), key,
                                  at == values.end() ? "absent" : "\"" + at->second + "\"", what));
  }
  [[nodiscard]] std::string text(const std::string& key) const {
    const auto at = values.find(key);
    return at == values.end() ? "" : at->second;
  }
  [[nodiscard]] bool flag(const std::string& key) const {
    return text(key).starts_with('T') || text(key) == "1";
  }

  [[nodiscard]] std::vector<double> numbers(const std::string& key, std::size_t count) const {
    std::istringstream words(text(key));
    std::vector<double> all;
    for (std::string word; words >> word;) {
      double value = 0;
      if (!parse_number(word, value) || !std::isfinite(value))
        refuse(ErrorKind::bad_file, key, "numbers were expected");
      all.push_back(value);
    }
    if (all.size() != count) refuse(ErrorKind::bad_file, key, fmt::format("{} numbers were expected", count));
    return all;
  }
};

Header read_header(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error(ErrorKind::io, fmt::format("{}: cannot be opened", file.string()));
  Header header{file, {}, 0};
  constexpr std::size_t longest = 4096, most = 1000;
  for (std::size_t count = 0; count < most; ++count) {
    std::string line;
    char c = 0;
    while (line.size() < longest && stream.get(c) && c != '\n') line += c;
    if (!stream || line.size() == longest) break;
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) break;
    const auto trim = [](std::string text) {
      constexpr const char* blanks = " \t\r";
      text.erase(0, std::min(text.find_first_not_of(blanks), text.size()));
      text.erase(text.find_last_not_of(blanks) + 1);
      return text;
    };
    const std::string key = trim(line.substr(0, equals));
    header.values.emplace(key, trim(line.substr(equals + 1)));
    header.end = static_cast<std::uint64_t>(stream.tellg());
    if (key == "ElementDataFile") return header;
  }
  header.refuse(ErrorKind::bad_file, "ElementDataFile", "it must end a MetaImage's header");
}

/// Keys that change the result, or that other values of would be refused.
constexpr std::array used_keys{"NDims",
                               "DimSize",
                               "ElementSpacing",
                               "Offset",
                               "Origin",
                               "Position",
                               "ElementType",
                               "ElementDataFile",
                               "HeaderSize",
                               "CompressedData",
                               "BinaryData",
                               "TransformMatrix",
                               "Rotation",
                               "Orientation",
                               "BinaryDataByteOrderMSB",
                               "ElementByteOrderMSB",
                               "ElementNumberOfChannels"};

std::vector<SourceField> fields_of(const Header& header) {
  std::vector<SourceField> fields;
  const std::string section = header.file.filename().string();
  for (const auto& [key, value] : header.values) {
    const bool used = std::ranges::find(used_keys, key) != used_keys.end();
    fields.push_back(
        {section, key, value, used ? SourceField::Use::used : SourceField::Use::informative, ""});
  }
  return fields;
}

int size_of(const Header& header, double value) {
  constexpr double most = 1 << 20;
  if (!(value >= 1 && value <= most) || value != std::floor(value))
    header.refuse(ErrorKind::bad_file, "DimSize", "columns, rows and views were expected");
  return static_cast<int>(value);
}

void require_plain(const Header& header) {
  if (header.text("NDims") != "3")
    header.refuse(ErrorKind::unsupported, "NDims", "a stack of projections has 3");
  if (header.flag("CompressedData"))
    header.refuse(ErrorKind::unsupported, "CompressedData",
                  "only uncompressed pixels can be read; write it again "
                  "without compression");
  if (header.text("BinaryData") != "" && !header.flag("BinaryData"))
    header.refuse(ErrorKind::unsupported, "BinaryData", "only binary pixels can be read");
  for (const char* const key : {"TransformMatrix", "Rotation", "Orientation"})
    if (header.values.contains(key) &&
        header.numbers(key, 9) != std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1})
      header.refuse(ErrorKind::unsupported, key, "only projections that are not turned can be read");
  if (header.text("ElementNumberOfChannels") != "" && header.text("ElementNumberOfChannels") != "1")
    header.refuse(ErrorKind::unsupported, "ElementNumberOfChannels", "one number a pixel was expected");
}

}  // namespace

MetaImage read_meta_image(const fs::path& file) {
  const Header header = read_header(file);
  require_plain(header);
  MetaImage image;
  image.fields = fields_of(header);
  const std::vector<double> size = header.numbers("DimSize", 3);
  const std::vector<double> spacing = header.numbers("ElementSpacing", 3);
  image.grid.columns = size_of(header, size[0]), image.grid.rows = size_of(header, size[1]);
  image.views = size_of(header, size[2]);
  image.grid.spacing_x = spacing[0], image.grid.spacing_y = spacing[1];
  if (!(spacing[0] > 0 && spacing[1] > 0))
    header.refuse(ErrorKind::bad_file, "ElementSpacing", "positive lengths in mm were expected");
  for (const char* const key : {"Offset", "Origin", "Position"})
    if (header.values.contains(key)) {
      const std::vector<double> origin = header.numbers(key, 3);
      image.grid.origin_x = origin[0], image.grid.origin_y = origin[1];
    }
  const std::string type = header.text("ElementType");
  if (type != "MET_FLOAT" && type != "MET_USHORT")
    header.refuse(ErrorKind::unsupported, "ElementType",
                  "MET_FLOAT (line integrals) or MET_USHORT (counts) was expected");
  image.floats = type == "MET_FLOAT";
  const bool big = header.flag("BinaryDataByteOrderMSB") || header.flag("ElementByteOrderMSB");
  image.swapped = big != (std::endian::native == std::endian::big);

  const std::string data = header.text("ElementDataFile");
  if (data == "LIST" || data.find('%') != std::string::npos)
    header.refuse(ErrorKind::unsupported, "ElementDataFile", "only pixels in one file can be read");
  image.pixels = data == "LOCAL" || data == "Local" || data == "local" ? file : file.parent_path() / data;
  std::error_code error;
  const std::uintmax_t there = fs::file_size(image.pixels, error);
  if (error)
    throw Error(ErrorKind::io, fmt::format("{}: ElementDataFile {}: {}", file.string(), image.pixels.string(),
                                           error.message()));
  const std::uint64_t needed =
      std::uint64_t{image.floats ? 4U : 2U} * static_cast<std::uint64_t>(image.views) *
      static_cast<std::uint64_t>(image.grid.columns) * static_cast<std::uint64_t>(image.grid.rows);
  image.offset = image.pixels == file ? header.end : 0;
  if (const std::string skip = header.text("HeaderSize"); !skip.empty() && image.pixels != file) {
    const double bytes = header.numbers("HeaderSize", 1)[0];
    if (bytes < -1 || bytes > 1e15)
      header.refuse(ErrorKind::bad_file, "HeaderSize", "a count of bytes was expected");
    image.offset = bytes >= 0 ? static_cast<std::uint64_t>(bytes) : there >= needed ? there - needed : 0;
  }
  if (there < image.offset || there - image.offset < needed)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: is truncated: {} x {} x {} pixels need {} bytes from byte {}, but it has {}",
                            image.pixels.string(), image.grid.columns, image.grid.rows, image.views, needed,
                            image.offset, there));
  return image;
}

}  // namespace feldspar::io::rtk
