#include "io/hdf5/output_file.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "io/hdf5/layout.hpp"
#include "io/hdf5/text.hpp"

namespace feldspar::io::hdf5 {

Properties output_access() {
  Properties access(H5Pcreate(H5P_FILE_ACCESS), "making file properties");
  check(H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST), "choosing the oldest format");
  check(H5Pset_file_locking(access, false, true), "leaving the lock to us");
  return access;
}

File create_output(const std::filesystem::path& path) {
  const Properties access = output_access();
  File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access), "making the file");
  put_attribute(file, "NX_class", "NXroot");
  put_attribute(file, "default", layout::entry);
  put_attribute(file, "creator", "feldspar");
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  put_attribute(file, "file_time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now)));
  return file;
}

}  // namespace feldspar::io::hdf5
