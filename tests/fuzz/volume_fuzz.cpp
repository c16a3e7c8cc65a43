// Volumes as this program writes them.
#include <algorithm>

#include "io/hdf5/volume_file.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/io/volumes.hpp"

std::vector<std::string> feldspar::fuzz::seeds() {
  std::vector<std::string> files;
  for (const int deflate : {0, 4}) {
    const auto path = scratch() / "seed.h5";
    const auto grid = testing::grid_of(9, 8, 7);
    testing::write_volume(path, grid, {.deflate = deflate, .overwrite = true}, testing::slabs_of(7, 7));
    files.push_back(content_of(path));
  }
  return files;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace feldspar;
  const auto path = fuzz::write_scratch("a.h5", data, size);
  fuzz::expect_errors_only([&] {
    const io::VolumeReader reader(path);
    const auto& grid = reader.grid();
    (void)reader.text("reconstruction/version");
    const int nx = std::min(grid.nx, 32), ny = std::min(grid.ny, 32), nz = std::min(grid.nz, 8);
    (void)reader.read(0, nx, 0, ny, 0, nz);
    (void)reader.read(grid.nx - nx, nx, grid.ny - ny, ny, grid.nz - nz, nz);
  });
  return 0;
}
