#include "io/sample/sample.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/error.hpp"
#include "io/sample/cycler.hpp"
#include "io/stack/toml_text.hpp"

namespace feldspar::io {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_text = 4096, longest_name = 64;

[[noreturn]] void refuse(const fs::path& file, const std::string& why) {
  throw Error(ErrorKind::bad_file, fmt::format("{}: {}", file.string(), why));
}

std::string value_of(const toml::node& node, const std::string& key, const fs::path& file) {
  std::ostringstream text;
  if (const auto number = node.value<double>(); node.is_number() && !std::isfinite(*number))
    refuse(file, fmt::format("{} is not finite", key));
  if (node.is_array() || node.is_table())
    refuse(file, fmt::format("{} is a list or a table; write one value a key, as cycle = 1061", key));
  if (const auto* string = node.as_string())
    text << string->get();
  else if (const auto* number = node.as_floating_point())
    text << fmt::format("{}", number->get());  // no more digits than it takes
  else
    node.visit([&](const auto& value) {
      if constexpr (!toml::is_table<decltype(value)> && !toml::is_array<decltype(value)>) text << value;
    });
  if (text.str().size() > longest_text)
    refuse(file, fmt::format("{} has {} letters, more than {}", key, text.str().size(), longest_text));
  return text.str();
}

bool is_name(const std::string& key) {
  return !key.empty() && key.size() <= longest_name &&
         std::ranges::all_of(key, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

Record read_description(const fs::path& file) {
  const toml::table table = io::stack::read_toml(file, ErrorKind::bad_file);
  Record sample;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (!is_name(name))
      refuse(file, fmt::format("the key '{}' has more than letters, digits, - and _, or is longer than {}",
                               name.substr(0, longest_name), longest_name));
    sample.emplace_back(name, value_of(node, name, file));
  }
  if (sample.empty()) refuse(file, "says nothing; write for example cycle = 1061 and capacity_Ah = 3.1");
  return sample;
}

}  // namespace

Record read_sample(const fs::path& file) {
  return file.extension() == ".toml" ? read_description(file) : read_cycler(file);
}

}  // namespace feldspar::io
