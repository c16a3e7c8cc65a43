// Groups, texts and numbers of a volume file: everything but the voxels.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/hdf5/handle.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::io::hdf5 {

/// `text` as UTF-8: bytes that are none are taken for Latin-1 (the degree and micro signs of vendors'
/// files), and it ends before a zero byte.
[[nodiscard]] std::string as_utf8(std::string_view text);

[[nodiscard]] Group make_group(hid_t parent, const std::string& name, const char* nexus_class);

void put_attribute(hid_t object, const char* name, std::string_view text);
void put_attribute(hid_t object, const char* name, double value);
void put_attribute(hid_t object, const char* name, std::span<const std::string> texts);
void put_indices(hid_t object, const char* name, int dimension);

Dataset put_text(hid_t group, const std::string& name, std::string_view text);
Dataset put_texts(hid_t group, const std::string& name, const std::vector<std::string>& texts);
Dataset put_number(hid_t group, const std::string& name, double value);
Dataset put_numbers(hid_t group, const std::string& name, std::span<const double> values);

/// Every pair as a text of `group`; a name with '/' goes into subgroups. Names that cannot be, or were
/// there before, are changed rather than lost: "name (2)".
void put_record(hid_t group, const Record& record);

/// The text at `path` below `group`, an array of texts as lines; empty when there is none.
[[nodiscard]] std::string get_text(hid_t group, const std::string& path);

/// The texts of the group at `path`, by name; none when there is no such group.
[[nodiscard]] Record get_record(hid_t group, const std::string& path);

}  // namespace feldspar::io::hdf5
