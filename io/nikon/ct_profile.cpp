// The profile is searched as text: the elements that matter are flat.
#include "io/nikon/ct_profile.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::io::nikon {
namespace {

/// Calls visit(content) for every <element>content</element>. The profile's elements have no attributes where
/// it matters and hold no markup, so that text search reads them.
template <class Visit>
void for_each_element(std::string_view xml, std::string_view element, const Visit& visit) {
  const std::string opening = fmt::format("<{}>", element);
  for (auto at = xml.find(opening); at != xml.npos; at = xml.find(opening, at + 1)) {
    const auto begin = at + opening.size(), end = xml.find('<', begin);
    if (end == xml.npos) return;
    visit(xml.substr(begin, end - begin));
  }
}

std::optional<double> first_number(std::string_view xml, std::string_view element) {
  std::optional<double> result;
  for_each_element(xml, element, [&](std::string_view content) {
    double value = 0;
    if (!result && parse_number(content, value)) result = value;
  });
  return result;
}

/// The number in `attribute="..."` of the first <element ...>.
std::optional<double> attribute(std::string_view xml, std::string_view element, std::string_view name) {
  const auto at = xml.find(fmt::format("<{} ", element));
  if (at == xml.npos) return {};
  const std::string_view tag = xml.substr(at, xml.find('>', at) - at);
  const std::string opening = fmt::format(" {}=\"", name);
  const auto begin = tag.find(opening);
  if (begin == tag.npos) return {};
  const std::string_view rest = tag.substr(begin + opening.size());
  double value = 0;
  return parse_number(rest.substr(0, rest.find('"')), value) ? std::optional(value) : std::nullopt;
}

/// A number that both files state.
struct SharedNumber {
  const char* element;
  const char* key;
  const char* section;
};

}  // namespace

CtProfile parse_ct_profile(std::string_view xml, const std::filesystem::path& path, const XtekctFile& file) {
  CtProfile profile;
  const auto add = [&](const std::string& name, const std::string& value, SourceField::Use use,
                       const std::string& note) {
    profile.fields.push_back({"ctprofile.xml", name, value, use, note});
  };

  for (const char* const flag :
       {"HelicalScan", "PanelScan", "ScanFlatPanel", "FastPanelScan", "LimitedAngleScan"})
    for_each_element(xml, flag, [&](std::string_view content) {
      if (same_letters(content, "true"))
        throw Error(ErrorKind::unsupported,
                    fmt::format("{}: {} is true, but only full circles before one panel that "
                                "does not move are supported",
                                path.string(), flag));
      add(flag, std::string(content), SourceField::Use::used, "");
    });

  constexpr SharedNumber shared[] = {{"WhiteTargetLevel", "WhiteLevel", "XTekCT"},
                                     {"Projections", "Projections", "XTekCT"},
                                     {"DetectorPixelSizeMM", "DetectorPixelSizeX", "XTekCT"},
                                     {"kV", "XraykV", "Xrays"},
                                     {"uA", "XrayuA", "Xrays"}};
  for (const auto& [element, key, section] : shared) {
    const bool is_target = element == std::string_view("kV") || element == std::string_view("uA");
    const auto settings = is_target ? xml.find("<XraySettings>") : 0;
    if (settings == xml.npos) continue;
    const auto value = first_number(xml.substr(settings), element);
    if (!value) continue;
    double stated = 0;
    const bool differs =
        parse_number(file.text(key, section), stated) && std::abs(*value - stated) > 1e-5 * stated;
    add(element, fmt::format("{}", *value),
        differs ? SourceField::Use::contradicted : SourceField::Use::informative,
        differs ? fmt::format("{} of the .xtekct is {}, and counts", key, stated) : "");
    if (differs)
      profile.findings.push_back({"field.contradicted",
                                  fmt::format("{}: {} is {}, but {} of the .xtekct is {}; the latter is used",
                                              path.filename().string(), element, *value, key, stated),
                                  element});
  }

  if (const auto exposure = attribute(xml, "ImagingSettings", "exposure")) {
    const auto frames = first_number(xml, "FramesPerProjection");
    profile.exposure_s = *exposure * 1e-3 * frames.value_or(1);
    add("ImagingSettings exposure", fmt::format("{}", *exposure), SourceField::Use::informative,
        "ms a frame");
    if (frames) add("FramesPerProjection", fmt::format("{}", *frames), SourceField::Use::informative, "");
  }
  return profile;
}

}  // namespace feldspar::io::nikon
