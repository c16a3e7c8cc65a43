// Files in the making: what cannot be written is never forgotten, and what is not ours is never touched.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/hdf5/output_file.hpp"
#include "io/hdf5/slab_journal.hpp"
#include "io/hdf5/text.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

using io::PartialFile;
using io::hdf5::OutputFile;
using testing::expect_error;
using testing::TempFolder;

void put(const std::filesystem::path& path) { std::ofstream(path) << "precious"; }

/// Files may not grow beyond `bytes` while it lives.
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

TEST(OutputFile, RemembersAWriteThatFailedWhileAnObjectWasClosed) {
  const TempFolder folder;
  io::hdf5::silence();
  PartialFile partial(folder / "a.h5", false);
  OutputFile file = OutputFile::create(partial);
  {
    const FullDisk disk(0);
    // The values stay in the library until the dataset is closed, by a destructor that cannot say anything.
    (void)io::hdf5::put_numbers(file, "values", std::vector<double>(2000, 1.5));
  }
  EXPECT_THROW(file.close(), io::hdf5::Failure);
  expect_error(ErrorKind::io, {"a.h5.partial", "File too large"}, [&] { partial.publish(); });
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5"));
}

TEST(OutputFile, IsNotClosedWhileSomethingOfItIsOpen) {
  const TempFolder folder;
  io::hdf5::silence();
  PartialFile partial(folder / "a.h5", false);
  OutputFile file = OutputFile::create(partial);
  const auto forgotten = io::hdf5::put_numbers(file, "values", std::vector<double>(3, 1.5));

  EXPECT_THROW(file.close(), io::hdf5::Failure);
}

TEST(OutputFile, IsReadBackAsItWasWritten) {
  const TempFolder folder;
  io::hdf5::silence();
  PartialFile partial(folder / "a.h5", false);
  OutputFile file = OutputFile::create(partial);
  io::hdf5::put_text(file, "title", "first");
  file.close();
  file = OutputFile::reopen(partial);
  io::hdf5::put_text(file, "more", "second");
  file.close();
  partial.publish();

  const io::hdf5::File read(H5Fopen((folder / "a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening");
  EXPECT_EQ(io::hdf5::get_text(read, "title"), "first");
  EXPECT_EQ(io::hdf5::get_text(read, "more"), "second");
}

TEST(PartialFile, NeitherFollowsNorReplacesWhatNoRunCanHaveLeft) {
  const TempFolder folder;
  put(folder / "precious");
  const auto partial = folder / "a.h5.partial";
  const auto refused = [&](const char* why) {
    expect_error(ErrorKind::io, {"a.h5.partial", why}, [&] { PartialFile(folder / "a.h5", true); });
    EXPECT_EQ(read_text(folder / "precious", 100), "precious") << why;
    std::filesystem::remove(partial);
  };

  std::filesystem::create_symlink(folder / "precious", partial);
  refused("symbolic link");
  std::filesystem::create_symlink(folder / "not there", partial);
  refused("symbolic link");
  EXPECT_FALSE(std::filesystem::exists(folder / "not there"));
  std::filesystem::create_hard_link(folder / "precious", partial);
  refused("second name");
  ASSERT_EQ(::mkfifo(partial.c_str(), 0600), 0);
  refused("no regular file");
}

TEST(PartialFile, IsNotPublishedAfterAFailedWrite) {
  const TempFolder folder;
  PartialFile partial(folder / "a", false);
  {
    const FullDisk disk(10);
    partial.write(0, "0123456789abc", 13);
  }
  partial.write(10, "abc", 3);
  EXPECT_EQ(partial.error(), EFBIG);
  expect_error(ErrorKind::io, {"a.partial", "File too large"}, [&] { partial.sync(); });
  expect_error(ErrorKind::io, {"a.partial", "File too large"}, [&] { partial.publish(); });
}

TEST(SlabJournal, LeavesAloneWhatIsNoJournal) {
  const TempFolder folder;
  put(folder / "precious");
  for (const bool link : {false, true}) {
    if (link)
      std::filesystem::create_symlink(folder / "precious", folder / "a.journal");
    else
      put(folder / "a.journal");
    io::SlabJournal journal(folder / "a.journal", "one");

    journal.remove();
    expect_error(ErrorKind::io, {"a.journal", "no journal"}, [&] { (void)journal.read(); });
    expect_error(ErrorKind::io, {"a.journal", "no journal"}, [&] { journal.begin({}); });

    EXPECT_EQ(read_text(folder / "a.journal", 100), "precious");
    EXPECT_EQ(std::filesystem::is_symlink(folder / "a.journal"), link);
    std::filesystem::remove(folder / "a.journal");
  }
  EXPECT_EQ(read_text(folder / "precious", 100), "precious");
}

TEST(SlabJournal, IsMadeBesideALinkThatItDoesNotFollow) {
  const TempFolder folder;
  put(folder / "precious");
  std::filesystem::create_symlink(folder / "precious", folder / "a.journal.new");

  io::SlabJournal journal(folder / "a.journal", "one");

  expect_error(ErrorKind::io, {"a.journal.new"}, [&] { journal.begin({}); });
  EXPECT_EQ(read_text(folder / "precious", 100), "precious");
}

}  // namespace
}  // namespace feldspar
