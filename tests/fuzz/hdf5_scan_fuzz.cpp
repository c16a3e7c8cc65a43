// NXtomo and Data Exchange files.
#include <hdf5.h>

#include "tests/fuzz/fuzz_target.hpp"

namespace {

void put(hid_t file, const char* name, hid_t type, const std::vector<hsize_t>& size, const void* values) {
  const hid_t space = H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr);
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(creation, false);  // the same bytes every time, so that a round can be repeated
  const hid_t set = H5Dcreate2(file, name, type, space, links, creation, H5P_DEFAULT);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  H5Dclose(set), H5Pclose(creation), H5Pclose(links), H5Sclose(space);
}

void put_text(hid_t file, const char* name, const std::string& text) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, text.size());
  put(file, name, type, {1}, text.data());
  H5Tclose(type);
}

}  // namespace

std::vector<std::string> feldspar::fuzz::seeds() {
  const std::vector<std::uint16_t> counts(6 * 5 * 4, 1000);
  const std::vector<double> angles{0, 45, 90, 135, 0, 0}, pitch{0.1};
  const std::vector<int> keys{0, 0, 0, 0, 1, 2};
  const auto path = scratch() / "seed.h5";
  hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  put(file, "/exchange/data", H5T_NATIVE_UINT16, {4, 5, 4}, counts.data());
  put(file, "/exchange/data_white", H5T_NATIVE_UINT16, {1, 5, 4}, counts.data());
  put(file, "/exchange/data_dark", H5T_NATIVE_UINT16, {1, 5, 4}, counts.data());
  put(file, "/exchange/theta", H5T_NATIVE_DOUBLE, {4}, angles.data());
  H5Fclose(file);
  const std::string exchange = content_of(path);
  file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  put_text(file, "/entry/definition", "NXtomo");
  put(file, "/entry/instrument/detector/data", H5T_NATIVE_UINT16, {6, 5, 4}, counts.data());
  put(file, "/entry/instrument/detector/image_key", H5T_NATIVE_INT, {6}, keys.data());
  put(file, "/entry/instrument/detector/x_pixel_size", H5T_NATIVE_DOUBLE, {1}, pitch.data());
  put(file, "/entry/instrument/detector/y_pixel_size", H5T_NATIVE_DOUBLE, {1}, pitch.data());
  put(file, "/entry/sample/rotation_angle", H5T_NATIVE_DOUBLE, {6}, angles.data());
  H5Fclose(file);
  return {exchange, content_of(path)};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace feldspar;
  const auto path = fuzz::write_scratch("a.h5", data, size);
  fuzz::expect_errors_only([&] { fuzz::read_scan(path, {.pixel_pitch = 0.1}); });
  return 0;
}
