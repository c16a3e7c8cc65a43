// toml++ with messages that name the file, the field and the way out.
#include "io/stack/section.hpp"

#include <fmt/format.h>

#include <cmath>
#include <sstream>

#include "base/error.hpp"
#include "base/units.hpp"

namespace feldspar::io::stack {

Section::Section(const toml::table& root, std::string name, const std::filesystem::path& file,
                 std::vector<SourceField>& fields)
    : name_(std::move(name)), file_(file), fields_(fields) {
  if (name_.empty()) {
    table_ = &root;
    return;
  }
  const toml::node* const node = root.get(name_);
  if (node && !node->is_table())
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: {} must be a table, [{}]", file.string(), name_, name_));
  if (node) table_ = node->as_table();
}

bool Section::has(const std::string& key) const { return table_ && table_->contains(key); }

const toml::node* Section::find(const std::string& key) {
  known_.insert(key);
  const toml::node* const node = table_ ? table_->get(key) : nullptr;
  if (!node) return nullptr;
  std::ostringstream written;
  written << toml::node_view<const toml::node>(*node);
  fields_.push_back({name_, key, written.str(), SourceField::Use::used, {}});
  return node;
}

void Section::refuse(const std::string& key, const std::string& what) const {
  throw Error(ErrorKind::bad_file,
              fmt::format("{}: {}{}{} {}", file_.string(), name_, name_.empty() ? "" : ".", key, what));
}

std::optional<std::string> Section::text(const std::string& key) {
  const toml::node* const node = find(key);
  if (!node) return std::nullopt;
  auto value = node->value_exact<std::string>();
  if (!value) refuse(key, "is no text; write it between quotes");
  return value;
}

std::vector<std::string> Section::texts(const std::string& key) {
  const toml::node* const node = find(key);
  if (!node) return {};
  if (const auto one = node->value_exact<std::string>()) return {*one};
  std::vector<std::string> all;
  if (const toml::array* const array = node->as_array())
    for (const toml::node& each : *array) {
      const auto value = each.value_exact<std::string>();
      if (!value) refuse(key, "must hold texts only");
      all.push_back(*value);
    }
  if (all.empty()) refuse(key, "must be a text, or a list of texts: [\"a\", \"b\"]");
  return all;
}

std::optional<double> Section::number(const std::string& key) {
  const toml::node* const node = find(key);
  if (!node) return std::nullopt;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (!value || !std::isfinite(*value)) refuse(key, "is no number; write it without quotes, as 60000");
  return value;
}

int Section::count(const std::string& key, int otherwise) {
  const toml::node* const node = find(key);
  if (!node) return otherwise;
  const auto value = node->value_exact<std::int64_t>();
  if (!value || *value < 0 || *value > 100'000'000) refuse(key, "must be a whole number, 0 or more");
  return static_cast<int>(*value);
}

double Section::quantity(const std::string& key, const std::string& text, bool is_length) const {
  try {
    return is_length ? parse_length_mm(text, key) : parse_angle_rad(text, key);
  } catch (const Error& error) {
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: {}{}{}", file_.string(), name_, name_.empty() ? "" : ".", error.what()));
  }
}

std::optional<double> Section::length(const std::string& key) {
  const std::vector<double> values = one_or_two_lengths(key);
  if (values.size() > 1) refuse(key, "takes one length");
  return values.empty() ? std::nullopt : std::optional(values[0]);
}

std::vector<double> Section::numbers(const std::string& key) {
  const toml::node* const node = find(key);
  if (!node) return {};
  const toml::array* const array = node->as_array();
  if (!array) refuse(key, "is no array; write for example [0, 0.75, 0.25]");
  std::vector<double> all;
  for (const toml::node& each : *array) {
    const auto value = each.value<double>();
    if (!each.is_number() || !value) refuse(key, "holds something that is no number");
    all.push_back(*value);
  }
  return all;
}

std::vector<double> Section::one_or_two_lengths(const std::string& key) {
  const toml::node* const node = table_ ? table_->get(key) : nullptr;
  if (node && node->is_number()) {
    (void)find(key);
    refuse(key, "is a number without a unit; write for example \"36 um\" or \"0.036 mm\"");
  }
  std::vector<double> values;
  for (const std::string& text : texts(key)) values.push_back(quantity(key, text, true));
  if (values.size() > 2) refuse(key, "takes one or two lengths: [\"36 um\", \"36 um\"]");
  return values;
}

std::optional<double> Section::angle(const std::string& key) {
  const toml::node* const node = find(key);
  if (!node) return std::nullopt;
  if (const auto value = node->value_exact<std::string>()) return quantity(key, *value, false);
  refuse(key, "is a number without a unit; write for example \"0.2 deg\" or \"0.0035 rad\"");
}

bool Section::choice(const std::string& key, const char* yes, const char* no, std::optional<bool> otherwise) {
  const auto value = text(key);
  if (!value && otherwise) return *otherwise;
  if (value == yes) return true;
  if (value == no) return false;
  refuse(key, fmt::format("is {}, but \"{}\" or \"{}\" was expected", value ? "\"" + *value + "\"" : "absent",
                          yes, no));
}

void Section::finish() const {
  if (!table_) return;
  std::string words;
  for (const std::string& word : known_) words += (words.empty() ? "" : ", ") + word;
  for (const auto& [key, node] : *table_)
    if (!known_.contains(std::string(key.str())))
      refuse(std::string(key.str()), fmt::format("is not known; {} may stand there", words));
}

}  // namespace feldspar::io::stack
