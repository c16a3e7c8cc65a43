// Prints a line for each dataset and attribute of an HDF5 file, its path and a hash of its extent and values,
// so that two files can be compared whatever their layout: hdf5_digest FILE.
#include <hdf5.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "hdf5_digest: %s\n", what.c_str());
  std::exit(1);
}

struct Sum {
  std::uint64_t value = 14695981039346656037U;  // FNV-1a
  void add(const void* bytes, std::size_t count) {
    for (const auto* at = static_cast<const unsigned char*>(bytes); count > 0; --count, ++at)
      value = (value ^ *at) * 1099511628211U;
  }
};

/// `read` fills a buffer with values of the type that it is given.
template <class Read>
void print(const std::string& path, hid_t space, hid_t stored, Read read) {
  Sum sum;
  std::vector<hsize_t> extent(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
  H5Sget_simple_extent_dims(space, extent.data(), nullptr);
  sum.add(extent.data(), extent.size() * sizeof(hsize_t));
  const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
  const hid_t type = H5Tget_native_type(stored, H5T_DIR_ASCEND);
  const std::size_t size = H5Tget_size(type);
  sum.add(&size, sizeof size);
  std::vector<unsigned char> values(count * size + 1);
  if (count > 0 && read(type, values.data()) < 0) fail(path + " cannot be read");
  if (H5Tis_variable_str(stored) > 0) {
    for (std::size_t n = 0; n < count; ++n) {
      const char* text = nullptr;
      std::memcpy(&text, values.data() + n * size, sizeof text);
      if (text) sum.add(text, std::strlen(text) + 1);
    }
  } else {
    sum.add(values.data(), count * size);
  }
  std::printf("%s %016llx\n", path.c_str(), static_cast<unsigned long long>(sum.value));
}

void visit(hid_t object, const std::string& path) {
  for (int n = 0, count = H5Aget_num_attrs(object); n < count; ++n) {
    const hid_t attribute = H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, static_cast<hsize_t>(n),
                                           H5P_DEFAULT, H5P_DEFAULT);
    char name[256] = "";
    if (attribute < 0 || H5Aget_name(attribute, sizeof name, name) < 0)
      fail("an attribute of " + path + " cannot be opened");
    print(path + "@" + name, H5Aget_space(attribute), H5Aget_type(attribute),
          [&](hid_t type, void* to) { return H5Aread(attribute, type, to); });
  }
  if (H5Iget_type(object) == H5I_DATASET) {
    print(path, H5Dget_space(object), H5Dget_type(object),
          [&](hid_t type, void* to) { return H5Dread(object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to); });
    return;
  }
  H5G_info_t info{};
  if (H5Gget_info(object, &info) < 0) fail(path + " cannot be listed");
  for (hsize_t n = 0; n < info.nlinks; ++n) {
    char name[1024] = "";
    if (H5Lget_name_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, n, name, sizeof name, H5P_DEFAULT) < 0)
      fail("a member of " + path + " has no name");
    const hid_t member = H5Oopen(object, name, H5P_DEFAULT);
    if (member < 0) fail(path + name + " cannot be opened");
    visit(member, path + name + (H5Iget_type(member) == H5I_GROUP ? "/" : ""));
    H5Oclose(member);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) fail("give one file");
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const hid_t file = H5Fopen(argv[1], H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) fail(std::string(argv[1]) + " cannot be opened");
  visit(file, "/");
  return 0;
}
