// The names of the groups, datasets and attributes of a volume file. docs/formats.md describes them.
#pragma once

namespace feldspar::io::hdf5::layout {

inline constexpr const char* entry = "entry";
inline constexpr const char* data_group = "data";
inline constexpr const char* voxels = "data";  ///< inside data_group; also the NXdata signal
inline constexpr const char* voxels_path = "/entry/data/data";
inline constexpr const char* scaling_factor = "data_scaling_factor";  ///< 1/mm = stored * factor + offset
inline constexpr const char* offset = "data_offset";
inline constexpr const char* axes[3] = {"z", "y", "x"};      ///< slowest first, as in the file
inline constexpr const char* spacing = "spacing";            ///< of an axis, mm
inline constexpr const char* verification = "verification";  ///< in the entry
inline constexpr const char* layer_hashes = "layer_hashes";  ///< in the entry's "reconstruction"
inline constexpr const char* per_mm = "1/mm";

}  // namespace feldspar::io::hdf5::layout
