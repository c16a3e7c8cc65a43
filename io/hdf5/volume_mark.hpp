// Tells the volumes of this program from all other files.
#pragma once

#include <filesystem>

namespace feldspar::io {

/// True for a file that this program wrote a volume or a part of one into and finished. A file that cannot be
/// read is none.
[[nodiscard]] bool is_volume(const std::filesystem::path& path);

}  // namespace feldspar::io
