// Compound files for tests: small ones made of named bytes, and the same with their sectors in disorder.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "io/zeiss/compound_layout.hpp"
#include "io/zeiss/compound_writer.hpp"

namespace feldspar::testing {

using Bytes = std::vector<unsigned char>;

inline Bytes load(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void save(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

inline void write_compound(const std::filesystem::path& path, const std::map<std::string, Bytes>& streams,
                           std::uint32_t sector_bytes) {
  std::vector<io::zeiss::NewStream> declared;
  for (const auto& [name, bytes] : streams) declared.push_back({name, bytes.size()});
  io::zeiss::CompoundWriter writer(path, declared, sector_bytes, true);
  std::size_t n = 0;
  for (const auto& [name, bytes] : streams) writer.write(n++, 0, bytes.data(), bytes.size());
  writer.finish();
}

/// Bytes that differ at every place.
inline Bytes noise(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  Bytes bytes(count);
  for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random());
  return bytes;
}

/// The same file with every sector somewhere else, as instruments that append to many streams leave it.
/// For files whose header lists all sectors of the allocation table.
inline Bytes shuffled(const Bytes& file, unsigned seed) {
  using namespace io::zeiss::cfb;
  const std::size_t size = std::size_t{1} << get<std::uint16_t>(file.data(), header::sector_shift);
  const std::size_t count = file.size() / size - 1, each = size / 4;
  std::vector<std::uint32_t> to(count);
  std::iota(to.begin(), to.end(), 0u);
  std::shuffle(to.begin(), to.end(), std::mt19937(seed));
  const auto moved = [&](std::uint32_t sector) { return sector < count ? to[sector] : sector; };

  Bytes result = file;
  for (std::size_t n = 0; n < count; ++n)
    std::copy_n(&file[(n + 1) * size], size, &result[(std::size_t{to[n]} + 1) * size]);
  std::vector<std::uint32_t> table, next(count);
  const auto fats = get<std::uint32_t>(file.data(), header::fats);
  for (std::size_t n = 0; n < fats; ++n) {
    const auto sector = get<std::uint32_t>(file.data(), header::fat_places + 4 * n);
    for (std::size_t k = 0; k < each; ++k)
      table.push_back(get<std::uint32_t>(&file[(std::size_t{sector} + 1) * size], 4 * k));
    put(result.data(), header::fat_places + 4 * n, moved(sector));
  }
  for (std::size_t n = 0; n < count; ++n) next[to[n]] = moved(table[n]);
  for (std::size_t n = 0; n < count; ++n) {
    const auto sector = get<std::uint32_t>(result.data(), header::fat_places + 4 * (n / each));
    put(&result[(std::size_t{sector} + 1) * size], 4 * (n % each), next[n]);
  }
  for (const std::size_t at : {header::first_directory, header::first_mini_fat})
    put(result.data(), at, moved(get<std::uint32_t>(file.data(), at)));
  for (auto sector = get<std::uint32_t>(file.data(), header::first_directory); sector < count;
       sector = table[sector])
    for (std::size_t n = 0; n < size / entry_bytes; ++n) {
      const unsigned char* const from = &file[(std::size_t{sector} + 1) * size + n * entry_bytes];
      const bool chained =
          from[entry::type] == entry::root ||
          (from[entry::type] == entry::stream && get<std::uint64_t>(from, entry::size) >= mini_cutoff);
      if (chained)
        put(&result[(std::size_t{to[sector]} + 1) * size + n * entry_bytes], entry::first,
            moved(get<std::uint32_t>(from, entry::first)));
    }
  return result;
}

}  // namespace feldspar::testing
