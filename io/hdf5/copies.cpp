#include "io/hdf5/copies.hpp"

#include <algorithm>
#include <cstddef>

namespace feldspar::io::hdf5 {
namespace {

void copy_attribute(hid_t from, hid_t to, const std::string& name) {
  const Attribute source(H5Aopen(from, name.c_str(), H5P_DEFAULT), "opening an attribute");
  const Type type(H5Aget_type(source), "asking for an attribute's type");
  const Space space(H5Aget_space(source), "asking for an attribute's extent");
  const auto count = check(H5Sget_simple_extent_npoints(space), "counting values");
  std::vector<std::byte> values(static_cast<std::size_t>(count) * H5Tget_size(type));
  check(H5Aread(source, type, values.data()), "reading an attribute");
  {
    const Attribute copy(H5Acreate2(to, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                         "making an attribute");
    check(H5Awrite(copy, type, values.data()), "writing an attribute");
  }
  if (H5Tdetect_class(type, H5T_STRING) > 0 || H5Tdetect_class(type, H5T_VLEN) > 0)
    check(H5Dvlen_reclaim(type, space, H5P_DEFAULT, values.data()), "freeing an attribute's texts");
}

/// The names that H5Aiterate2 and H5Literate find.
struct Names {
  static herr_t add_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
  }
  static herr_t add_link(hid_t, const char* name, const H5L_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
  }
};

}  // namespace

void copy_attributes(hid_t from, hid_t to) {
  std::vector<std::string> names;
  check(H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, nullptr, Names::add_attribute, &names),
        "listing attributes");
  for (const std::string& name : names)
    if (check(H5Aexists(to, name.c_str()), "asking for an attribute") == 0) copy_attribute(from, to, name);
}

void copy_members(hid_t from, hid_t to, const std::vector<std::string>& except) {
  std::vector<std::string> names;
  check(H5Literate(from, H5_INDEX_NAME, H5_ITER_INC, nullptr, Names::add_link, &names), "listing a group");
  for (const std::string& name : names)
    if (std::find(except.begin(), except.end(), name) == except.end())
      check(H5Ocopy(from, name.c_str(), to, name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
            ("copying " + name).c_str());
}

}  // namespace feldspar::io::hdf5
