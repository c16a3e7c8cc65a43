// Reports as one HTML file that needs no network.
#pragma once

#include <string>

namespace feldspar::cli {

/// With what HTML means something by taken for itself.
[[nodiscard]] std::string escaped(const std::string& text);

/// The address of a picture whose PNG bytes stand in the page itself.
[[nodiscard]] std::string embedded(const std::string& png);

/// The whole file: the title as text, the body as HTML. Its style knows tables, <figure> in <div
/// class="row">, and the curves of draw_lines().
[[nodiscard]] std::string page(const std::string& title, const std::string& body);

}  // namespace feldspar::cli
