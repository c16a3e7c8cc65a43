#include "io/content_hash.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/error.hpp"

namespace feldspar::io {

std::string content_hash(const std::filesystem::path& file) {
  const auto fail = [&] {
    return Error(ErrorKind::io, fmt::format("{}: cannot be read: {}", file.string(), std::strerror(errno)));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> input(std::fopen(file.c_str(), "rb"), std::fclose);
  if (!input) throw fail();
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(), XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::vector<unsigned char> buffer(std::size_t{1} << 20);
  for (std::size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), input.get())) > 0;)
    XXH3_128bits_update(state.get(), buffer.data(), got);
  if (std::ferror(input.get())) throw fail();
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return fmt::format("xxh3-128:{:016x}{:016x}", hash.high64, hash.low64);
}

std::vector<std::string> content_hashes(const std::vector<std::filesystem::path>& files, ThreadPool& pool) {
  std::vector<std::string> hashes(files.size());
  pool.for_each(static_cast<std::ptrdiff_t>(files.size()), [&](std::ptrdiff_t n, int) {
    hashes[static_cast<std::size_t>(n)] = content_hash(files[static_cast<std::size_t>(n)]);
  });
  return hashes;
}

}  // namespace feldspar::io
