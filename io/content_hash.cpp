// XXH3 with 128 bits: as fast as memory, and no two files of a scan will ever collide by chance. It is no
// protection against forgery.
#include "io/content_hash.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.hpp"

namespace feldspar::io {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 20;

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

struct FreeState {
  void operator()(XXH3_state_t* state) const noexcept { (void)XXH3_freeState(state); }
};

[[noreturn]] void fail(const std::filesystem::path& file, int error) {
  throw Error(ErrorKind::io, fmt::format("{}: cannot be read: {}", file.string(), std::strerror(error)));
}

std::string as_text(const XXH128_hash_t& hash) {
  return fmt::format("xxh3-128:{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

std::string content_hash(const std::filesystem::path& file) {
  const Descriptor descriptor(file);
  if (descriptor.id() < 0) fail(file, errno);
  (void)::posix_fadvise(descriptor.id(), 0, 0, POSIX_FADV_SEQUENTIAL);
  const std::unique_ptr<XXH3_state_t, FreeState> state(XXH3_createState());
  expects(state != nullptr, "no memory for a hash", ErrorKind::out_of_memory);
  (void)XXH3_128bits_reset(state.get());
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(buffer_bytes);
  for (;;) {
    const ssize_t count = ::read(descriptor.id(), buffer.get(), buffer_bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(file, errno);
    if (count == 0) break;
    (void)XXH3_128bits_update(state.get(), buffer.get(), static_cast<std::size_t>(count));
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return as_text(hash);
}

std::string text_hash(std::string_view text) { return as_text(XXH3_128bits(text.data(), text.size())); }

std::string files_fingerprint(const std::vector<std::filesystem::path>& files) {
  std::string facts;
  for (const std::filesystem::path& file : files) {
    struct stat about;
    if (::stat(file.c_str(), &about) != 0) fail(file, errno);
    facts += fmt::format("{}\n{} {}.{:09}\n", std::filesystem::absolute(file).string(), about.st_size,
                         about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
  }
  return text_hash(facts);
}

std::vector<std::string> content_hashes(const std::vector<std::filesystem::path>& files, ThreadPool& pool) {
  std::vector<std::string> hashes(files.size());
  pool.for_each(static_cast<std::ptrdiff_t>(files.size()),
                [&](std::ptrdiff_t index, int) { hashes[index] = content_hash(files[index]); });
  return hashes;
}

}  // namespace feldspar::io
