// A font of 5 x 7 dots for labels in pictures: small letters, digits and the signs of numbers.
#pragma once

#include <string_view>

#include "io/png/png_file.hpp"

namespace feldspar::cli {

constexpr int glyph_width = 6;  ///< with the gap to the next one
constexpr int glyph_height = 7;

/// Draws `text` in white with its top left corner at (x, y), each dot `scale` pixels wide. Capitals are
/// drawn small; unknown characters, and dots outside the picture, are left out.
void draw_text(io::GreyPicture& picture, int x, int y, int scale, std::string_view text);

}  // namespace feldspar::cli
