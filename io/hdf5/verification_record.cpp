// Adds to a finished volume what its verification found.
#include <fmt/format.h>

#include "base/error.hpp"
#include "io/hdf5/handle.hpp"
#include "io/hdf5/layout.hpp"
#include "io/hdf5/text.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::io {

void store_verification(const std::filesystem::path& path, const Record& verification) {
  using namespace hdf5;
  silence();
  try {
    File file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), "opening the file");
    {
      const Group entry(H5Gopen2(file, layout::entry, H5P_DEFAULT), "opening the entry");
      if (H5Lexists(entry, layout::verification, H5P_DEFAULT) > 0)
        check(H5Ldelete(entry, layout::verification, H5P_DEFAULT), "replacing the verification");
      put_record(make_group(entry, layout::verification, "NXcollection"), verification);
    }
    file.close("closing the file");
  } catch (const Failure& failure) {
    throw Error(ErrorKind::io,
                fmt::format("{}: the verification cannot be stored: {}", path.string(), failure.what()));
  }
}

}  // namespace feldspar::io
