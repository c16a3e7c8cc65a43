// TIFFs written byte by byte, so that the reader is judged by the format and not by the library it uses.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace feldspar::testing {

/// One image of columns x rows, its strips as they stand in the file.
struct TiffSpec {
  int columns = 0;
  int rows = 0;
  int rows_per_strip = 0;
  bool big_endian = false;
  bool big_tiff = false;
  bool reverse_strips = false;  ///< the last strip comes first in the file
  int images = 1;               ///< directories, all of the same strips
  std::vector<std::string> strips{};
  std::string description{};
  std::map<int, std::uint64_t> tags{};  ///< changes to the tags below, as numbers
};

class TiffBytes {
 public:
  explicit TiffBytes(const TiffSpec& spec) : spec_(spec) {
    bytes_ = spec.big_endian ? "MM" : "II";
    put(spec.big_tiff ? 43 : 42, 2);
    if (spec.big_tiff) put(8, 2), put(0, 2);
    const std::size_t first_directory = bytes_.size();
    put(0, offset_size());
    const std::vector<std::uint64_t> offsets = put_strips();
    std::size_t link = first_directory;
    for (int n = 0; n < spec.images; ++n) link = put_directory(offsets, link);
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

  /// `value` in the file's byte order.
  static std::string encoded(std::uint64_t value, int size, bool big_endian) {
    std::string text;
    for (int n = 0; n < size; ++n) text += static_cast<char>(value >> (8 * n));
    if (big_endian) std::reverse(text.begin(), text.end());
    return text;
  }

 private:
  struct Entry {
    int tag = 0;
    int type = 0;  ///< 2: text, 3: 16 bits, 4: 32 bits, 16: 64 bits
    std::vector<std::uint64_t> values;
  };

  [[nodiscard]] int offset_size() const { return spec_.big_tiff ? 8 : 4; }
  void put(std::uint64_t value, int size) { bytes_ += encoded(value, size, spec_.big_endian); }

  std::vector<std::uint64_t> put_strips() {
    std::vector<std::uint64_t> offsets(spec_.strips.size());
    for (std::size_t n = 0; n < offsets.size(); ++n) {
      const std::size_t strip = spec_.reverse_strips ? offsets.size() - 1 - n : n;
      offsets[strip] = bytes_.size();
      bytes_ += spec_.strips[strip];
    }
    return offsets;
  }

  std::size_t put_directory(const std::vector<std::uint64_t>& offsets, std::size_t link) {
    const int offset_type = spec_.big_tiff ? 16 : 4;
    std::map<int, Entry> entries;
    const auto set = [&](int tag, int type, std::vector<std::uint64_t> values) {
      entries[tag] = {tag, type, values};
    };
    set(256, 4, {static_cast<std::uint64_t>(spec_.columns)});
    set(257, 4, {static_cast<std::uint64_t>(spec_.rows)});
    set(258, 3, {16});
    set(259, 3, {1});
    set(262, 3, {1});
    set(273, offset_type, offsets);
    set(277, 3, {1});
    set(278, 4, {static_cast<std::uint64_t>(spec_.rows_per_strip)});
    std::vector<std::uint64_t> counts;
    for (const std::string& strip : spec_.strips) counts.push_back(strip.size());
    set(279, offset_type, counts);
    for (const auto& [tag, value] : spec_.tags) set(tag, 4, {value});
    if (!spec_.description.empty())
      set(270, 2, {spec_.description.begin(), spec_.description.end()}), entries[270].values.push_back(0);
    std::map<int, std::uint64_t> elsewhere;
    for (const auto& [tag, entry] : entries)
      if (entry.values.size() * size_of(entry.type) > static_cast<std::size_t>(offset_size())) {
        elsewhere[tag] = bytes_.size();
        for (const std::uint64_t value : entry.values) put(value, size_of(entry.type));
      }
    const std::string here = encoded(bytes_.size(), offset_size(), spec_.big_endian);
    bytes_.replace(link, here.size(), here);
    put(entries.size(), spec_.big_tiff ? 8 : 2);
    for (const auto& [tag, entry] : entries) put_entry(entry, elsewhere);
    const std::size_t next = bytes_.size();
    put(0, offset_size());
    return next;
  }

  void put_entry(const Entry& entry, const std::map<int, std::uint64_t>& elsewhere) {
    put(static_cast<std::uint64_t>(entry.tag), 2);
    put(static_cast<std::uint64_t>(entry.type), 2);
    put(entry.values.size(), offset_size());
    if (const auto at = elsewhere.find(entry.tag); at != elsewhere.end())
      return put(at->second, offset_size());
    const std::size_t end = bytes_.size() + static_cast<std::size_t>(offset_size());
    for (const std::uint64_t value : entry.values) put(value, size_of(entry.type));
    bytes_.resize(end, '\0');
  }

  static int size_of(int type) { return type == 2 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 8; }

  TiffSpec spec_;
  std::string bytes_;
};

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace feldspar::testing
