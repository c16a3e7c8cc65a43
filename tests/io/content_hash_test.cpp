// Hashes of files: the published values of XXH3, and errors that name the file.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/error.hpp"
#include "io/content_hash.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

using testing::TempFolder;

std::filesystem::path put_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(ContentHash, IsTheOneOfXxh128sum) {
  const TempFolder folder;
  // From `xxhsum -H128` of empty input and of "a".
  EXPECT_EQ(io::content_hash(put_file(folder / "empty", "")), "xxh3-128:99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(io::content_hash(put_file(folder / "a", "a")), "xxh3-128:a96faf705af16834e6c632b61e964e1f");
}

TEST(ContentHash, SeesOneChangedByteBehindTheFirstBuffer) {
  const TempFolder folder;
  std::string content(3 * 1024 * 1024 + 17, 'x');
  const std::string before = io::content_hash(put_file(folder / "big", content));
  content[2 * 1024 * 1024 + 5] = 'y';

  EXPECT_NE(io::content_hash(put_file(folder / "big", content)), before);
}

TEST(ContentHash, NamesTheFileThatCannotBeRead) {
  const TempFolder folder;
  for (const auto& path : {folder / "missing", folder.path()}) {
    try {
      (void)io::content_hash(path);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::io);
      EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    }
  }
}

/// Of a file of `size` bytes: whether its fingerprint sees one byte at `place` changed, size and time being
/// kept.
bool fingerprint_sees(std::size_t size, std::size_t place) {
  const TempFolder folder;
  std::string content(size, 'x');
  const std::filesystem::path file = put_file(folder / "file", content);
  const auto time = std::filesystem::last_write_time(file);
  ThreadPool pool(1);
  const std::string before = io::files_fingerprint({file}, pool);
  content[place] = 'y';
  std::filesystem::last_write_time(put_file(file, content), time);
  return io::files_fingerprint({file}, pool) != before;
}

TEST(FilesFingerprint, SeesAChangeInTheSamplesOfAFile) {
  EXPECT_TRUE(fingerprint_sees(1, 0));
  EXPECT_TRUE(fingerprint_sees(8192, 4095));
  EXPECT_TRUE(fingerprint_sees(8192, 4096));
  constexpr std::size_t size = 8 << 20;  // sampled at four equal steps
  for (const std::size_t step : {0, 1, 2, 3, 4})
    EXPECT_TRUE(fingerprint_sees(size, (size - 4096) / 4 * step + 17)) << step;
}

TEST(FilesFingerprint, StaysWhileTheFilesStay) {
  const TempFolder folder;
  const std::vector<std::filesystem::path> files{put_file(folder / "a", "a"), put_file(folder / "b", "")};
  ThreadPool one(1), two(2);

  EXPECT_EQ(io::files_fingerprint(files, one), io::files_fingerprint(files, two));
  EXPECT_NE(io::files_fingerprint(files, one), io::files_fingerprint({files[1], files[0]}, one));
}

TEST(FilesFingerprint, NamesTheFileThatCannotBeRead) {
  const TempFolder folder;
  ThreadPool pool(1);
  testing::expect_error(ErrorKind::io, {(folder / "missing").string()},
                        [&] { (void)io::files_fingerprint({folder / "missing"}, pool); });
}

}  // namespace
}  // namespace feldspar
