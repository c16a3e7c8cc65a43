// Texts are UTF-8: values with a fixed length, which every reader of HDF5 understands; attributes with a
// variable one, which h5py gives as str instead of bytes.
#include "io/hdf5/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace feldspar::io::hdf5 {
namespace {

/// Length of the UTF-8 sequence at the start of `text`, 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) >= 0xA0;
  const bool beyond = lead == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

Type text_type(std::size_t length) {
  Type type(H5Tcopy(H5T_C_S1), "making a text type");
  check(H5Tset_size(type, std::max<std::size_t>(length, 1)), "setting a text's length");
  check(H5Tset_strpad(type, length == H5T_VARIABLE ? H5T_STR_NULLTERM : H5T_STR_NULLPAD),
        "setting a text's padding");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "setting a text's character set");
  return type;
}

/// Texts of equal length, one behind the other.
struct TextArray {
  explicit TextArray(std::span<const std::string> texts) {
    std::vector<std::string> clean;
    for (const std::string& text : texts) {
      clean.push_back(as_utf8(text));
      length = std::max(length, clean.back().size());
    }
    for (std::string& text : clean) {
      text.resize(length);
      bytes += text;
    }
    bytes.resize(std::max<std::size_t>(bytes.size(), 1));
  }
  std::size_t length = 1;
  std::string bytes;
};

void put_attribute(hid_t object, const char* name, hid_t type, const Space& space, const void* value) {
  const Attribute attribute(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT),
                            "making an attribute");
  check(H5Awrite(attribute, type, value), "writing an attribute");
}

Dataset put_dataset(hid_t group, const std::string& name, hid_t type, const Space& space, const void* value) {
  const Properties link(H5Pcreate(H5P_LINK_CREATE), "making link properties");
  check(H5Pset_char_encoding(link, H5T_CSET_UTF8), "setting a name's character set");
  Dataset dataset(H5Dcreate2(group, name.c_str(), type, space, link, H5P_DEFAULT, H5P_DEFAULT),
                  "making a dataset");
  check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value), "writing a dataset");
  return dataset;
}

Space scalar() { return {H5Screate(H5S_SCALAR), "describing a scalar"}; }
Space row_of(hsize_t count) { return {H5Screate_simple(1, &count, nullptr), "describing a row"}; }

/// The part of `path` before the first '/', which is removed with it. "." would mean the group itself.
std::string take_component(std::string_view& path) {
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string component = as_utf8(path.substr(0, end));
  path.remove_prefix(std::min(end + 1, path.size()));
  return component.empty() || component == "." || component == ".." ? "_" : component;
}

H5O_type_t type_of(hid_t parent, const std::string& path) {
  H5O_info_t info;
  check(H5Oget_info_by_name2(parent, path.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT),
        "asking what an object is");
  return info.type;
}

bool has(hid_t parent, const std::string& name) {
  return check(H5Lexists(parent, name.c_str(), H5P_DEFAULT), "asking for a name") > 0;
}

std::string free_name(hid_t group, const std::string& wanted) {
  std::string name = wanted;
  for (int n = 2; has(group, name); ++n) name = fmt::format("{} ({})", wanted, n);
  return name;
}

void put_nested(hid_t group, std::string_view path, std::string_view text) {
  const std::string name = take_component(path);
  if (path.empty()) {
    put_text(group, free_name(group, name), text);
  } else if (has(group, name) && type_of(group, name) == H5O_TYPE_GROUP) {
    put_nested(Group(H5Gopen2(group, name.c_str(), H5P_DEFAULT), "opening a group"), path, text);
  } else {
    put_nested(make_group(group, free_name(group, name), "NXcollection"), path, text);
  }
}

}  // namespace

std::string as_utf8(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  std::string result;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length > 0) {
      result += text.substr(0, length);
    } else {
      const auto latin = static_cast<std::uint8_t>(text[0]);
      result += {static_cast<char>(0xC0 | latin >> 6), static_cast<char>(0x80 | (latin & 0x3F))};
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

Group make_group(hid_t parent, const std::string& name, const char* nexus_class) {
  const Properties link(H5Pcreate(H5P_LINK_CREATE), "making link properties");
  check(H5Pset_char_encoding(link, H5T_CSET_UTF8), "setting a name's character set");
  Group group(H5Gcreate2(parent, name.c_str(), link, H5P_DEFAULT, H5P_DEFAULT), "making a group");
  put_attribute(group, "NX_class", nexus_class);
  return group;
}

void put_attribute(hid_t object, const char* name, std::string_view text) {
  const std::string clean = as_utf8(text);
  const char* value = clean.c_str();
  put_attribute(object, name, text_type(H5T_VARIABLE), scalar(), &value);
}

void put_attribute(hid_t object, const char* name, double value) {
  put_attribute(object, name, H5T_NATIVE_DOUBLE, scalar(), &value);
}

void put_attribute(hid_t object, const char* name, std::span<const std::string> texts) {
  std::vector<const char*> values;
  for (const std::string& text : texts) values.push_back(text.c_str());
  put_attribute(object, name, text_type(H5T_VARIABLE), row_of(values.size()), values.data());
}

void put_indices(hid_t object, const char* name, int dimension) {
  put_attribute(object, name, H5T_NATIVE_INT, scalar(), &dimension);
}

Dataset put_text(hid_t group, const std::string& name, std::string_view text) {
  const std::string clean = as_utf8(text);
  return put_dataset(group, name, text_type(clean.size()), scalar(), clean.c_str());
}

Dataset put_texts(hid_t group, const std::string& name, const std::vector<std::string>& texts) {
  const TextArray array(texts);
  return put_dataset(group, name, text_type(array.length), row_of(texts.size()), array.bytes.data());
}

Dataset put_number(hid_t group, const std::string& name, double value) {
  return put_dataset(group, name, H5T_NATIVE_DOUBLE, scalar(), &value);
}

Dataset put_numbers(hid_t group, const std::string& name, std::span<const double> values) {
  return put_dataset(group, name, H5T_NATIVE_DOUBLE, row_of(values.size()), values.data());
}

void put_record(hid_t group, const Record& record) {
  for (const auto& [name, text] : record) put_nested(group, name, text);
}

std::string get_text(hid_t group, const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    if (H5Lexists(group, path.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return {};
  }
  if (type_of(group, path) != H5O_TYPE_DATASET) return {};
  const Dataset dataset = open_dataset(group, path.c_str(), "opening a text");
  const Type stored(H5Dget_type(dataset), "asking for a type");
  const Space space(H5Dget_space(dataset), "asking for an extent");
  const hssize_t count = check(H5Sget_simple_extent_npoints(space), "counting texts");
  if (H5Tget_class(stored) != H5T_STRING || H5Tis_variable_str(stored) > 0 || count == 0) return {};
  constexpr std::size_t most = 64 << 20;
  const std::size_t length = H5Tget_size(stored);
  if (length > most / static_cast<std::size_t>(count))
    throw Failure(fmt::format("{} claims {} texts of {} bytes, but at most {} bytes in all were expected",
                              path, count, length, most));
  std::string bytes(length * static_cast<std::size_t>(count), '\0');
  check(H5Dread(dataset, stored, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "reading a text");
  std::string lines;
  for (std::size_t start = 0; start < bytes.size(); start += length) {
    if (start > 0) lines += '\n';
    lines += bytes.substr(start, length).c_str();
  }
  return lines;
}

Record get_record(hid_t group, const std::string& path) {
  Record record;
  if (H5Lexists(group, path.c_str(), H5P_DEFAULT) <= 0) return record;
  const Group found(H5Gopen2(group, path.c_str(), H5P_DEFAULT), "opening a group");
  H5G_info_t info{};
  check(H5Gget_info(found, &info), "counting a group's members");
  for (hsize_t n = 0; n < info.nlinks; ++n) {
    const auto name_at = [&](char* text, std::size_t size) {
      return check(H5Lget_name_by_idx(found, ".", H5_INDEX_NAME, H5_ITER_INC, n, text, size, H5P_DEFAULT),
                   "reading a member's name");
    };
    std::string name(static_cast<std::size_t>(name_at(nullptr, 0)) + 1, '\0');
    (void)name_at(name.data(), name.size());
    name.pop_back();
    if (std::string text = get_text(found, name); !text.empty()) record.emplace_back(name, std::move(text));
  }
  return record;
}

}  // namespace feldspar::io::hdf5
