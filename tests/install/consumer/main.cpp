// Lists the devices and plans a volume, with nothing but what is installed.
#include <cstdio>
#include <feldspar/base/version.hpp>
#include <feldspar/geometry/volume_grid.hpp>
#include <feldspar/io/open_scan.hpp>
#include <feldspar/kernels/backend.hpp>

int main() {
  const auto grid = feldspar::geometry::centred_grid(10, 10, 10, 0.1);
  std::printf("feldspar %s\n", feldspar::version);
  for (const auto& device : feldspar::kernels::list_devices()) std::printf("%s\n", device.name.c_str());
  try {
    (void)feldspar::io::open_scan("/no/such/scan");
  } catch (const std::exception&) {
    return grid.voxels() == 1000 ? 0 : 1;
  }
  return 2;
}
