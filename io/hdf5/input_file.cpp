#include "io/hdf5/input_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/crash.hpp"
#include "io/hdf5/text.hpp"

namespace feldspar::io::hdf5 {
namespace {

constexpr std::size_t most_texts = 1000, longest_text = 1 << 20;

/// What H5Dread and H5Aread have in common.
using Read = std::function<void(hid_t type, void* values)>;

std::vector<std::string> read_variable_texts(const Type& type, const Space& space, std::size_t count,
                                             const Read& read) {
  std::vector<char*> values(count, nullptr);
  read(type, values.data());
  std::vector<std::string> texts;
  texts.reserve(count);
  for (const char* value : values) texts.push_back(value ? as_utf8(value) : "");
  (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, values.data());
  return texts;
}

/// The texts of a dataset or attribute of `type` and extent `space`; empty when it holds none.
std::vector<std::string> read_texts(const Type& type, const Space& space, const Read& read) {
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (H5Tget_class(type) != H5T_STRING || count < 1 || count > static_cast<hssize_t>(most_texts)) return {};
  if (check(H5Tis_variable_str(type), "asking for a type") > 0)
    return read_variable_texts(type, space, static_cast<std::size_t>(count), read);
  std::vector<std::string> texts;
  const std::size_t length = H5Tget_size(type);
  if (length == 0 || length > longest_text / static_cast<std::size_t>(count)) return {};
  std::string bytes(length * static_cast<std::size_t>(count), '\0');
  read(type, bytes.data());
  for (std::size_t start = 0; start < bytes.size(); start += length) {
    std::string text = as_utf8(bytes.substr(start, length));
    text.erase(text.find_last_not_of(' ') + 1);
    texts.push_back(std::move(text));
  }
  return texts;
}

/// "/a/b/c" as "/a", "/a/b", "/a/b/c".
std::vector<std::string> prefixes(const std::string& object) {
  std::vector<std::string> all;
  for (std::size_t at = object.find('/', 1); at != std::string::npos; at = object.find('/', at + 1))
    all.push_back(object.substr(0, at));
  if (object.size() > 1) all.push_back(object);
  return all;
}

}  // namespace

bool looks_like_hdf5(const std::filesystem::path& path) {
  silence();
  const FileInHand in_hand(path);
  return H5Fis_hdf5(path.c_str()) > 0;
}

InputFile::InputFile(std::filesystem::path path) : path_(std::move(path)) {
  guarded([&] {
    const Properties access(H5Pcreate(H5P_FILE_ACCESS), "making file properties");
    check(H5Pset_file_locking(access, true, true), "choosing locks");  // where the file system has none: none
    try {
      file_ = File(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access), "cannot be opened as HDF5");
    } catch (const Failure& failure) {
      refuse_busy(failure.what());
      throw;
    }
  });
}

/// Throws Error(io) when the library's `reason` is another program's lock or mark.
void InputFile::refuse_busy(const std::string& reason) const {
  const std::string locked = std::strerror(EAGAIN);
  if (reason.find("unable to lock file") != std::string::npos || reason.find(locked) != std::string::npos)
    refuse(ErrorKind::io,
           "is locked: another program is writing it; wait until that is finished, or set "
           "HDF5_USE_FILE_LOCKING=FALSE to read what is there");
  if (reason.find("already open for write") != std::string::npos ||
      reason.find("consistency flags") != std::string::npos)
    refuse(ErrorKind::io,
           "is marked as being written: another program has it open, or ended before it closed it; then "
           "`h5clear "
           "-s FILE` takes the mark off");
}

void InputFile::guarded(const std::function<void()>& work) const {
  silence();
  const FileInHand in_hand(path_);
  try {
    work();
  } catch (const Failure& failure) {
    throw Error(ErrorKind::bad_file, fmt::format("{}: {}", path_.string(), failure.what()));
  }
}

void InputFile::refuse(ErrorKind kind, const std::string& what, const Remedies& remedies) const {
  throw Error(kind, fmt::format("{}: {}", path_.string(), what), remedies);
}

bool InputFile::has(const std::string& object) const {
  for (const std::string& prefix : prefixes(object))
    if (H5Lexists(file_, prefix.c_str(), H5P_DEFAULT) <= 0 ||
        H5Oexists_by_name(file_, prefix.c_str(), H5P_DEFAULT) <= 0)
      return false;
  return true;
}

bool InputFile::is_dataset(const std::string& object) const {
  if (!has(object)) return false;
  H5O_info_t info;
  check(H5Oget_info_by_name2(file_, object.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT), "asking what it is");
  return info.type == H5O_TYPE_DATASET;
}

std::string InputFile::why_absent(const std::string& object) const {
  for (const std::string& prefix : prefixes(object)) {
    if (H5Lexists(file_, prefix.c_str(), H5P_DEFAULT) <= 0) break;
    if (H5Oexists_by_name(file_, prefix.c_str(), H5P_DEFAULT) > 0) continue;
    H5L_info_t info;
    if (H5Lget_info(file_, prefix.c_str(), &info, H5P_DEFAULT) < 0 || info.u.val_size == 0 ||
        info.u.val_size > longest_text)
      break;
    std::string value(info.u.val_size + 1, '\0');
    if (H5Lget_val(file_, prefix.c_str(), value.data(), info.u.val_size, H5P_DEFAULT) < 0) break;
    if (info.type == H5L_TYPE_SOFT) return fmt::format("is a link to {}, which is absent", value.c_str());
    const char *file = nullptr, *target = nullptr;
    if (info.type != H5L_TYPE_EXTERNAL ||
        H5Lunpack_elink_val(value.data(), info.u.val_size, nullptr, &file, &target) < 0)
      break;
    const std::filesystem::path linked = path_.parent_path() / file;
    std::error_code error;
    return std::filesystem::exists(linked, error)
               ? fmt::format("is a link to {} in {}, which does not hold it", target, linked.string())
               : fmt::format("is a link into {}, which is missing; put that file there", linked.string());
  }
  return "is absent";
}

std::vector<std::string> InputFile::members(const std::string& group) const {
  H5O_info_t info;
  if (!has(group) || H5Oget_info_by_name2(file_, group.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0 ||
      info.type != H5O_TYPE_GROUP)
    return {};
  const Group opened(H5Gopen2(file_, group.c_str(), H5P_DEFAULT), "opening a group");
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
    auto& all = *static_cast<std::vector<std::string>*>(list);
    all.emplace_back(name);
    return all.size() < 10000 ? 0 : 1;
  };
  hsize_t from = 0;
  check(H5Literate(opened, H5_INDEX_NAME, H5_ITER_INC, &from, collect, &names), "listing a group");
  const std::string start = group == "/" ? group : group + "/";
  std::erase_if(names, [&](const std::string& name) { return !has(start + name); });
  return names;
}

Dataset InputFile::open(const std::string& dataset) const {
  DatasetStorage storage;
  Dataset opened = open(dataset, 0, storage);
  if (!storage.gaps.empty())
    refuse(ErrorKind::bad_file, fmt::format("{} is incomplete: {}", dataset, storage.gaps.front().why));
  return opened;
}

Dataset InputFile::open(const std::string& dataset, int dimension, DatasetStorage& storage) const {
  if (!is_dataset(dataset))
    refuse(ErrorKind::bad_file,
           fmt::format("{} {}", dataset, has(dataset) ? "is no dataset" : why_absent(dataset)));
  Dataset opened = open_dataset(file_, dataset.c_str(), "opening a dataset");
  storage = storage_of(file_of(opened), dataset, opened, dimension);
  return opened;
}

std::vector<double> InputFile::numbers(const std::string& dataset, std::size_t most) const {
  if (!is_dataset(dataset)) return {};
  const Dataset set = open(dataset);
  const Type type(H5Dget_type(set), "asking for a type");
  const Space space(H5Dget_space(set), "asking for an extent");
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  const H5T_class_t kind = H5Tget_class(type);
  if (kind != H5T_INTEGER && kind != H5T_FLOAT)
    refuse(ErrorKind::bad_file, fmt::format("{} holds no numbers", dataset));
  if (count < 0 || static_cast<std::size_t>(count) > most)
    refuse(ErrorKind::bad_file,
           fmt::format("{} has {} values, but at most {} were expected", dataset, count, most));
  std::vector<double> values(static_cast<std::size_t>(count));
  if (count > 0)
    check(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "reading numbers");
  return values;
}

std::string InputFile::text(const std::string& dataset) const {
  if (!is_dataset(dataset)) return {};
  const Dataset set = open(dataset);
  const auto texts =
      read_texts(Type(H5Dget_type(set), "asking for a type"),
                 Space(H5Dget_space(set), "asking for an extent"), [&](hid_t type, void* values) {
                   check(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "reading a text");
                 });
  return texts.empty() ? std::string() : texts.front();
}

std::vector<std::string> InputFile::attribute(const std::string& object, const char* name) const {
  if (!has(object) || H5Aexists_by_name(file_, object.c_str(), name, H5P_DEFAULT) <= 0) return {};
  const Attribute attribute(H5Aopen_by_name(file_, object.c_str(), name, H5P_DEFAULT, H5P_DEFAULT),
                            "opening an attribute");
  return read_texts(Type(H5Aget_type(attribute), "asking for a type"),
                    Space(H5Aget_space(attribute), "asking for an extent"), [&](hid_t type, void* values) {
                      check(H5Aread(attribute, type, values), "reading an attribute");
                    });
}

std::string InputFile::units(const std::string& dataset) const {
  const auto texts = attribute(dataset, "units");
  return texts.empty() ? std::string() : texts.front();
}

}  // namespace feldspar::io::hdf5
