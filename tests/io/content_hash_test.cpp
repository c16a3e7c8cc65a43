// Hashes of files: the published values of XXH3, and errors that name the file.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/error.hpp"
#include "io/content_hash.hpp"
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

TEST(ContentHash, KeepsTheOrderOfManyFiles) {
  const TempFolder folder;
  std::vector<std::filesystem::path> files;
  for (int n = 0; n < 50; ++n) files.push_back(put_file(folder / std::to_string(n), std::to_string(n)));
  ThreadPool pool(3);

  const auto hashes = io::content_hashes(files, pool);

  ASSERT_EQ(hashes.size(), files.size());
  for (std::size_t n = 0; n < files.size(); ++n) EXPECT_EQ(hashes[n], io::content_hash(files[n]));
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

}  // namespace
}  // namespace feldspar
