// Every way to read the names is tried; the one that leaves the fewest files absent or left over is the
// truth.
#include "io/numbered_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <string_view>

namespace feldspar::io {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_hexadecimal(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
bool is_sign(char c) { return c == '-' || c == '+'; }
char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

constexpr std::size_t most_digits = 17;  // of a number that fits 63 bits with its decimals

/// A number in a name: `digits` behind an optional sign.
struct Field {
  std::size_t first = 0, end = 0;
  long long value = 0;
  char sign = 0;               ///< '-', '+' or none
  bool behind_letter = false;  ///< the sign is: "p-4"
};

/// A name cut into numbers, and the text between them with a mark for each number.
struct CutName {
  std::string text;
  std::vector<Field> fields;
};

CutName cut(const std::string& name) {
  CutName result;
  for (std::size_t at = 0; at < name.size();) {
    std::size_t end = at;
    while (end < name.size() && is_digit(name[end])) ++end;
    if (end == at || end - at > most_digits) {
      for (end = std::max(end, at + 1); at < end; ++at) result.text += lower(name[at]);
      continue;
    }
    Field field{.first = at, .end = end};
    std::from_chars(name.data() + at, name.data() + end, field.value);
    // A hyphen behind a digit separates, as in a date.
    if (at > 0 && is_sign(name[at - 1]) && (at == 1 || !is_digit(name[at - 2]))) {
      field.sign = name[at - 1];
      field.behind_letter = at > 1 && is_letter(name[at - 2]);
      result.text.pop_back();
    }
    result.text += '\1';
    result.fields.push_back(field);
    at = end;
  }
  return result;
}

/// One way to number names.
struct Reading {
  std::vector<long long> values;     ///< one a name
  std::size_t first_field = 0;       ///< which number of the name it is
  bool with_decimals = false;        ///< together with the next one
  std::vector<std::size_t> order{};  ///< of the names by their values
  long long step = 1;
  long long missing = 0;  ///< between the first and the last
  bool counts = false;    ///< no more is absent than is there
};

/// The most common step, where all are multiples of it and there are enough to tell; else 1.
long long step_of(const std::vector<long long>& steps) {
  std::map<long long, std::size_t> times;
  for (const long long step : steps) ++times[step];
  const auto common = std::max_element(times.begin(), times.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const bool all =
      std::all_of(steps.begin(), steps.end(), [&](long long step) { return step % common->first == 0; });
  return all && steps.size() >= 3 && 2 * common->second >= steps.size() ? common->first : 1;
}

/// Sorts and judges a reading; false when two names have one number, which `twice` then names.
bool judge(Reading& reading, std::pair<std::size_t, std::size_t>& twice) {
  const auto& values = reading.values;
  reading.order.resize(values.size());
  std::iota(reading.order.begin(), reading.order.end(), std::size_t{0});
  std::stable_sort(reading.order.begin(), reading.order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<long long> steps;
  for (std::size_t n = 1; n < values.size(); ++n) {
    const std::size_t a = reading.order[n - 1], b = reading.order[n];
    if (values[a] == values[b]) return twice = {a, b}, false;
    steps.push_back(values[b] - values[a]);
  }
  if (steps.empty()) return reading.counts = true;
  reading.step = step_of(steps);
  reading.missing = (values[reading.order.back()] - values[reading.order.front()]) / reading.step + 1 -
                    static_cast<long long>(values.size());
  reading.counts = reading.missing <= static_cast<long long>(values.size());
  return true;
}

/// Whether the sign before a number is one: not a hyphen that all names have behind a letter.
enum class Sign { minus, hyphen, unclear };
Sign sign_of(const std::vector<CutName>& names, std::size_t field) {
  std::size_t minus = 0, behind_letter = 0;
  for (const CutName& name : names) {
    minus += name.fields[field].sign == '-';
    behind_letter += name.fields[field].sign == '-' && name.fields[field].behind_letter;
  }
  if (minus < names.size()) return Sign::minus;
  return behind_letter == names.size() ? Sign::hyphen : Sign::unclear;
}

long long signed_value(const Field& field, long long value, Sign sign) {
  return field.sign == '-' && sign == Sign::minus ? -value : value;
}

/// The numbers at one place of all names, or two that a point parts as a number with decimals.
std::vector<long long> values_at(const std::vector<std::string>& all, const std::vector<CutName>& names,
                                 std::size_t field, bool with_decimals) {
  std::size_t decimals = 0;
  for (const CutName& name : names)
    if (with_decimals)
      decimals = std::max(decimals, name.fields[field + 1].end - name.fields[field + 1].first);
  const Sign sign = sign_of(names, field);
  std::vector<long long> values;
  for (std::size_t n = 0; n < names.size(); ++n) {
    const Field& whole = names[n].fields[field];
    std::string digits = all[n].substr(whole.first, whole.end - whole.first);
    if (with_decimals) {
      const Field& part = names[n].fields[field + 1];
      digits += all[n].substr(part.first, part.end - part.first);
      digits.append(decimals - (part.end - part.first), '0');
    }
    if (digits.size() > most_digits) return {};
    long long value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    values.push_back(signed_value(whole, value, sign));
  }
  return values;
}

bool has_decimals(const std::vector<std::string>& all, const std::vector<CutName>& names, std::size_t field) {
  if (field + 1 >= names.front().fields.size()) return false;
  return std::all_of(names.begin(), names.end(), [&](const CutName& name) {
    const std::size_t n = static_cast<std::size_t>(&name - names.data());
    return name.fields[field + 1].first == name.fields[field].end + 1 &&
           all[n][name.fields[field].end] == '.';
  });
}

/// The name that a missing number would have, made of its neighbour's. `minus`: a hyphen before it is a sign.
std::string name_of(const std::string& neighbour, const Field& field, bool minus, long long value) {
  const bool padded = neighbour[field.first] == '0' || field.end - field.first > 1;
  const std::size_t begin = minus && field.sign == '-' ? field.first - 1 : field.first;
  const int width = padded ? static_cast<int>(field.end - field.first) : 0;
  return neighbour.substr(0, begin) + (value < 0 ? "-" : "") + fmt::format("{:0{}}", std::abs(value), width) +
         neighbour.substr(field.end);
}

/// Puts the members of a reading in place and says what is absent. `absent` says it for two numbers
/// between two members.
template <class Absent>
void place(const Reading& reading, const std::vector<std::size_t>& names, NameSeries& series,
           const Absent& absent) {
  constexpr std::size_t most = 20;
  const auto& values = reading.values;
  series.first = values[reading.order.front()], series.step = reading.step;
  std::size_t ranges = 0;
  for (std::size_t n = 0; n < reading.order.size(); ++n) {
    const std::size_t at = reading.order[n];
    const long long index =
        reading.counts ? (values[at] - series.first) / reading.step : static_cast<long long>(n);
    series.members.push_back({names[at], static_cast<int>(index)});
    if (n == 0 || !reading.counts) continue;
    const std::size_t before = reading.order[n - 1];
    if (values[at] == values[before] + reading.step || ++ranges > most) continue;
    series.missing +=
        (ranges > 1 ? ", " : "") + absent(before, values[before] + reading.step, values[at] - reading.step);
  }
  if (ranges > most) series.missing += fmt::format(" and {} gaps more", ranges - most);
}

/// Names that are alike but for their numbers.
struct AlikeNames {
  std::vector<std::string> names;
  std::vector<CutName> cuts;
};

/// Every number of the names, and every pair as a number with decimals, that is another in each name. `why`
/// receives what speaks against the others, `varying` how many numbers are not the same in all names.
std::vector<Reading> readings_of(const AlikeNames& alike, std::string& why, int& varying) {
  const auto& [names, cuts] = alike;
  std::vector<Reading> readings;
  for (std::size_t field = 0; field < cuts.front().fields.size(); ++field)
    for (const bool decimals : {false, true}) {
      if (decimals && !has_decimals(names, cuts, field)) continue;
      Reading reading{
          .values = values_at(names, cuts, field, decimals), .first_field = field, .with_decimals = decimals};
      const auto& values = reading.values;
      if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end()) continue;
      varying += !decimals;
      std::pair<std::size_t, std::size_t> twice;
      const bool numbers_all = judge(reading, twice);
      if (numbers_all && sign_of(cuts, field) != Sign::unclear)
        readings.push_back(std::move(reading));
      else if (why.empty() && numbers_all)
        why = fmt::format(": all have a minus, as {}, which may be a sign or a hyphen", names[0]);
      else if (why.empty())
        why = fmt::format(": {} and {} have the same one", names[twice.first], names[twice.second]);
    }
  return readings;
}

/// What is absent from `first` to `last`, behind name `before`: by name where nothing else varies.
std::string absent(const AlikeNames& alike, const Reading& reading, bool alone, std::size_t before,
                   long long first, long long last) {
  const std::string& name = alike.names[before];
  if (reading.with_decimals) return fmt::format("{} behind {}", (last - first) / reading.step + 1, name);
  if (!alone)
    return first == last ? fmt::format("number {} (behind {})", first, name)
                         : fmt::format("numbers {} to {} (behind {})", first, last, name);
  const Field& field = alike.cuts[before].fields[reading.first_field];
  const bool minus = sign_of(alike.cuts, reading.first_field) == Sign::minus;
  const std::string from = name_of(name, field, minus, first);
  return first == last ? from : from + " to " + name_of(name, field, minus, last);
}

/// Names that are alike but for their numbers, by the number that counts best.
NameSeries read_alike(const std::vector<std::string>& all, const std::vector<std::size_t>& which) {
  NameSeries series;
  AlikeNames alike;
  for (const std::size_t n : which) alike.names.push_back(all[n]), alike.cuts.push_back(cut(all[n]));
  if (which.size() == 1) return {.members = {{which[0], 0}}};
  std::string why;
  int varying = 0;
  const std::vector<Reading> readings = readings_of(alike, why, varying);
  if (readings.empty()) {
    series.conflict = "hold no number that counts" + why;
    return series;
  }
  const auto best =
      std::min_element(readings.begin(), readings.end(), [](const Reading& a, const Reading& b) {
        return a.missing != b.missing ? a.missing < b.missing : a.with_decimals < b.with_decimals;
      });
  for (const Reading& other : readings)
    if (other.missing == best->missing && other.order != best->order) {
      series.conflict = fmt::format("hold two numbers that count, in different orders: the first is {} or {}",
                                    alike.names[best->order[0]], alike.names[other.order[0]]);
      return series;
    }
  place(*best, which, series, [&](std::size_t before, long long first, long long last) {
    return absent(alike, *best, varying == 1, before, first, last);
  });
  if (!best->counts)
    series.doubt = fmt::format("the numbers in their names do not count: {} is followed by {}",
                               alike.names[best->order[0]], alike.names[best->order[1]]);
  return series;
}

/// Names of one length that differ in hexadecimal digits alone, with letters among them.
NameSeries read_hexadecimal(const std::vector<std::string>& names) {
  NameSeries series;
  series.conflict = "are not hexadecimal";
  const std::string& model = names.front();
  std::size_t first = model.size(), end = 0;
  for (const std::string& name : names) {
    if (name.size() != model.size()) return series;
    for (std::size_t at = 0; at < name.size(); ++at)
      if (name[at] != model[at]) first = std::min(first, at), end = std::max(end, at + 1);
  }
  if (first >= end || end - first > 15) return series;
  Reading reading;
  bool letters = false;
  bool capitals = false;
  for (const std::string& name : names) {
    long long value = 0;
    for (std::size_t at = first; at < end; ++at) {
      if (!is_hexadecimal(name[at])) return series;
      letters = letters || !is_digit(name[at]);
      capitals = capitals || (name[at] >= 'A' && name[at] <= 'F');
    }
    std::from_chars(name.data() + first, name.data() + end, value, 16);
    reading.values.push_back(value);
  }
  std::pair<std::size_t, std::size_t> twice;
  if (!letters || !judge(reading, twice) || !reading.counts) return series;
  series.conflict.clear();
  std::vector<std::size_t> which(names.size());
  std::iota(which.begin(), which.end(), std::size_t{0});
  place(reading, which, series, [&](std::size_t, long long from, long long to) {
    const auto name = [&](long long value) {
      const auto width = static_cast<int>(end - first);
      return model.substr(0, first) +
             (capitals ? fmt::format("{:0{}X}", value, width) : fmt::format("{:0{}x}", value, width)) +
             model.substr(end);
    };
    return from == to ? name(from) : name(from) + " to " + name(to);
  });
  return series;
}

/// Files that a reading leaves absent or left over; the most when it tells no order.
long long cost_of(const NameSeries& series) {
  if (series.members.empty()) return std::numeric_limits<long long>::max();
  const auto places = static_cast<long long>(series.members.back().index) + 1;
  const auto doubt = static_cast<long long>(series.doubt.empty() ? 0 : series.members.size());
  return places - static_cast<long long>(series.members.size() - series.strays.size()) + doubt;
}

/// The names that are alike but for their numbers, where nearly all are.
NameSeries read_decimal(const std::vector<std::string>& names) {
  std::map<std::string, std::vector<std::size_t>> kinds;
  for (std::size_t n = 0; n < names.size(); ++n) kinds[cut(names[n]).text].push_back(n);
  const auto main = std::max_element(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) {
    return a.second.size() < b.second.size();
  });
  const std::size_t alike = main->second.size(), others = names.size() - alike;
  if (others > std::max<std::size_t>(1, alike / 10) || others >= alike) {
    const auto& other = main == kinds.begin() ? *std::next(main) : *kinds.begin();
    return {.conflict = fmt::format("are of {} kinds, as {} and {}", kinds.size(),
                                    names[main->second.front()], names[other.second.front()])};
  }
  NameSeries series = read_alike(names, main->second);
  for (const auto& [text, which] : kinds)
    if (&which != &main->second)
      for (const std::size_t n : which) series.strays.push_back(names[n]);
  return series;
}

}  // namespace

NameSeries series_of(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  if (names.size() == 1) return {.members = {{0, 0}}};
  NameSeries decimal = read_decimal(names);
  if (cost_of(decimal) == 0) return decimal;
  NameSeries hexadecimal = read_hexadecimal(names);
  return cost_of(hexadecimal) < cost_of(decimal) ? hexadecimal : decimal;
}

std::string format_numbers(const std::vector<int>& numbers, std::size_t most) {
  std::vector<std::string> ranges;
  for (std::size_t n = 0; n < numbers.size();) {
    std::size_t last = n;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    ranges.push_back(last == n ? fmt::format("{}", numbers[n])
                               : fmt::format("{}-{}", numbers[n], numbers[last]));
    n = last + 1;
  }
  const std::size_t shown = std::min(ranges.size(), most);
  std::string text =
      fmt::format("{}", fmt::join(ranges.begin(), ranges.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  return ranges.size() > most ? text + ", ..." : text;
}

std::string format_names(const std::vector<std::string>& names) {
  constexpr std::size_t most = 10;
  const std::size_t shown = std::min(names.size(), most);
  std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (names.size() > most) text += fmt::format(" and {} more", names.size() - most);
  return text;
}

}  // namespace feldspar::io
