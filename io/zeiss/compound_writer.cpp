// Places of all streams, then the tables that say so.
#include "io/zeiss/compound_writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "io/zeiss/compound_layout.hpp"

namespace feldspar::io::zeiss {

using namespace cfb;

struct CompoundWriter::Node {
  std::string name;
  unsigned char type = entry::storage;
  bool red = false;
  std::uint32_t left = no_entry, right = no_entry, child = no_entry;
  std::uint32_t first = 0;
  std::uint64_t size = 0;
  std::map<std::string, std::uint32_t> children{};  ///< by their names in capitals
};

namespace {

std::string capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// Collects numbers of a table and writes them in large pieces.
class NumberWriter {
 public:
  template <class Write>
  void add(std::uint32_t number, const Write& write) {
    numbers_.push_back(number);
    if (numbers_.size() == 1 << 16) flush(write);
  }
  template <class Write>
  void flush(const Write& write) {
    write(done_, numbers_.data(), numbers_.size() * 4);
    done_ += numbers_.size() * 4;
    numbers_.clear();
  }

 private:
  std::vector<std::uint32_t> numbers_;
  std::uint64_t done_ = 0;
};

}  // namespace

CompoundWriter::CompoundWriter(const std::filesystem::path& path, std::vector<NewStream> streams,
                               std::uint32_t sector_bytes, bool overwrite)
    : file_(path, overwrite), streams_(std::move(streams)), sector_bytes_(sector_bytes) {
  expects(sector_bytes == 512 || sector_bytes == 4096, "a compound file has sectors of 512 or 4096 bytes");
  make_directory();
  place();
  if (::ftruncate(file_.descriptor(), static_cast<off_t>(offset_of(end_))) != 0)
    throw Error(ErrorKind::io,
                fmt::format("{}: cannot be made: {}", file_.temporary_path().string(), std::strerror(errno)));
}

CompoundWriter::~CompoundWriter() = default;

std::size_t CompoundWriter::child_of(std::size_t folder, const std::string& name, bool is_stream) {
  expects(!name.empty() && name.size() <= 31, "a compound file's names have 1 to 31 letters");
  const auto found = nodes_[folder].children.find(capitals(name));
  if (found != nodes_[folder].children.end()) {
    expects(!is_stream && nodes_[found->second].type == entry::storage, "a stream is declared twice");
    return found->second;
  }
  const std::size_t made = nodes_.size();
  nodes_[folder].children.emplace(capitals(name), static_cast<std::uint32_t>(made));
  nodes_.push_back({.name = name, .type = is_stream ? entry::stream : entry::storage});
  return made;
}

void CompoundWriter::make_directory() {
  nodes_.push_back({.name = "Root Entry", .type = entry::root});
  for (const NewStream& stream : streams_) {
    std::size_t folder = 0, from = 0;
    for (std::size_t slash; (slash = stream.path.find('/', from)) != std::string::npos; from = slash + 1)
      folder = child_of(folder, stream.path.substr(from, slash - from), false);
    node_of_.push_back(child_of(folder, stream.path.substr(from), true));
    nodes_[node_of_.back()].size = stream.size;
    expects(sector_bytes_ == 4096 || stream.size < std::uint64_t{1} << 32,
            "streams of 4 GiB and more need sectors of 4096 bytes");
  }
  for (Node& folder : nodes_) {
    std::vector<std::uint32_t> sorted;
    for (const auto& [name, node] : folder.children) sorted.push_back(node);
    // The format's order: shorter names first.
    std::stable_sort(sorted.begin(), sorted.end(), [&](std::uint32_t a, std::uint32_t b) {
      return nodes_[a].name.size() < nodes_[b].name.size();
    });
    // Halves differ by one at most, so all levels but the last are full: that one is red, the others black.
    folder.child = link(sorted, 0, sorted.size(), 0, static_cast<int>(std::bit_width(sorted.size() + 1)) - 1);
  }
}

std::uint32_t CompoundWriter::link(std::vector<std::uint32_t>& sorted, std::size_t first, std::size_t end,
                                   int level, int red_level) {
  if (first == end) return no_entry;
  const std::size_t middle = first + (end - first) / 2;
  Node& node = nodes_[sorted[middle]];
  node.red = level == red_level;
  node.left = link(sorted, first, middle, level + 1, red_level);
  node.right = link(sorted, middle + 1, end, level + 1, red_level);
  return sorted[middle];
}

void CompoundWriter::place() {
  std::uint64_t large = 0;
  for (const NewStream& stream : streams_)
    if (stream.size >= mini_cutoff)
      large += sectors_for(stream.size);
    else
      first_.push_back(mini_count_), mini_count_ += (stream.size + mini_bytes - 1) / mini_bytes;
  directory_.count = sectors_for(nodes_.size() * entry_bytes);
  mini_fat_.count = sectors_for(mini_count_ * 4);
  mini_sectors_.count = sectors_for(mini_count_ * mini_bytes);
  const std::uint64_t each = sector_bytes_ / 4;
  const std::uint64_t others = directory_.count + mini_fat_.count + mini_sectors_.count + large;
  for (;;) {  // the tables also hold themselves
    const std::uint64_t all = others + fat_.count + difat_.count;
    const std::uint64_t fats = std::max<std::uint64_t>(1, (all + each - 1) / each);
    const std::uint64_t difats = fats > header_fats ? (fats - header_fats + each - 2) / (each - 1) : 0;
    if (fats == fat_.count && difats == difat_.count) break;
    fat_.count = fats, difat_.count = difats;
  }
  for (Run* run : {&difat_, &fat_, &directory_, &mini_fat_, &mini_sectors_})
    run->first = end_, end_ += run->count;
  std::size_t small = 0;
  std::vector<std::uint64_t> first;
  for (const NewStream& stream : streams_)
    if (stream.size >= mini_cutoff)
      first.push_back(end_), end_ += sectors_for(stream.size);
    else
      first.push_back(stream.size == 0 ? end_of_chain : first_[small]), ++small;
  first_ = std::move(first);
  expects(end_ <= last_sector, "more sectors than a compound file can count; use larger ones");
  for (std::size_t n = 0; n < streams_.size(); ++n)
    nodes_[node_of_[n]].first = static_cast<std::uint32_t>(first_[n]);
  nodes_.front().first = mini_count_ > 0 ? static_cast<std::uint32_t>(mini_sectors_.first) : end_of_chain;
  nodes_.front().size = mini_count_ * mini_bytes;
}

void CompoundWriter::write_at(std::uint64_t offset, const void* bytes, std::size_t count) const {
  const auto* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t put = ::pwrite(file_.descriptor(), from, count, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0)
      throw Error(ErrorKind::io, fmt::format("{}: cannot be written: {}", file_.temporary_path().string(),
                                             std::strerror(errno)));
    from += put, offset += static_cast<std::uint64_t>(put), count -= static_cast<std::size_t>(put);
  }
}

void CompoundWriter::write(std::size_t stream, std::uint64_t first, const void* bytes,
                           std::size_t count) const {
  expects(stream < streams_.size() && first + count <= streams_[stream].size,
          "CompoundWriter::write: beyond the stream that was declared");
  const bool small = streams_[stream].size < mini_cutoff;
  const std::uint64_t start =
      small ? offset_of(mini_sectors_.first) + first_[stream] * mini_bytes : offset_of(first_[stream]);
  write_at(start + first, bytes, count);
}

void CompoundWriter::write_header() const {
  std::vector<unsigned char> bytes(header_bytes);
  std::copy(magic.begin(), magic.end(), bytes.begin());
  const auto number = [&](std::size_t at, auto value) { put(bytes.data(), at, value); };
  const auto first_of = [](const Run& run) {
    return run.count > 0 ? static_cast<std::uint32_t>(run.first) : end_of_chain;
  };
  const bool v4 = sector_bytes_ == 4096;
  number(header::minor, std::uint16_t{0x3E});
  number(header::major, std::uint16_t(v4 ? 4 : 3));
  number(header::byte_order, std::uint16_t{0xFFFE});
  number(header::sector_shift, std::uint16_t(v4 ? 12 : 9));
  number(header::mini_shift, std::uint16_t{6});
  number(header::directory_sectors, static_cast<std::uint32_t>(v4 ? directory_.count : 0));
  number(header::fats, static_cast<std::uint32_t>(fat_.count));
  number(header::first_directory, first_of(directory_));
  number(header::cutoff, mini_cutoff);
  number(header::first_mini_fat, first_of(mini_fat_));
  number(header::mini_fats, static_cast<std::uint32_t>(mini_fat_.count));
  number(header::first_difat, first_of(difat_));
  number(header::difats, static_cast<std::uint32_t>(difat_.count));
  for (std::size_t n = 0; n < header_fats; ++n)
    number(header::fat_places + 4 * n,
           n < fat_.count ? static_cast<std::uint32_t>(fat_.first + n) : free_sector);
  write_at(0, bytes.data(), bytes.size());
}

void CompoundWriter::write_difat() const {
  const std::uint64_t each = sector_bytes_ / 4;
  for (std::uint64_t n = 0; n < difat_.count; ++n) {
    std::vector<std::uint32_t> numbers(each, free_sector);
    for (std::uint64_t k = 0; k + 1 < each; ++k) {
      const std::uint64_t table = header_fats + n * (each - 1) + k;
      if (table < fat_.count) numbers[k] = static_cast<std::uint32_t>(fat_.first + table);
    }
    numbers.back() = n + 1 < difat_.count ? static_cast<std::uint32_t>(difat_.first + n + 1) : end_of_chain;
    write_at(offset_of(difat_.first + n), numbers.data(), sector_bytes_);
  }
}

void CompoundWriter::write_fat() const {
  NumberWriter table;
  const auto write = [&](std::uint64_t done, const void* bytes, std::size_t count) {
    write_at(offset_of(fat_.first) + done, bytes, count);
  };
  std::uint64_t sector = 0;
  const auto repeat = [&](std::uint64_t count, std::uint32_t value) {
    for (std::uint64_t n = 0; n < count; ++n, ++sector) table.add(value, write);
  };
  const auto chain = [&](std::uint64_t count) {
    for (std::uint64_t n = 0; n < count; ++n, ++sector)
      table.add(n + 1 < count ? static_cast<std::uint32_t>(sector + 1) : end_of_chain, write);
  };
  repeat(difat_.count, difat_sector);
  repeat(fat_.count, fat_sector);
  for (const Run* run : {&directory_, &mini_fat_, &mini_sectors_}) chain(run->count);
  for (const NewStream& stream : streams_)
    if (stream.size >= mini_cutoff) chain(sectors_for(stream.size));
  repeat(fat_.count * (sector_bytes_ / 4) - sector, free_sector);
  table.flush(write);
}

void CompoundWriter::write_mini_fat() const {
  std::vector<std::uint32_t> table(mini_fat_.count * (sector_bytes_ / 4), free_sector);
  for (std::size_t n = 0; n < streams_.size(); ++n) {
    if (streams_[n].size >= mini_cutoff) continue;
    const std::uint64_t count = (streams_[n].size + mini_bytes - 1) / mini_bytes;
    for (std::uint64_t k = 0; k < count; ++k)
      table[first_[n] + k] = k + 1 < count ? static_cast<std::uint32_t>(first_[n] + k + 1) : end_of_chain;
  }
  write_at(offset_of(mini_fat_.first), table.data(), table.size() * 4);
}

void CompoundWriter::write_directory() const {
  std::vector<unsigned char> bytes(directory_.count * sector_bytes_);
  for (std::size_t n = 0; n < bytes.size() / entry_bytes; ++n) {
    unsigned char* const to = bytes.data() + n * entry_bytes;
    for (const std::size_t at : {entry::left, entry::right, entry::child}) put(to, at, no_entry);
    if (n >= nodes_.size()) continue;
    const Node& node = nodes_[n];
    for (std::size_t c = 0; c < node.name.size(); ++c)
      to[entry::name + 2 * c] = static_cast<unsigned char>(node.name[c]);
    put(to, entry::name_bytes, static_cast<std::uint16_t>(2 * node.name.size() + 2));
    to[entry::type] = node.type, to[entry::colour] = node.red ? 0 : 1;
    put(to, entry::left, node.left), put(to, entry::right, node.right), put(to, entry::child, node.child);
    put(to, entry::first, node.first), put(to, entry::size, node.size);
  }
  write_at(offset_of(directory_.first), bytes.data(), bytes.size());
}

void CompoundWriter::finish() {
  write_difat();
  write_fat();
  write_mini_fat();
  write_directory();
  write_header();
  file_.publish();
}

}  // namespace feldspar::io::zeiss
