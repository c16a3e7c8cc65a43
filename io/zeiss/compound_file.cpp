// Chains of sectors, and the directory.
#include "io/zeiss/compound_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/error.hpp"
#include "io/zeiss/compound_layout.hpp"

namespace feldspar::io::zeiss {
namespace {

using namespace cfb;

constexpr std::size_t most_entries = 1 << 20;  // a scan has one an image and about a thousand besides
constexpr int most_levels = 32;                // of folders; scans have three

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | (code >> 6)), add(0x80 | (code & 0x3F));
  } else {
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    const std::uint32_t shown = surrogate ? 0xFFFD : code;  // no name of a scan needs a pair of them
    add(0xE0 | (shown >> 12)), add(0x80 | ((shown >> 6) & 0x3F)), add(0x80 | (shown & 0x3F));
  }
}

/// Ends endless chains early: of Brent's algorithm to find a loop, the turtle.
class LoopGuard {
 public:
  /// True when `sector` was met before.
  bool met(std::uint32_t sector) {
    if (sector == kept_) return true;
    if (++steps_ == limit_) kept_ = sector, limit_ *= 2, steps_ = 0;
    return false;
  }

 private:
  std::uint64_t kept_ = ~std::uint64_t{0}, steps_ = 0, limit_ = 1;
};

void append(Extents& extents, std::uint64_t offset, std::uint64_t bytes) {
  if (!extents.empty() && extents.back().offset + extents.back().bytes == offset)
    extents.back().bytes += bytes;
  else
    extents.push_back({offset, bytes});
}

std::uint64_t total(const Extents& extents) {
  std::uint64_t sum = 0;
  for (const Extent& part : extents) sum += part.bytes;
  return sum;
}

/// Whether bytes appear twice: then a chain leads back into itself.
bool overlap(Extents extents) {
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
  for (std::size_t n = 1; n < extents.size(); ++n)
    if (extents[n].offset < extents[n - 1].offset + extents[n - 1].bytes) return true;
  return false;
}

/// An allocation table, of which the last looked-up sector is kept: chains mostly lead to the next number.
class Table {
 public:
  Table(const RandomAccessFile& file, std::uint32_t sector_bytes) : file_(file), numbers_(sector_bytes / 4) {}

  /// Number `at` of the table's part that lies at `offset`.
  std::uint32_t number(std::uint64_t offset, std::size_t at) {
    if (offset != loaded_) {
      loaded_ = ~std::uint64_t{0};
      const std::size_t bytes = numbers_.size() * 4;
      std::fill(numbers_.begin(), numbers_.end(), free_sector);
      file_.read(offset, numbers_.data(), std::min<std::uint64_t>(bytes, file_.size() - offset));
      loaded_ = offset;
    }
    return numbers_[at];
  }

 private:
  const RandomAccessFile& file_;
  std::uint64_t loaded_ = ~std::uint64_t{0};
  std::vector<std::uint32_t> numbers_;
};

}  // namespace

struct CompoundFile::Header {
  std::array<unsigned char, header_bytes> bytes{};
  template <class Number>
  [[nodiscard]] Number number(std::size_t at) const {
    return get<Number>(bytes.data(), at);
  }
};

struct CompoundFile::Entry {
  std::string name;
  unsigned char type = 0;
  std::uint32_t left = no_entry, right = no_entry, child = no_entry, first = end_of_chain;
  std::uint64_t size = 0;
};

bool looks_like_compound_file(std::string_view beginning) {
  return beginning.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), beginning.begin(),
                    [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); });
}

CompoundFile::CompoundFile(const std::filesystem::path& path) : file_(path) {
  const Header header = read_header();
  read_fat_places(header);
  const std::vector<Entry> entries = read_directory(header.number<std::uint32_t>(header::first_directory));
  const std::uint64_t mini_fats = header.number<std::uint32_t>(header::mini_fats);
  mini_fat_ = follow(header.number<std::uint32_t>(header::first_mini_fat), mini_fats * sector_bytes_,
                     "the table of small streams");
  mini_sectors_ = follow(entries.front().first, entries.front().size, "the container of small streams");
  list_streams(entries);
}

void CompoundFile::damaged(const std::string& what) const {
  throw Error(ErrorKind::bad_file,
              fmt::format("{}: {}; the file is damaged or incomplete, copy it again from the instrument",
                          path().string(), what));
}

CompoundFile::Header CompoundFile::read_header() {
  Header header;
  if (file_.size() < header_bytes)
    damaged(fmt::format("has {} bytes, fewer than the header of a compound file", file_.size()));
  file_.read(0, header.bytes.data(), header_bytes);
  if (!std::equal(magic.begin(), magic.end(), header.bytes.begin()))
    damaged("does not begin as a compound file does");
  const auto shift = header.number<std::uint16_t>(header::sector_shift);
  const auto major = header.number<std::uint16_t>(header::major);
  const auto mini = header.number<std::uint16_t>(header::mini_shift);
  const auto cutoff = header.number<std::uint32_t>(header::cutoff);
  if (header.number<std::uint16_t>(header::byte_order) != 0xFFFE || (major != 3 && major != 4) ||
      (shift != 9 && shift != 12) || mini != 6 || cutoff != mini_cutoff)
    damaged(
        fmt::format("the header has version {}, sectors of 2^{} and 2^{} bytes and a cutoff of {}, but a "
                    "version of 3 or 4, 2^9 or 2^12, 2^6 and 4096 were expected",
                    major, shift, mini, cutoff));
  sector_bytes_ = 1u << shift;
  sectors_ = file_.size() <= sector_bytes_ ? 0 : (file_.size() - 1) / sector_bytes_;
  return header;
}

std::uint64_t CompoundFile::offset_of(std::uint32_t sector, std::string_view what) const {
  if (sector > last_sector || sector >= sectors_)
    damaged(fmt::format("{} lies in sector {}, but the file has {}", what, sector, sectors_));
  return (std::uint64_t{sector} + 1) * sector_bytes_;
}

void CompoundFile::read_fat_places(const Header& header) {
  const std::uint64_t wanted = header.number<std::uint32_t>(header::fats);
  if (wanted == 0 || wanted > sectors_)
    damaged(fmt::format("the header counts {} sectors of allocation table, but the file has {} sectors",
                        wanted, sectors_));
  for (std::size_t n = 0; n < header_fats && fat_sectors_.size() < wanted; ++n)
    fat_sectors_.push_back(header.number<std::uint32_t>(header::fat_places + 4 * n));
  const std::size_t each = sector_bytes_ / 4;
  auto next = header.number<std::uint32_t>(header::first_difat);
  LoopGuard guard;
  std::vector<std::uint32_t> places(each);
  while (fat_sectors_.size() < wanted) {
    const std::string what = "the list of allocation tables (DIFAT)";
    if (guard.met(next)) damaged(what + " leads back into itself");
    const std::uint64_t offset = offset_of(next, what);
    if (offset + sector_bytes_ > file_.size()) damaged(what + " is cut off by the end of the file");
    file_.read(offset, places.data(), sector_bytes_);
    for (std::size_t n = 0; n + 1 < each && fat_sectors_.size() < wanted; ++n)
      fat_sectors_.push_back(places[n]);
    next = places.back();
  }
  for (const std::uint32_t sector : fat_sectors_) (void)offset_of(sector, "the allocation table");
}

/// The chain's bytes, cut to `size`; of an unknown size, ~0, to its end.
Extents CompoundFile::follow(std::uint32_t first, std::uint64_t size, const std::string& what) const {
  constexpr std::uint64_t unknown = ~std::uint64_t{0};
  Extents extents;
  if (size == 0) return extents;
  if (size != unknown && size > file_.size())
    damaged(fmt::format("{} should have {} bytes, but the file has {}", what, size, file_.size()));
  const std::uint32_t each = sector_bytes_ / 4;
  Table table(file_, sector_bytes_);
  LoopGuard guard;
  std::uint32_t sector = first;
  std::uint64_t done = 0;
  while (done < size) {
    if (sector == end_of_chain && size == unknown) break;
    if (sector == end_of_chain)
      damaged(fmt::format("the chain of {} ends after {} of {} bytes", what, done, size));
    const std::uint64_t offset = offset_of(sector, what);
    if (guard.met(sector)) damaged(fmt::format("the chain of {} leads back into itself", what));
    const std::uint64_t bytes = std::min<std::uint64_t>(sector_bytes_, size - done);
    if (offset + bytes > file_.size())
      damaged(fmt::format("{} is cut off by the end of the file at byte {}", what, file_.size()));
    append(extents, offset, bytes);
    done += bytes;
    if (sector / each >= fat_sectors_.size())
      damaged(fmt::format("sector {} of {} is in no allocation table", sector, what));
    sector = table.number(offset_of(fat_sectors_[sector / each], "the allocation table"), sector % each);
  }
  if (overlap(extents)) damaged(fmt::format("the chain of {} leads back into itself", what));
  return extents;
}

Extents CompoundFile::follow_mini(const Stream& stream) const {
  const std::uint64_t container = total(mini_sectors_), table = total(mini_fat_);
  Extents extents;
  std::uint32_t sector = stream.first;
  // A small stream has at most 64 mini sectors, so a chain that turns in itself ends by itself.
  for (std::uint64_t done = 0; done < stream.size; done += mini_bytes) {
    const std::uint64_t at = std::uint64_t{sector} * mini_bytes;
    const std::uint64_t bytes = std::min<std::uint64_t>(mini_bytes, stream.size - done);
    if (sector > last_sector || at + bytes > container || std::uint64_t{sector} * 4 + 4 > table)
      damaged(fmt::format("the chain of {} leaves the container of small streams after {} of {} bytes",
                          stream.path, done, stream.size));
    append(extents, at, bytes);
    read(mini_fat_, std::uint64_t{sector} * 4, &sector, 4);
  }
  if (overlap(extents)) damaged(fmt::format("the chain of {} leads back into itself", stream.path));
  return extents;
}

std::vector<CompoundFile::Entry> CompoundFile::read_directory(std::uint32_t first) {
  const Extents places = follow(first, ~std::uint64_t{0}, "the directory");
  const std::uint64_t bytes = total(places);
  const std::uint64_t count = bytes / entry_bytes;
  if (count == 0 || count > most_entries)
    damaged(
        fmt::format("the directory has room for {} entries, but 1 to {} were expected", count, most_entries));
  std::vector<Entry> entries(count);
  std::vector<unsigned char> raw(bytes);
  read(places, 0, raw.data(), raw.size());
  const bool short_sizes = sector_bytes_ == 512;  // there the upper half may be rubbish
  for (std::size_t n = 0; n < count; ++n) {
    const unsigned char* const from = raw.data() + n * entry_bytes;
    Entry& made = entries[n];
    made.type = from[entry::type];
    if (made.type == 0) continue;
    const auto length = get<std::uint16_t>(from, entry::name_bytes);
    if (length < 2 || length > 64 || length % 2 != 0)
      damaged(fmt::format("entry {} of the directory has a name of {} bytes", n, length));
    for (std::size_t c = 0; c + 2 < length; c += 2) append_utf8(made.name, get<std::uint16_t>(from, c));
    made.left = get<std::uint32_t>(from, entry::left), made.right = get<std::uint32_t>(from, entry::right);
    made.child = get<std::uint32_t>(from, entry::child), made.first = get<std::uint32_t>(from, entry::first);
    made.size = get<std::uint64_t>(from, entry::size);
    if (short_sizes) made.size &= 0xFFFFFFFF;
  }
  if (entries.front().type != entry::root) damaged("the directory does not begin with its root");
  return entries;
}

/// Every tree of the directory, entry by entry, without recursion: a damaged one may be a chain or a ring.
void CompoundFile::list_streams(const std::vector<Entry>& entries) {
  struct Pending {
    std::uint32_t entry;
    std::string folder;  ///< with a slash at its end, empty for the root
    int level;
  };
  std::vector<bool> met(entries.size(), false);
  std::vector<Pending> pending{{entries.front().child, "", 0}};
  std::uint64_t claimed = 0;
  while (!pending.empty()) {
    const Pending now = std::move(pending.back());
    pending.pop_back();
    if (now.entry == no_entry) continue;
    if (now.entry >= entries.size() || now.entry == 0 || met[now.entry])
      damaged(fmt::format("the directory of '{}' refers to entry {}, which is {}", now.folder, now.entry,
                          now.entry >= entries.size() ? "none" : "elsewhere already"));
    met[now.entry] = true;
    const Entry& found = entries[now.entry];
    pending.push_back({found.left, now.folder, now.level});
    pending.push_back({found.right, now.folder, now.level});
    if (found.type == entry::storage) {
      if (now.level >= most_levels)
        damaged(fmt::format("'{}' is a folder in more than {} others", found.name, most_levels));
      pending.push_back({found.child, now.folder + found.name + "/", now.level + 1});
    } else if (found.type == entry::stream) {
      add_stream(found, now.folder);
      claimed += std::min(found.size, file_.size() + 1);
    } else {
      damaged(fmt::format("entry {} of the directory is in use, but of no known type ({})", now.entry,
                          found.type));
    }
  }
  if (claimed > file_.size())
    damaged(fmt::format("its streams should have more bytes in all than the file's {}", file_.size()));
}

void CompoundFile::add_stream(const Entry& entry, const std::string& folder) {
  const std::string path = folder + entry.name;
  if (entry.size > file_.size())
    damaged(fmt::format("{} should have {} bytes, but the file has {}", path, entry.size, file_.size()));
  if (!by_name_.emplace(lower(path), streams_.size()).second) damaged(fmt::format("{} is there twice", path));
  streams_.push_back({path, entry.size, entry.first});
}

const CompoundFile::Stream* CompoundFile::find(std::string_view path) const {
  const auto found = by_name_.find(lower(path));
  return found == by_name_.end() ? nullptr : &streams_[found->second];
}

Extents CompoundFile::locate(const Stream& stream) const {
  if (stream.size >= mini_cutoff) return follow(stream.first, stream.size, stream.path);
  Extents extents;
  for (const Extent& part : follow_mini(stream)) {
    std::uint64_t skip = part.offset, left = part.bytes;  // in the container, which has extents of its own
    for (const Extent& holder : mini_sectors_) {
      if (left == 0) break;
      if (skip >= holder.bytes) {
        skip -= holder.bytes;
        continue;
      }
      const std::uint64_t bytes = std::min(left, holder.bytes - skip);
      append(extents, holder.offset + skip, bytes);
      left -= bytes, skip = 0;
    }
  }
  return extents;
}

void CompoundFile::read(const Extents& extents, std::uint64_t first, void* bytes, std::size_t count) const {
  auto* to = static_cast<char*>(bytes);
  for (const Extent& part : extents) {
    if (count == 0) return;
    if (first >= part.bytes) {
      first -= part.bytes;
      continue;
    }
    const std::size_t here = std::min<std::uint64_t>(count, part.bytes - first);
    file_.read(part.offset + first, to, here);
    to += here, count -= here, first = 0;
  }
  expects(count == 0, "CompoundFile::read: beyond the end of the stream");
}

std::vector<std::byte> CompoundFile::read_all(const Stream& stream, std::size_t most) const {
  if (stream.size > most)
    damaged(fmt::format("{} has {} bytes, but at most {} were expected", stream.path, stream.size, most));
  std::vector<std::byte> bytes(stream.size);
  read(locate(stream), 0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace feldspar::io::zeiss
