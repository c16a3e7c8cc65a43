#include "io/hdf5/volume_mark.hpp"

#include <system_error>

#include "io/hdf5/input_file.hpp"

namespace feldspar::io {

bool is_volume(const std::filesystem::path& path) {
  bool ours = false;
  try {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return false;  // a pipe would be waited for
    if (!hdf5::looks_like_hdf5(path)) return false;
    const hdf5::InputFile file(path);
    file.guarded([&] {
      const auto creator = file.attribute("/", "creator");
      ours =
          !creator.empty() && creator.front() == "feldspar" && file.text("/entry/definition") == "NXtomoproc";
    });
  } catch (const Error&) {
    return false;
  }
  return ours;
}

}  // namespace feldspar::io
