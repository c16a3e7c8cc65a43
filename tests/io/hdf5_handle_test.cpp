// Datasets that hold less than their extent says, which HDF5 1.10 would read beyond.
#include "io/hdf5/handle.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/temp_folder.hpp"

namespace feldspar::io::hdf5 {
namespace {

/// A file with four numbers inside the header of their dataset.
void write_compact(const std::filesystem::path& path) {
  const double values[] = {1.5, 2.5, 3.5, 4.5};
  const hsize_t size = 4;
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t space = H5Screate_simple(1, &size, nullptr), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_layout(creation, H5D_COMPACT);
  const hid_t set = H5Dcreate2(file, "a", H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  H5Dclose(set), H5Pclose(creation), H5Sclose(space), H5Fclose(file);
}

TEST(Hdf5Handle, NoticesADatasetThatHoldsLessThanItSays) {
  silence();
  const testing::TempFolder folder;
  write_compact(folder / "a.h5");
  {
    const File whole(H5Fopen((folder / "a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening");
    EXPECT_NO_THROW((void)open_dataset(whole, "a", "reading"));
  }
  std::ostringstream content;
  content << std::ifstream(folder / "a.h5", std::ios::binary).rdbuf();
  std::string bytes = content.str();
  const std::string layout("\x03\x00\x20\x00", 4);  // version 3, compact, 32 bytes
  const std::size_t at = bytes.find(layout);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 2] = 8;
  std::ofstream(folder / "b.h5", std::ios::binary) << bytes;

  const File damaged(H5Fopen((folder / "b.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening");

  EXPECT_THROW((void)open_dataset(damaged, "a", "reading"), Failure);
}

}  // namespace
}  // namespace feldspar::io::hdf5
