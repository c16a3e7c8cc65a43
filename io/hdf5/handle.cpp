#include "io/hdf5/handle.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace feldspar::io {
namespace {

Hdf5Id text_type() {
  Hdf5Id type(H5Tcopy(H5T_C_S1), H5Tclose, "cannot make a text type");
  check_hdf5(H5Tset_size(type, H5T_VARIABLE), "cannot make a text type");
  check_hdf5(H5Tset_cset(type, H5T_CSET_UTF8), "cannot make a text type");
  return type;
}

Hdf5Id scalar_space() { return {H5Screate(H5S_SCALAR), H5Sclose, "cannot make a data space"}; }

void put_attribute(hid_t object, const std::string& name, hid_t type, hid_t space, const void* values) {
  const Hdf5Id attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                         "cannot write the attribute " + name);
  check_hdf5(H5Awrite(attribute, type, values), "cannot write the attribute " + name);
}

}  // namespace

void fail_hdf5(std::string_view doing) {
  std::string reason;
  const auto innermost = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    auto& text = *static_cast<std::string*>(out);
    if (text.empty() && error->desc) text = error->desc;
    return 0;
  };
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &reason);
  throw Error(ErrorKind::io, fmt::format("{}{}{}", doing, reason.empty() ? "" : ": ", reason));
}

void silence_hdf5() { (void)H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

Hdf5Id make_group(hid_t parent, const std::string& name, const std::string& nx_class) {
  Hdf5Id group(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose,
               "cannot make the group " + name);
  write_attribute(group, "NX_class", nx_class);
  return group;
}

void write_text(hid_t parent, const std::string& name, const std::string& value) {
  const Hdf5Id type = text_type(), space = scalar_space();
  const Hdf5Id dataset(H5Dcreate2(parent, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose,
                       "cannot write the text " + name);
  const char* text = value.c_str();
  check_hdf5(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text), "cannot write the text " + name);
}

void write_attribute(hid_t object, const std::string& name, const std::string& value) {
  const char* text = value.c_str();
  put_attribute(object, name, text_type(), scalar_space(), &text);
}

void write_attribute(hid_t object, const std::string& name, const std::vector<std::string>& values) {
  std::vector<const char*> texts;
  for (const std::string& value : values) texts.push_back(value.c_str());
  const hsize_t count = texts.size();
  put_attribute(object, name, text_type(), Hdf5Id(H5Screate_simple(1, &count, nullptr), H5Sclose, "cannot make a data space"),
                texts.data());
}

void write_attribute(hid_t object, const std::string& name, const std::vector<double>& values) {
  const hsize_t count = values.size();
  put_attribute(object, name, H5T_NATIVE_DOUBLE,
                Hdf5Id(H5Screate_simple(1, &count, nullptr), H5Sclose, "cannot make a data space"), values.data());
}

void write_attribute(hid_t object, const std::string& name, int value) {
  put_attribute(object, name, H5T_NATIVE_INT, scalar_space(), &value);
}

std::string read_text(hid_t parent, const std::string& path) {
  for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1))
    if (H5Lexists(parent, path.substr(0, at).c_str(), H5P_DEFAULT) <= 0) return {};
  if (H5Lexists(parent, path.c_str(), H5P_DEFAULT) <= 0) return {};
  const Hdf5Id dataset(H5Dopen2(parent, path.c_str(), H5P_DEFAULT), H5Dclose, "cannot read " + path);
  const Hdf5Id type = text_type(), stored(H5Dget_type(dataset), H5Tclose, "cannot read " + path);
  if (H5Tis_variable_str(stored) <= 0) return {};
  char* text = nullptr;
  check_hdf5(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text), "cannot read " + path);
  std::string value = text ? text : "";
  (void)H5free_memory(text);
  return value;
}

}  // namespace feldspar::io
