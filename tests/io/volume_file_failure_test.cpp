// Volume files when things go wrong: full disks, killed runs, other runs, other people's files.
#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <fstream>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "io/hdf5/volume_file.hpp"
#include "tests/io/volumes.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

using testing::grid_of;
using testing::slab_at;
using testing::slabs_of;
using testing::TempFolder;
using testing::write_volume;

bool is_empty(const TempFolder& folder) { return std::filesystem::is_empty(folder.path()); }

void put_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

/// The kind and message of what `action` throws; "" when it throws nothing.
struct Thrown {
  ErrorKind kind{};
  std::string message;
};
Thrown thrown_by(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  return {};
}

TEST(VolumeWriting, LeavesNothingWhenItIsNotFinished) {
  const TempFolder folder;
  {
    io::VolumeWriter writer(folder / "v.h5", grid_of(50, 50, 50), {.deflate = 1});
    writer.write(0, slab_at(grid_of(50, 50, 50), 0, 20).view());
    EXPECT_TRUE(std::filesystem::exists(folder / "v.h5.partial"));
  }
  EXPECT_TRUE(is_empty(folder));
}

TEST(VolumeWriting, CannotFinishWithSlicesMissing) {
  const TempFolder folder;
  {
    io::VolumeWriter writer(folder / "v.h5", grid_of(9, 9, 9), {});
    writer.write(0, slab_at(grid_of(9, 9, 9), 0, 8).view());
    EXPECT_EQ(thrown_by([&] { writer.finish({}); }).kind, ErrorKind::internal);
  }
  EXPECT_TRUE(is_empty(folder));
}

TEST(VolumeWriting, RefusesSlicesGivenTwiceOrOutside) {
  const TempFolder folder;
  const auto grid = grid_of(9, 9, 9);
  io::VolumeWriter writer(folder / "v.h5", grid, {});
  writer.write(2, slab_at(grid, 2, 3).view());

  EXPECT_THROW(writer.write(4, slab_at(grid, 4, 1).view()), Error);
  EXPECT_THROW(writer.write(8, slab_at(grid, 8, 2).view()), Error);
  EXPECT_THROW(writer.write(-1, slab_at(grid, 0, 2).view()), Error);
  EXPECT_THROW(writer.write(0, slab_at(grid_of(9, 8, 9), 0, 1).view()), Error);
}

TEST(VolumeWriting, RefusesAnExistingFileAndKeepsIt) {
  const TempFolder folder;
  put_file(folder / "v.h5", "precious");

  const Thrown thrown = thrown_by([&] { io::VolumeWriter(folder / "v.h5", grid_of(4, 4, 4), {}); });

  EXPECT_EQ(thrown.kind, ErrorKind::io);
  EXPECT_NE(thrown.message.find("v.h5: already exists"), std::string::npos) << thrown.message;
  EXPECT_EQ(std::filesystem::file_size(folder / "v.h5"), 8u);
}

TEST(VolumeWriting, RefusesAFileThatAppearedMeanwhile) {
  const TempFolder folder;
  const auto grid = grid_of(4, 4, 4);
  {
    io::VolumeWriter writer(folder / "v.h5", grid, {});
    writer.write(0, slab_at(grid, 0, 4).view());
    put_file(folder / "v.h5", "precious");
    EXPECT_EQ(thrown_by([&] { writer.finish({}); }).kind, ErrorKind::io);
  }
  EXPECT_EQ(std::filesystem::file_size(folder / "v.h5"), 8u);
  EXPECT_FALSE(std::filesystem::exists(folder / "v.h5.partial"));
}

TEST(VolumeWriting, KeepsTheOldFileUntilTheNewOneIsComplete) {
  const TempFolder folder;
  const auto grid = grid_of(4, 4, 4);
  put_file(folder / "v.h5", "precious");
  { io::VolumeWriter given_up(folder / "v.h5", grid, {.overwrite = true}); }
  EXPECT_EQ(std::filesystem::file_size(folder / "v.h5"), 8u);

  write_volume(folder / "v.h5", grid, {.overwrite = true}, slabs_of(4, 4));

  EXPECT_EQ(io::VolumeReader(folder / "v.h5").grid(), grid);
}

TEST(VolumeWriting, RefusesAFileThatAnotherRunIsWriting) {
  const TempFolder folder;
  const auto grid = grid_of(4, 4, 4);
  io::VolumeWriter first(folder / "v.h5", grid, {});

  const Thrown thrown = thrown_by([&] { io::VolumeWriter(folder / "v.h5", grid, {.overwrite = true}); });

  EXPECT_EQ(thrown.kind, ErrorKind::io);
  EXPECT_NE(thrown.message.find("another run"), std::string::npos) << thrown.message;
  first.write(0, slab_at(grid, 0, 4).view());
  first.finish({});
  EXPECT_EQ(io::VolumeReader(folder / "v.h5").grid(), grid);
}

TEST(VolumeWriting, TakesOverWhatAKilledRunLeft) {
  const TempFolder folder;
  put_file(folder / "v.h5.partial", std::string(100000, 'x'));

  write_volume(folder / "v.h5", grid_of(4, 4, 4), {}, slabs_of(4, 4));

  EXPECT_EQ(io::VolumeReader(folder / "v.h5").grid(), grid_of(4, 4, 4));
  EXPECT_FALSE(std::filesystem::exists(folder / "v.h5.partial"));
}

TEST(VolumeWriting, NamesTheFolderThatIsMissing) {
  const TempFolder folder;
  const Thrown thrown = thrown_by([&] { io::VolumeWriter(folder / "no/v.h5", grid_of(4, 4, 4), {}); });
  EXPECT_EQ(thrown.kind, ErrorKind::io);
  EXPECT_NE(thrown.message.find("no/v.h5"), std::string::npos) << thrown.message;
}

TEST(VolumeWriting, AsksForRoomBeforeItStarts) {
  const TempFolder folder;
  const int huge = 30000;  // 98 TiB

  const Thrown thrown = thrown_by([&] { io::VolumeWriter(folder / "v.h5", grid_of(huge, huge, huge), {}); });

  EXPECT_EQ(thrown.kind, ErrorKind::io);
  EXPECT_NE(thrown.message.find("room"), std::string::npos) << thrown.message;
  EXPECT_TRUE(is_empty(folder));
}

/// Files may not grow beyond `bytes` while it lives: writes fail as they do on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

class VolumeWritingToAFullDisk : public ::testing::TestWithParam<int> {};

TEST_P(VolumeWritingToAFullDisk, SaysSoAndLeavesNothing) {
  const TempFolder folder;
  const auto grid = grid_of(200, 200, 200);
  Thrown thrown;
  {
    const FullDisk disk(1 << 18);
    thrown =
        thrown_by([&] { write_volume(folder / "v.h5", grid, {.deflate = GetParam()}, slabs_of(200, 37)); });
  }
  EXPECT_EQ(thrown.kind, ErrorKind::io);
  EXPECT_NE(thrown.message.find("v.h5"), std::string::npos) << thrown.message;
  EXPECT_NE(thrown.message.find("30.5 MiB"), std::string::npos) << thrown.message;
  EXPECT_NE(thrown.message.find("File too large"), std::string::npos) << thrown.message;
  EXPECT_TRUE(is_empty(folder));
  write_volume(folder / "v.h5", grid, {}, slabs_of(200, 64));
  EXPECT_EQ(io::VolumeReader(folder / "v.h5").grid(), grid);
}

INSTANTIATE_TEST_SUITE_P(Deflate, VolumeWritingToAFullDisk, ::testing::Values(0, 1));

TEST(VolumeReading, RefusesWhatIsNoVolume) {
  const TempFolder folder;
  put_file(folder / "text.h5", "not HDF5 at all");
  H5Fclose(H5Fcreate((folder / "other.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));

  for (const char* name : {"text.h5", "other.h5"}) {
    const Thrown thrown = thrown_by([&] { io::VolumeReader{folder / name}; });
    EXPECT_EQ(thrown.kind, ErrorKind::bad_file) << name;
    EXPECT_NE(thrown.message.find(name), std::string::npos) << thrown.message;
  }
}

TEST(VolumeReading, NamesAFileThatIsNotThere) {
  const Thrown thrown = thrown_by([] { io::VolumeReader("nothing.h5"); });
  EXPECT_EQ(thrown.kind, ErrorKind::io);
  EXPECT_NE(thrown.message.find("nothing.h5"), std::string::npos) << thrown.message;
}

TEST(VolumeReading, RefusesATruncatedFile) {
  const TempFolder folder;
  write_volume(folder / "v.h5", grid_of(100, 100, 40), {}, slabs_of(40, 40));
  const auto size = std::filesystem::file_size(folder / "v.h5");

  for (const auto kept : {size - 1, size / 2, std::uintmax_t{3000}, std::uintmax_t{40}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(folder / "v.h5", kept);
    const Thrown thrown = thrown_by([&] { io::VolumeReader{folder / "v.h5"}; });
    EXPECT_EQ(thrown.kind, ErrorKind::bad_file) << kept;
    EXPECT_NE(thrown.message.find("v.h5"), std::string::npos) << thrown.message;
  }
}

TEST(VolumeReading, SaysWhenCompressedVoxelsAreDamaged) {
  const TempFolder folder;
  write_volume(folder / "v.h5", grid_of(128, 128, 16), {.deflate = 1}, slabs_of(16, 16));
  haddr_t begin = 0;
  hsize_t size = 0;
  {
    const hid_t file = H5Fopen((folder / "v.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t data = H5Dopen2(file, "/entry/data/data", H5P_DEFAULT), space = H5Dget_space(data);
    ASSERT_GE(H5Dget_chunk_info(data, space, 0, nullptr, nullptr, &begin, &size), 0);
    H5Sclose(space), H5Dclose(data), H5Fclose(file);
    std::fstream damaged(folder / "v.h5", std::ios::in | std::ios::out | std::ios::binary);
    for (hsize_t at = 0; at < size; at += 64) damaged.seekp(static_cast<std::streamoff>(begin + at)).put('?');
  }
  const io::VolumeReader volume(folder / "v.h5");

  const Thrown thrown = thrown_by([&] { (void)volume.read(0, 128, 0, 128, 0, 16); });

  EXPECT_EQ(thrown.kind, ErrorKind::io);
  EXPECT_NE(thrown.message.find("v.h5"), std::string::npos) << thrown.message;
}

}  // namespace
}  // namespace feldspar
