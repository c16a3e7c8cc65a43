// The way out of what a finding or an error says, as data: a command line writes it as a flag, another front
// end in its own words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace feldspar {

#ifdef __cpp_consteval
#define FELDSPAR_CONSTEVAL consteval  ///< a name that is not in its list does not compile
#else
#define FELDSPAR_CONSTEVAL constexpr  // C++17, as of device code
#endif

/// A name out of `list`, whose elements have one, written where it is used as a literal: it cannot be
/// mistyped.
template <const auto& list>
class Listed {
 public:
  /// The element of that name, a literal; another name does not compile.
  FELDSPAR_CONSTEVAL Listed(const char* name) : at_(place_of(name)) {
    if (at_ == count) throw "the name is not in the list";
  }
  /// The element of a name that was read; `otherwise` where the list has none.
  [[nodiscard]] static Listed find(std::string_view name, Listed otherwise) {
    Listed found = otherwise;
    const std::size_t at = place_of(name);
    if (at < count) found.at_ = at;
    return found;
  }
  /// Whether there is one of that name.
  [[nodiscard]] static constexpr bool has(std::string_view name) { return place_of(name) < count; }

  /// What the list says of it.
  [[nodiscard]] constexpr const auto& element() const { return list[at_]; }
  /// Its name.
  [[nodiscard]] constexpr std::string_view name() const { return list[at_].name; }
  /// The same element.
  friend constexpr bool operator==(Listed a, Listed b) { return a.at_ == b.at_; }

 private:
  static constexpr std::size_t count = sizeof(list) / sizeof(list[0]);
  static constexpr std::size_t place_of(std::string_view name) {
    std::size_t at = 0;
    while (at < count && list[at].name != name) ++at;
    return at;
  }
  std::size_t at_;
};

/// An option that a remedy may name: of a request, or of a command.
struct NamedOption {
  std::string_view name;  ///< in kebab case
};
/// All of them.
inline constexpr NamedOption named_options[] = {
    {"alone"},      {"allow-missing"}, {"angles"},  {"axis-offset"}, {"center"},           {"context"},
    {"correct"},    {"context-at"},    {"device"},  {"fast"},        {"gpu-memory"},       {"hardening"},
    {"like"},       {"memory"},        {"outline"}, {"overwrite"},   {"pixel-size"},       {"range"},
    {"resume"},     {"rings"},         {"roi"},     {"scatter"},     {"reverse-rotation"}, {"size"},
    {"slabs"},      {"solid"},         {"start"},   {"transform"},   {"truncation"},       {"views"},
    {"voxel-size"}, {"white-level"}};
/// The name of one of them.
using OptionName = Listed<named_options>;

/// One thing to do: `words` and the option with its value, "give axis-offset auto".
struct Remedy {
  OptionName option;           ///< of a request or a command
  std::string value = {};      ///< what to give it; empty for a flag, or where only the user can know
  std::string words = "give";  ///< what to do with it, to stand before it: "raise", "start again without"

  /// Equal in everything.
  friend bool operator==(const Remedy& a, const Remedy& b) {
    return a.option == b.option && a.value == b.value && a.words == b.words;
  }
};
/// In the order in which they are worth trying.
using Remedies = std::vector<Remedy>;

}  // namespace feldspar
