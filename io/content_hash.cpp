// XXH3 with 128 bits: as fast as memory, and no two files of a scan will ever collide by chance. It is no
// protection against forgery.
#include "io/content_hash.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>

#include "base/error.hpp"
#include "base/stop.hpp"

namespace feldspar::io {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
constexpr std::size_t sample_bytes = 4096;
constexpr std::int64_t sample_distance = std::int64_t{2} << 20, most_samples = 256;

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& file) : id_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (id_ >= 0) (void)::close(id_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int id() const noexcept { return id_; }

 private:
  int id_;
};

[[noreturn]] void fail(const std::filesystem::path& file, int error) {
  throw Error(ErrorKind::io, fmt::format("{}: cannot be read: {}", file.string(), std::strerror(error)));
}

std::string as_text(const XXH128_hash_t& hash) {
  return fmt::format("xxh3-128:{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

struct Hasher::State {
  State() : hash(XXH3_createState()) {
    expects(hash != nullptr, "no memory for a hash", ErrorKind::out_of_memory);
    (void)XXH3_128bits_reset(hash);
  }
  ~State() { (void)XXH3_freeState(hash); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  XXH3_state_t* hash;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;
void Hasher::add(const void* bytes, std::size_t count) {
  (void)XXH3_128bits_update(state_->hash, bytes, count);
}
std::string Hasher::text() const { return as_text(XXH3_128bits_digest(state_->hash)); }

namespace {

/// Adds sample_bytes from `start` on, or what there is of them.
void add_sample(int file_id, std::int64_t start, const std::filesystem::path& file, Hasher& hasher) {
  std::byte buffer[sample_bytes];
  for (std::size_t done = 0; done < sample_bytes;) {
    const ssize_t count = ::pread(file_id, buffer, sample_bytes - done,
                                  static_cast<off_t>(start + static_cast<std::int64_t>(done)));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(file, errno);
    if (count == 0) break;
    hasher.add(buffer, static_cast<std::size_t>(count));
    done += static_cast<std::size_t>(count);
  }
}

std::string sample_hash(const std::filesystem::path& file, std::int64_t size) {
  const Descriptor descriptor(file);
  if (descriptor.id() < 0) fail(file, errno);
  (void)::posix_fadvise(descriptor.id(), 0, 0, POSIX_FADV_RANDOM);
  const std::int64_t last = std::max<std::int64_t>(0, size - static_cast<std::int64_t>(sample_bytes));
  const std::int64_t steps = std::clamp<std::int64_t>(size / sample_distance, 1, most_samples);
  Hasher hasher;
  for (std::int64_t n = 0; n <= steps; ++n) {
    const std::int64_t start = last / steps * n + last % steps * n / steps;
    add_sample(descriptor.id(), start, file, hasher);
  }
  return hasher.text();
}

}  // namespace

std::string content_hash(const std::filesystem::path& file) {
  const Descriptor descriptor(file);
  if (descriptor.id() < 0) fail(file, errno);
  (void)::posix_fadvise(descriptor.id(), 0, 0, POSIX_FADV_SEQUENTIAL);
  Hasher hasher;
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(buffer_bytes);
  for (;;) {
    stop_if_requested();
    const ssize_t count = ::read(descriptor.id(), buffer.get(), buffer_bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(file, errno);
    if (count == 0) break;
    hasher.add(buffer.get(), static_cast<std::size_t>(count));
  }
  return hasher.text();
}

std::string text_hash(std::string_view text) { return as_text(XXH3_128bits(text.data(), text.size())); }

std::string files_fingerprint(const std::vector<std::filesystem::path>& files, ThreadPool& pool) {
  std::vector<std::string> facts(files.size());
  pool.for_each(static_cast<std::ptrdiff_t>(files.size()), [&](std::ptrdiff_t index, int) {
    const std::filesystem::path& file = files[static_cast<std::size_t>(index)];
    struct stat about;
    if (::stat(file.c_str(), &about) != 0) fail(file, errno);
    facts[static_cast<std::size_t>(index)] =
        fmt::format("{}\n{} {}.{:09} {}\n", std::filesystem::absolute(file).string(), about.st_size,
                    about.st_mtim.tv_sec, about.st_mtim.tv_nsec, sample_hash(file, about.st_size));
  });
  return text_hash(fmt::format("{}", fmt::join(facts, "")));
}

}  // namespace feldspar::io
