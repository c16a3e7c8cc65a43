#include "io/hdf5/slab_journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "io/partial_file.hpp"

namespace feldspar::io {
namespace {

constexpr const char* format_line = "feldspar journal 3";
constexpr const char* any_format = "feldspar journal ";
constexpr const char* end_word = "finishing";

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  throw Error(ErrorKind::io, fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno)));
}

std::string hex_of(const std::string& bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char c : bytes) {
    hex.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(digits[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

/// Nothing where it is not of this form.
std::optional<std::string> bytes_of(const std::string& hex) {
  const auto value = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string bytes;
  for (std::size_t n = 0; n + 1 < hex.size(); n += 2) {
    const int high = value(hex[n]), low = value(hex[n + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  if (hex.size() % 2 != 0) return std::nullopt;
  return bytes;
}

std::string line_of(const SlabJournal::Entry& entry) {
  return fmt::format("{} {} {} {}\n", entry.slices.first, entry.slices.end, entry.clipped,
                     fmt::join(entry.hashes, " "));
}

}  // namespace

SlabJournal::SlabJournal(std::filesystem::path path, std::string identity)
    : path_(std::move(path)), identity_(std::move(identity)) {}

SlabJournal::~SlabJournal() {
  if (descriptor_ >= 0) (void)::close(descriptor_);
}

/// Nothing where no file is. Throws Error(io) where what stands there is no journal.
std::optional<std::string> SlabJournal::content() const {
  // O_NONBLOCK: a pipe under that name must not stop the program.
  const int file = ::open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return std::nullopt;
  struct stat about {};
  const bool regular = file >= 0 && ::fstat(file, &about) == 0 && S_ISREG(about.st_mode);
  std::string text(regular ? static_cast<std::size_t>(about.st_size) : 0, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::read(file, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    if (count == 0) text.resize(done);
    done += static_cast<std::size_t>(count);
  }
  const bool whole = regular && done == text.size();
  if (file >= 0) (void)::close(file);
  const std::size_t compared = std::min(text.size(), std::string_view(any_format).size());
  if (!whole || text.compare(0, compared, any_format, compared) != 0)
    throw Error(ErrorKind::io,
                fmt::format("{}: is there, and is no journal that can be read; remove it or choose another "
                            "name of the volume",
                            path_.string()));
  return text;
}

SlabJournal::Left SlabJournal::read() const {
  const Remedies again{{"resume", "", "start again without"}};
  Left left;
  const auto found = content();
  if (!found) return left;
  std::string text = *found;
  text.resize(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);  // a torn line is none
  std::istringstream lines(text);
  std::string format, identity;
  if (!std::getline(lines, format) || !std::getline(lines, identity)) return left;
  if (format != format_line || identity != identity_)
    throw Error(
        ErrorKind::usage,
        fmt::format("{}: belongs to a run with other inputs, options or another version of the program",
                    path_.string()),
        again);
  const auto refuse = [&](const char* what) {
    throw Error(ErrorKind::bad_file, fmt::format("{}: {}", path_.string(), what), again);
  };
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    if (line.starts_with(end_word)) {
      std::string word, hex;
      FileHead index;
      words >> word >> index.size >> hex;
      const auto bytes = bytes_of(hex);
      if (!words || !bytes || bytes->size() > index.size) refuse("its last line makes no sense");
      left.index = FileHead{index.size, *bytes};
      break;
    }
    Entry entry;
    if (!(words >> entry.slices.first >> entry.slices.end >> entry.clipped)) refuse("a line makes no sense");
    if (entry.slices.first < 0 || entry.slices.empty()) refuse("names impossible slices");
    for (std::string hash; words >> hash;) entry.hashes.push_back(hash);
    if (entry.hashes.size() != static_cast<std::size_t>(entry.slices.count())) refuse("hashes are missing");
    left.entries.push_back(std::move(entry));
  }
  return left;
}

void SlabJournal::begin(const std::vector<Entry>& entries) {
  (void)content();  // throws where something else has its name
  // A new file takes the old one's place in one step, so that a crash leaves either of them whole. One that a
  // killed run left is in the way: no other run makes it, because the volume's own file is locked.
  std::filesystem::path fresh = path_;
  fresh += ".new";
  (void)SlabJournal(fresh, {}).content();
  (void)::unlink(fresh.c_str());
  descriptor_ = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(fresh, "cannot be made");
  std::string text = fmt::format("{}\n{}\n", format_line, identity_);
  for (const Entry& entry : entries) text += line_of(entry);
  write(text);
  if (::rename(fresh.c_str(), path_.c_str()) != 0) fail(path_, "cannot be given its name");
  sync_folder_of(path_);
  count_ = static_cast<int>(entries.size());
}

void SlabJournal::add(const Entry& entry) {
  write(line_of(entry));
  ++count_;
}

void SlabJournal::end(const FileHead& index) {
  write(fmt::format("{} {} {}\n", end_word, index.size, hex_of(index.bytes)));
}

void SlabJournal::write(const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_, "cannot be written");
    done += static_cast<std::size_t>(count);
  }
  if (::fsync(descriptor_) != 0) fail(path_, "cannot be brought to the disk");
}

void SlabJournal::remove() noexcept {
  if (descriptor_ >= 0) (void)::close(std::exchange(descriptor_, -1));
  try {
    if (!content()) return;
  } catch (const std::exception&) {  // not ours
    return;
  }
  if (::unlink(path_.c_str()) == 0) sync_folder_of(path_);
}

}  // namespace feldspar::io
