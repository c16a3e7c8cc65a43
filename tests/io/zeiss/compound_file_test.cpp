// Compound files of both sector sizes, whole, in disorder, large and damaged.
#include "io/zeiss/compound_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <numeric>

#include "io/zeiss/compound_layout.hpp"
#include "tests/io/zeiss/compound_files.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::io::zeiss {
namespace {

using namespace testing;
using namespace cfb;

/// Sizes around every border: none, a mini sector, the cutoff, whole and broken sectors; and many names.
std::map<std::string, Bytes> varied_streams() {
  std::map<std::string, Bytes> streams;
  unsigned seed = 1;
  for (const std::size_t size : {0, 1, 4, 63, 64, 65, 511, 512, 4095, 4096, 4097, 8192, 20000, 70001})
    streams["ImageData1/Image" + std::to_string(size)] = noise(size, seed++);
  for (int n = 0; n < 137; ++n) streams["Info/Value" + std::to_string(n)] = noise(4, seed++);
  streams["Version"] = noise(4, seed++);
  streams["Deep/Deeper/Deepest/X-Shifts"] = noise(300, seed);
  return streams;
}

void expect_same(const CompoundFile& file, const std::map<std::string, Bytes>& streams) {
  EXPECT_EQ(file.streams().size(), streams.size());
  for (const auto& [name, bytes] : streams) {
    const CompoundFile::Stream* const stream = file.find(name);
    ASSERT_NE(stream, nullptr) << name;
    EXPECT_EQ(stream->path, name);
    const auto read = file.read_all(*stream, 1 << 20);
    ASSERT_EQ(read.size(), bytes.size()) << name;
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), reinterpret_cast<const unsigned char*>(read.data())))
        << name;
  }
}

class compound_file : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  TempFolder folder_;
  std::filesystem::path path_ = folder_ / "scan.txrm";
};
INSTANTIATE_TEST_SUITE_P(sectors, compound_file, ::testing::Values(512u, 4096u));

TEST_P(compound_file, returns_every_stream_as_written) {
  const auto streams = varied_streams();
  write_compound(path_, streams, GetParam());
  expect_same(CompoundFile(path_), streams);
}

TEST_P(compound_file, follows_chains_in_any_order) {
  const auto streams = varied_streams();
  write_compound(path_, streams, GetParam());
  const Bytes ordered = load(path_);
  for (unsigned seed = 0; seed < 5; ++seed) {
    const Bytes disordered = shuffled(ordered, seed);
    ASSERT_NE(disordered, ordered);
    save(path_, disordered);
    expect_same(CompoundFile(path_), streams);
  }
}

TEST_P(compound_file, finds_names_without_case) {
  write_compound(path_, {{"Alignment/X-Shifts", noise(4, 1)}}, GetParam());
  const CompoundFile file(path_);
  EXPECT_NE(file.find("alignment/x-shifts"), nullptr);
  EXPECT_EQ(file.find("alignment/x-shift"), nullptr);
  EXPECT_EQ(file.find("alignment"), nullptr);
}

TEST_P(compound_file, reads_any_part_of_a_stream) {
  const Bytes bytes = noise(100000, 7);
  write_compound(path_, {{"A", noise(50000, 1)}, {"B", bytes}}, GetParam());
  save(path_, shuffled(load(path_), 3));
  const CompoundFile file(path_);
  const Extents extents = file.locate(*file.find("B"));
  EXPECT_GT(extents.size(), 1u);
  for (const std::size_t first : {0, 1, 4095, 4096, 50000, 99990}) {
    const std::size_t count = std::min<std::size_t>(bytes.size() - first, 9000);
    Bytes part(count);
    file.read(extents, first, part.data(), count);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), bytes.begin() + static_cast<std::ptrdiff_t>(first)));
  }
}

TEST_P(compound_file, many_allocation_tables_are_listed_beyond_the_header) {
  const std::uint64_t size = GetParam() == 512 ? 30'000'000 : 3'000'000'000;  // both need about 240 and 180
  CompoundWriter writer(path_, {{"Large", size}, {"Last", 5000}}, GetParam());
  const Bytes last = noise(5000, 1);
  const std::uint64_t mark = 0x1122334455667788;
  writer.write(0, size - 8, &mark, 8);
  writer.write(1, 0, last.data(), last.size());
  writer.finish();
  const CompoundFile file(path_);
  std::uint64_t read = 0;
  file.read(file.locate(*file.find("Large")), size - 8, &read, 8);
  EXPECT_EQ(read, mark);
  const auto end = file.read_all(*file.find("Last"), 5000);
  EXPECT_TRUE(std::equal(last.begin(), last.end(), reinterpret_cast<const unsigned char*>(end.data())));
}

TEST_P(compound_file, beyond_four_gigabytes_nothing_wraps) {
  constexpr std::uint64_t each = 2'200'000'000, streams = 6;  // 13.2 GB
  std::vector<NewStream> declared;
  for (std::uint64_t n = 0; n < streams; ++n) declared.push_back({"Part" + std::to_string(n), each});
  {
    CompoundWriter writer(path_, declared, GetParam());
    for (std::uint64_t n = 0; n < streams; ++n) writer.write(n, each - 8, &n, 8);
    writer.finish();
  }
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  if (status.st_blocks * 512 > 1'000'000'000) GTEST_SKIP() << "no sparse files here";
  const CompoundFile file(path_);
  for (std::uint64_t n = 0; n < streams; ++n) {
    std::uint64_t read = 0;
    file.read(file.locate(*file.find("Part" + std::to_string(n))), each - 8, &read, 8);
    EXPECT_EQ(read, n);
  }
}

TEST_P(compound_file, a_file_that_ends_early_is_refused_wherever_it_ends) {
  const auto streams = varied_streams();
  write_compound(path_, streams, GetParam());
  const Bytes whole = load(path_);
  std::vector<std::size_t> ends{0, 1, 7, 8, 24, 44, 76, 511, 512, 513};
  for (std::size_t end = GetParam(); end < whole.size(); end += GetParam())
    ends.insert(ends.end(), {end - 1, end, end + 1, end + 77});
  for (const std::size_t end : ends) {
    save(path_, Bytes(whole.begin(),
                      whole.begin() + static_cast<std::ptrdiff_t>(std::min(end, whole.size() - 5000))));
    expect_error(ErrorKind::bad_file, {"scan.txrm"}, [&] {
      const CompoundFile file(path_);
      for (const auto& stream : file.streams()) (void)file.read_all(stream, 1 << 20);
    });
  }
}

/// A file of three streams, and where its tables are.
struct Plain {
  Bytes bytes;
  std::size_t sector = 0, fat = 0, directory = 0;
  std::uint32_t first = 0;  ///< sector of "Long"
};

Plain plain(const std::filesystem::path& path, std::uint32_t sector_bytes) {
  write_compound(path, {{"Long", noise(40000, 1)}, {"Middle", noise(300, 2)}, {"Small", noise(4, 3)}},
                 sector_bytes);
  Plain made{.bytes = load(path), .sector = sector_bytes};
  const auto at = [&](std::size_t field) {
    return (std::size_t{get<std::uint32_t>(made.bytes.data(), field)} + 1) * sector_bytes;
  };
  made.fat = at(header::fat_places), made.directory = at(header::first_directory);
  made.first = get<std::uint32_t>(&made.bytes[made.directory + entry_bytes], entry::first);
  return made;
}

void expect_refused(const std::filesystem::path& path, const Bytes& bytes,
                    std::initializer_list<std::string_view> words) {
  save(path, bytes);
  expect_error(ErrorKind::bad_file, words, [&] {
    const CompoundFile file(path);
    for (const auto& stream : file.streams()) (void)file.read_all(stream, 1 << 20);
  });
}

TEST_P(compound_file, chains_that_turn_back_are_refused) {
  const Plain good = plain(path_, GetParam());
  for (const std::uint32_t back : {0u, 1u, 4u}) {
    Bytes bytes = good.bytes;
    put(&bytes[good.fat], 4 * std::size_t{good.first + 5}, good.first + back);
    expect_refused(path_, bytes, {"Long", "leads back into itself"});
  }
  Bytes directory = good.bytes;
  const auto sector = get<std::uint32_t>(good.bytes.data(), header::first_directory);
  put(&directory[good.fat], 4 * std::size_t{sector}, sector);
  expect_refused(path_, directory, {"directory", "leads back into itself"});
}

TEST_P(compound_file, chains_that_end_early_or_leave_the_file_are_refused) {
  const Plain good = plain(path_, GetParam());
  for (const auto& [value, said] : {std::pair{end_of_chain, "ends after"},
                                    {free_sector, "but the file has"},
                                    {fat_sector, "but the file has"},
                                    {0x7FFFFFFFu, "but the file has"}}) {
    Bytes bytes = good.bytes;
    put(&bytes[good.fat], 4 * std::size_t{good.first + 2}, value);
    expect_refused(path_, bytes, {"Long", said});
  }
}

TEST_P(compound_file, impossible_numbers_of_the_header_are_refused) {
  const Plain good = plain(path_, GetParam());
  for (const std::uint32_t huge : {0u, 0x10000u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
    Bytes bytes = good.bytes;
    put(bytes.data(), header::fats, huge);
    expect_refused(path_, bytes, {"allocation table"});
  }
  for (const std::size_t at : {header::first_directory, header::first_mini_fat, header::fat_places}) {
    Bytes bytes = good.bytes;
    put(bytes.data(), at, 0x00FFFFFFu);
    expect_refused(path_, bytes, {"sector 16777215"});
  }
  for (const std::size_t at : {header::major, header::byte_order, header::sector_shift, header::mini_shift}) {
    Bytes bytes = good.bytes;
    put(bytes.data(), at, std::uint16_t{31});
    expect_refused(path_, bytes, {"header"});
  }
  Bytes minis = good.bytes;
  put(minis.data(), header::mini_fats, 0xFFFFFFFFu);
  expect_refused(path_, minis, {"table of small streams"});
}

TEST_P(compound_file, impossible_entries_of_the_directory_are_refused) {
  const Plain good = plain(path_, GetParam());
  const std::size_t lengthy = good.directory + entry_bytes, middle = lengthy + entry_bytes;
  const auto changed = [&](std::size_t at, auto value) {
    Bytes bytes = good.bytes;
    put(bytes.data(), at, value);
    return bytes;
  };
  expect_refused(path_, changed(lengthy + entry::size, std::uint64_t{1} << (GetParam() == 512 ? 31 : 60)),
                 {"Long", "bytes"});
  expect_refused(path_, changed(lengthy + entry::name_bytes, std::uint16_t{66}), {"name of 66 bytes"});
  expect_refused(path_, changed(lengthy + entry::name_bytes, std::uint16_t{3}), {"name of 3 bytes"});
  expect_refused(path_, changed(lengthy + entry::type, std::uint8_t{9}), {"no known type"});
  expect_refused(path_, changed(lengthy + entry::left, std::uint32_t{1000}), {"entry 1000"});
  expect_refused(path_, changed(lengthy + entry::left, std::uint32_t{1}), {"entry 1,", "elsewhere"});
  expect_refused(path_, changed(middle + entry::right, std::uint32_t{0}), {"entry 0"});
  expect_refused(path_, changed(good.directory + entry::type, std::uint8_t{2}), {"root"});
  expect_refused(path_, changed(middle + entry::first, std::uint32_t{77777}), {"Middle", "small streams"});
}

TEST_P(compound_file, a_changed_file_is_noticed) {
  write_compound(path_, {{"A", noise(9000, 1)}}, GetParam());
  const CompoundFile file(path_);
  EXPECT_NO_THROW(file.expect_unchanged());
  save(path_, Bytes(3));
  expect_error(ErrorKind::io, {"scan.txrm", "changed"}, [&] { file.expect_unchanged(); });
}

TEST(compound_files, other_files_are_refused) {
  const TempFolder folder;
  save(folder / "a.txrm", noise(20000, 1));
  expect_error(ErrorKind::bad_file, {"a.txrm", "compound"}, [&] { CompoundFile file(folder / "a.txrm"); });
  expect_error(ErrorKind::io, {"none.txrm"}, [&] { CompoundFile file(folder / "none.txrm"); });
}

}  // namespace
}  // namespace feldspar::io::zeiss
