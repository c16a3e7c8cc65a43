// Values that a file names but does not hold: virtual sources, chunks, external files, filters, locks. The
// HDF5 library reads the first three as zeros, which would be black projections.
#include "io/hdf5/dataset_storage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <numbers>

#include "io/open_scan.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/failure.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;

constexpr hsize_t frames = 12, rows = 4, columns = 6;
constexpr hsize_t whole[] = {frames, rows, columns};

/// Counts of `count` frames, each 100 more than the one before; the last two are a flat and a dark.
std::vector<std::uint16_t> counts_of(hsize_t first, hsize_t count) {
  std::vector<std::uint16_t> counts;
  for (hsize_t n = first; n < first + count; ++n)
    counts.insert(counts.end(), rows * columns,
                  static_cast<std::uint16_t>(n == 11   ? 10
                                             : n == 10 ? 9000
                                                       : 100 * n + 100));
  return counts;
}

hid_t make_set(hid_t file, const char* name, hid_t type, std::span<const hsize_t> size, hid_t creation,
               const void* values) {
  const hid_t space = H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr),
              links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t set = H5Dcreate2(file, name, type, space, links, creation, H5P_DEFAULT);
  EXPECT_GE(set, 0) << name;
  if (values) {
    EXPECT_GE(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0) << name;
  }
  H5Pclose(links), H5Sclose(space);
  return set;
}

constexpr const char* data_place = "/entry/instrument/detector/data";

/// All of an NXtomo file but its frames: ten projections, a flat and a dark.
hid_t begin_scan(const fs::path& path) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  std::vector<double> angles(frames);
  for (std::size_t n = 0; n < frames; ++n) angles[n] = 18.0 * static_cast<double>(n);
  const std::vector<int> keys{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2};
  const hsize_t count[] = {frames};
  H5Dclose(
      make_set(file, "/entry/sample/rotation_angle", H5T_NATIVE_DOUBLE, count, H5P_DEFAULT, angles.data()));
  H5Dclose(make_set(file, "/entry/instrument/detector/image_key", H5T_NATIVE_INT, count, H5P_DEFAULT,
                    keys.data()));
  return file;
}

/// The frames in a virtual dataset of files q0.h5, q1.h5 ... of `each` frames, under one mapping for each
/// file.
void write_virtual(const fs::path& path, hsize_t each) {
  const hid_t file = begin_scan(path), creation = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t part[] = {each, rows, columns};
  for (hsize_t n = 0; n * each < frames; ++n) {
    const std::string name = fmt::format("q{}.h5", n);
    const hid_t source =
        H5Fcreate((path.parent_path() / name).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(make_set(source, "/d", H5T_NATIVE_UINT16, part, H5P_DEFAULT, counts_of(n * each, each).data()));
    H5Fclose(source);
    const hid_t to = H5Screate_simple(3, whole, nullptr), from = H5Screate_simple(3, part, nullptr);
    const hsize_t start[] = {n * each, 0, 0};
    H5Sselect_hyperslab(to, H5S_SELECT_SET, start, nullptr, part, nullptr);
    H5Pset_virtual(creation, to, name.c_str(), "/d", from);
    H5Sclose(to), H5Sclose(from);
  }
  H5Dclose(make_set(file, data_place, H5T_NATIVE_UINT16, whole, creation, nullptr));
  H5Pclose(creation), H5Fclose(file);
}

/// The first count of every view.
std::vector<int> first_counts(const ScanSource& source) {
  std::vector<int> firsts;
  for (int view = 0; view < static_cast<int>(source.scan().angles.size()); ++view) {
    std::uint16_t count = 0;
    source.read(std::span(&view, 1), {{0, 1}, {0, 1}}, &count);
    firsts.push_back(count);
  }
  return firsts;
}

TEST(DatasetStorage, AVirtualDatasetIsReadAndItsSourcesAreInputs) {
  const testing::TempFolder folder;
  write_virtual(folder / "v.nxs", 3);

  const auto source = open_scan(folder / "v.nxs");

  EXPECT_EQ(first_counts(*source), (std::vector<int>{100, 200, 300, 400, 500, 600, 700, 800, 900, 1000}));
  ASSERT_EQ(source->files().size(), 5U);
  EXPECT_EQ(source->files()[4].filename(), "q3.h5");
}

TEST(DatasetStorage, AMissingSourceIsRefusedByNameOrItsViewsLeftOut) {
  const testing::TempFolder folder;
  write_virtual(folder / "v.nxs", 3);
  fs::remove(folder / "q1.h5");

  expect_error(ErrorKind::bad_file,
               {"v.nxs", data_place, "frames 3 to 5", "q1.h5 is missing", "allow-missing"},
               [&] { (void)open_scan(folder / "v.nxs"); });
  const auto source = open_scan(folder / "v.nxs", {.allow_missing = true});

  EXPECT_EQ(first_counts(*source), (std::vector<int>{100, 200, 300, 700, 800, 900, 1000}));
  EXPECT_NEAR(source->scan().angles[3] - source->scan().angles[2], -4 * 18 * std::numbers::pi / 180, 1e-12);
  EXPECT_EQ(testing::count_with(source->findings(), {"frames 3 to 5", "q1.h5", "left out"}), 1);
}

TEST(DatasetStorage, SourcesThatAreDamagedEmptyOrTooShortAreMissingToo) {
  const testing::TempFolder folder;
  const auto refuses = [&](const char* why) {
    SCOPED_TRACE(why);
    expect_error(ErrorKind::bad_file, {"frames 3 to 5", "q1.h5", why},
                 [&] { (void)open_scan(folder / "v.nxs"); });
  };
  write_virtual(folder / "v.nxs", 3);
  std::ofstream(folder / "q1.h5") << "text";
  refuses("cannot be opened as HDF5");

  hid_t file = H5Fcreate((folder / "q1.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  refuses("holds no /d");

  const hsize_t two[] = {2, rows, columns};
  file = H5Fcreate((folder / "q1.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Dclose(make_set(file, "/d", H5T_NATIVE_UINT16, two, H5P_DEFAULT, counts_of(3, 2).data()));
  H5Fclose(file);
  refuses("shorter");
}

// An acquisition that writes file after file: the library numbers them by itself, and goes over a gap.
TEST(DatasetStorage, NumberedSourcesAreLookedForOneByOne) {
  const testing::TempFolder folder;
  write_virtual(folder / "plain.nxs", 3);
  const hid_t file = begin_scan(folder / "v.nxs"), creation = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t part[] = {3, rows, columns}, endless[] = {H5S_UNLIMITED, rows, columns}, start[] = {0, 0, 0},
                count[] = {H5S_UNLIMITED, 1, 1};
  const hid_t to = H5Screate_simple(3, whole, endless), from = H5Screate_simple(3, part, nullptr);
  H5Sselect_hyperslab(to, H5S_SELECT_SET, start, part, count, part);
  ASSERT_GE(H5Pset_virtual(creation, to, "q%b.h5", "/d", from), 0);
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  const hid_t space = H5Screate_simple(3, whole, endless);
  H5Dclose(H5Dcreate2(file, data_place, H5T_NATIVE_UINT16, space, links, creation, H5P_DEFAULT));
  H5Sclose(to), H5Sclose(from), H5Sclose(space), H5Pclose(links), H5Pclose(creation), H5Fclose(file);

  EXPECT_EQ(first_counts(*open_scan(folder / "v.nxs")).size(), 10U);
  fs::remove(folder / "q1.h5");

  expect_error(ErrorKind::bad_file, {"frames 3 to 5", "q1.h5 is missing"},
               [&] { (void)open_scan(folder / "v.nxs"); });
}

TEST(DatasetStorage, ChunksThatWereNeverWrittenAreMissing) {
  const testing::TempFolder folder;
  const hid_t file = begin_scan(folder / "c.nxs"), creation = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t chunk[] = {2, rows, 3}, some[] = {8, rows, columns}, start[] = {0, 0, 0};
  H5Pset_chunk(creation, 3, chunk);
  const hid_t set = make_set(file, data_place, H5T_NATIVE_UINT16, whole, creation, nullptr);
  const hid_t to = H5Screate_simple(3, whole, nullptr), from = H5Screate_simple(3, some, nullptr);
  H5Sselect_hyperslab(to, H5S_SELECT_SET, start, nullptr, some, nullptr);
  H5Dwrite(set, H5T_NATIVE_UINT16, from, to, H5P_DEFAULT, counts_of(0, 8).data());
  const hsize_t flat[] = {2, rows, columns}, at[] = {10, 0, 0};
  const hid_t two = H5Screate_simple(3, flat, nullptr);
  H5Sselect_hyperslab(to, H5S_SELECT_SET, at, nullptr, flat, nullptr);
  H5Dwrite(set, H5T_NATIVE_UINT16, two, to, H5P_DEFAULT, counts_of(10, 2).data());
  H5Sclose(to), H5Sclose(from), H5Sclose(two), H5Dclose(set), H5Pclose(creation), H5Fclose(file);

  expect_error(ErrorKind::bad_file, {"frames 8 to 9", "never written", "allow-missing"},
               [&] { (void)open_scan(folder / "c.nxs"); });
  EXPECT_EQ(first_counts(*open_scan(folder / "c.nxs", {.allow_missing = true})).size(), 8U);
}

/// The frames in `name`, an external file, of which the dataset states `bytes`.
void write_external(const fs::path& path, const char* name, hsize_t bytes) {
  const hid_t file = begin_scan(path), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(creation, name, 0, bytes);
  H5Dclose(make_set(file, data_place, H5T_NATIVE_UINT16, whole, creation, nullptr));
  H5Pclose(creation), H5Fclose(file);
}

TEST(DatasetStorage, ExternalFilesAreReadInsideTheScansFolderOnly) {
  const testing::TempFolder folder;
  const auto counts = counts_of(0, frames);
  const hsize_t bytes = counts.size() * sizeof counts[0];
  fs::create_directories(folder / "scan/raw");
  for (const char* const name : {"scan/raw/f.raw", "secret.raw"})
    std::ofstream(folder / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(counts.data()), static_cast<std::streamsize>(bytes));

  write_external(folder / "scan/e.nxs", "raw/f.raw", bytes);
  const auto source = open_scan(folder / "scan/e.nxs");
  EXPECT_EQ(first_counts(*source)[9], 1000);
  EXPECT_EQ(source->files().back().filename(), "f.raw");

  for (const std::string& outside : {std::string("../secret.raw"), (folder / "secret.raw").string()}) {
    write_external(folder / "scan/o.nxs", outside.c_str(), bytes);
    expect_error(ErrorKind::bad_file, {"o.nxs", "secret.raw", "outside the folder"},
                 [&] { (void)open_scan(folder / "scan/o.nxs"); });
  }
  fs::create_symlink(folder / "secret.raw", folder / "scan/raw/s.raw");
  write_external(folder / "scan/o.nxs", "raw/s.raw", bytes);
  expect_error(ErrorKind::bad_file, {"outside the folder"}, [&] { (void)open_scan(folder / "scan/o.nxs"); });
}

TEST(DatasetStorage, ExternalFilesThatAreShortOrMissingAreNoZeros) {
  const testing::TempFolder folder;
  const hsize_t bytes = frames * rows * columns * 2;
  write_external(folder / "e.nxs", "f.raw", bytes);
  expect_error(ErrorKind::bad_file, {"f.raw is missing"}, [&] { (void)open_scan(folder / "e.nxs"); });

  std::ofstream(folder / "f.raw", std::ios::binary) << std::string(bytes - 1, 'x');

  expect_error(ErrorKind::bad_file, {"f.raw is shorter"}, [&] { (void)open_scan(folder / "e.nxs"); });
}

std::size_t copy_bytes(unsigned, std::size_t, const unsigned*, std::size_t bytes, std::size_t*, void**) {
  return bytes;
}

constexpr H5Z_filter_t bitshuffle = 32008;

void write_filtered(const fs::path& path, unsigned flags) {
  const hid_t file = begin_scan(path), creation = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t chunk[] = {1, rows, columns};
  H5Pset_chunk(creation, 3, chunk);
  H5Pset_filter(creation, bitshuffle, flags, 0, nullptr);
  H5Dclose(make_set(file, data_place, H5T_NATIVE_UINT16, whole, creation, counts_of(0, frames).data()));
  H5Pclose(creation), H5Fclose(file);
}

TEST(DatasetStorage, AMissingFilterIsNamedWithItsRemedy) {
  const testing::TempFolder folder;
  const H5Z_class2_t filter{H5Z_CLASS_T_VERS, bitshuffle, 1, 1, "copies", nullptr, nullptr, copy_bytes};
  ASSERT_GE(H5Zregister(&filter), 0);
  write_filtered(folder / "f.nxs", H5Z_FLAG_MANDATORY);
  EXPECT_EQ(first_counts(*open_scan(folder / "f.nxs"))[9], 1000);
  H5Zunregister(bitshuffle);
  if (H5Zfilter_avail(bitshuffle) > 0) GTEST_SKIP() << "a plugin for bitshuffle is installed";

  expect_error(ErrorKind::unsupported,
               {"f.nxs", data_place, "bitshuffle", "32008", "HDF5_PLUGIN_PATH", "h5repack"},
               [&] { (void)open_scan(folder / "f.nxs"); });
}

TEST(DatasetStorage, AnOptionalFilterThatTheWriterSkippedIsNoHindrance) {
  const testing::TempFolder folder;
  write_filtered(folder / "f.nxs", H5Z_FLAG_OPTIONAL);

  EXPECT_EQ(first_counts(*open_scan(folder / "f.nxs"))[9], 1000);
}

TEST(DatasetStorage, AFileThatIsBeingWrittenIsBusyNotDamaged) {
  const testing::TempFolder folder;
  write_virtual(folder / "v.nxs", 3);
  const int other = ::open((folder / "v.nxs").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0);

  expect_error(ErrorKind::io, {"v.nxs", "locked", "HDF5_USE_FILE_LOCKING"},
               [&] { (void)open_scan(folder / "v.nxs"); });
  ::close(other);

  EXPECT_EQ(first_counts(*open_scan(folder / "v.nxs")).size(), 10U);
}

TEST(DatasetStorage, ListsIndicesAsPeopleDo) {
  EXPECT_EQ(hdf5::listed({3}), "3");
  EXPECT_EQ(hdf5::listed({0, 1, 2, 7, 9, 10}), "0 to 2, 7, 9 to 10");
}

}  // namespace
}  // namespace feldspar::io
