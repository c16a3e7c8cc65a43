// Objects of one HDF5 file copied into another, whatever they hold.
#pragma once

#include <string>
#include <vector>

#include "io/hdf5/handle.hpp"

namespace feldspar::io::hdf5 {

/// Every attribute of `from` that `to` has not yet. Throws Failure.
void copy_attributes(hid_t from, hid_t to);

/// Every member of group `from`, with what is below it, but for those named in `except`. Throws Failure.
void copy_members(hid_t from, hid_t to, const std::vector<std::string>& except);

}  // namespace feldspar::io::hdf5
