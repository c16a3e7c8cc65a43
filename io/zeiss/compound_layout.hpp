// The numbers of the compound file format (MS-CFB) that its reader and its writer share.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace feldspar::io::zeiss::cfb {

static_assert(std::endian::native == std::endian::little, "compound files are read and written as they lie");

constexpr std::array<unsigned char, 8> magic{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1};

/// Special values of the allocation tables; numbers up to `last_sector` are sectors.
constexpr std::uint32_t last_sector = 0xFFFFFFFA, difat_sector = 0xFFFFFFFC, fat_sector = 0xFFFFFFFD,
                        end_of_chain = 0xFFFFFFFE, free_sector = 0xFFFFFFFF;
constexpr std::uint32_t no_entry = 0xFFFFFFFF;

constexpr std::uint32_t mini_bytes = 64;     ///< of a mini sector
constexpr std::uint32_t mini_cutoff = 4096;  ///< streams of fewer bytes lie in mini sectors
constexpr std::uint32_t header_fats = 109;   ///< places of the table that the header itself has
constexpr std::uint32_t entry_bytes = 128;   ///< of the directory
constexpr std::uint32_t header_bytes = 512;  ///< used, whatever the sector's size

/// Where things are in the header.
namespace header {
constexpr std::size_t minor = 24, major = 26, byte_order = 28, sector_shift = 30, mini_shift = 32,
                      directory_sectors = 40, fats = 44, first_directory = 48, cutoff = 56,
                      first_mini_fat = 60, mini_fats = 64, first_difat = 68, difats = 72, fat_places = 76;
}

/// Where things are in an entry of the directory.
namespace entry {
constexpr std::size_t name = 0, name_bytes = 64, type = 66, colour = 67, left = 68, right = 72, child = 76,
                      first = 116, size = 120;
constexpr unsigned char storage = 1, stream = 2, root = 5;
}  // namespace entry

template <class Number>
[[nodiscard]] Number get(const void* bytes, std::size_t at) {
  Number value;
  std::memcpy(&value, static_cast<const char*>(bytes) + at, sizeof(value));
  return value;
}

template <class Number>
void put(void* bytes, std::size_t at, Number value) {
  std::memcpy(static_cast<char*>(bytes) + at, &value, sizeof(value));
}

}  // namespace feldspar::io::zeiss::cfb
