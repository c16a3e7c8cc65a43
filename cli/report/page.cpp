#include "cli/report/page.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace feldspar::cli {
namespace {

constexpr const char* style = R"(
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1200px; padding: 0 1em; color: #222; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: .25em .5em; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
.row { display: flex; gap: 12px; flex-wrap: wrap; }
figure { margin: 0; flex: 1 1 220px; max-width: 280px; }
figure img { width: 100%; image-rendering: pixelated; background: #000; display: block; }
figcaption { font-size: 13px; }
.plot { width: 100%; max-width: 760px; }
.plot text { font-size: 12px; fill: #333; }
.plot .grid { stroke: #e4e4e4; }
)";

/// RFC 4648.
std::string base64(const std::string& bytes) {
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t n = 0; n < bytes.size(); n += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - n);
    unsigned value = 0;
    for (std::size_t k = 0; k < 3; ++k)
      value = value << 8 | (k < count ? static_cast<unsigned char>(bytes[n + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? digits[value >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string embedded(const std::string& png) { return "data:image/png;base64," + base64(png); }

std::string page(const std::string& title, const std::string& body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<title>{0}</title><style>{1}</style></head><body>\n<h1>{0}</h1>\n{2}</body></html>\n",
      escaped(title), style, body);
}

}  // namespace feldspar::cli
