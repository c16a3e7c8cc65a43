#include "io/hdf5/slab_journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "io/hdf5/partial_file.hpp"

namespace feldspar::io {
namespace {

constexpr const char* format_line = "feldspar journal 1";
constexpr const char* end_line = "finishing";

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  throw Error(ErrorKind::io, fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno)));
}

}  // namespace

SlabJournal::SlabJournal(std::filesystem::path path, std::string identity)
    : path_(std::move(path)), identity_(std::move(identity)) {}

SlabJournal::~SlabJournal() {
  if (descriptor_ >= 0) (void)::close(descriptor_);
}

std::vector<SlabJournal::Entry> SlabJournal::read() const {
  std::vector<Entry> entries;
  std::ifstream file(path_, std::ios::binary);
  if (!file) return entries;
  std::stringstream content;
  content << file.rdbuf();
  std::string text = content.str();
  text.resize(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);  // a torn line is none
  std::istringstream lines(text);
  std::string format, identity;
  if (!std::getline(lines, format) || !std::getline(lines, identity)) return entries;
  if (format != format_line || identity != identity_)
    throw Error(
        ErrorKind::usage,
        fmt::format("{}: belongs to a run with other inputs, options or another version of the program; "
                    "start again without --resume",
                    path_.string()));
  for (Entry entry; lines >> entry.slices.first >> entry.slices.end >> entry.clipped;) {
    if (entry.slices.first < 0 || entry.slices.empty())
      throw Error(ErrorKind::bad_file,
                  fmt::format("{}: names impossible slices; start again without --resume", path_.string()));
    entries.push_back(entry);
  }
  if (!text.ends_with(fmt::format("\n{}\n", end_line))) return entries;
  log_warning(
      fmt::format("{}: its run was killed while it finished the file: starting again", path_.string()));
  return {};
}

void SlabJournal::begin(const std::vector<Entry>& entries) {
  // A new file takes the old one's place in one step, so that a crash leaves either of them whole.
  std::filesystem::path fresh = path_;
  fresh += ".new";
  descriptor_ = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(fresh, "cannot be made");
  std::string text = fmt::format("{}\n{}\n", format_line, identity_);
  for (const Entry& entry : entries)
    text += fmt::format("{} {} {}\n", entry.slices.first, entry.slices.end, entry.clipped);
  write(text);
  if (::rename(fresh.c_str(), path_.c_str()) != 0) fail(path_, "cannot be given its name");
  sync_folder_of(path_);
  count_ = static_cast<int>(entries.size());
}

void SlabJournal::add(const Entry& entry) {
  write(fmt::format("{} {} {}\n", entry.slices.first, entry.slices.end, entry.clipped));
  ++count_;
}

void SlabJournal::end() { write(fmt::format("{}\n", end_line)); }

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
  if (::unlink(path_.c_str()) == 0) sync_folder_of(path_);
}

}  // namespace feldspar::io
