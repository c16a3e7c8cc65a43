// Both kinds of angle file are rows of a number and an angle; heading, time column and order differ.
#include "io/nikon/angle_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <system_error>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/nikon/xtekct.hpp"

namespace feldspar::io::nikon {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  std::vector<std::string_view> words;
  while (true) {
    const auto first = line.find_first_not_of(blanks);
    if (first == line.npos) return words;
    line.remove_prefix(first);
    words.push_back(line.substr(0, line.find_first_of(blanks)));
    line.remove_prefix(words.back().size());
  }
}

/// Header lines end with the one that names the columns.
bool names_columns(const std::vector<std::string_view>& words) {
  return words.size() >= 2 && words[0].starts_with("Proj") && words[1].starts_with("Angle");
}

double parse_row(const std::vector<std::string_view>& words, std::size_t row, const std::string& where) {
  std::string_view index_text = words[0];
  if (index_text.ends_with(':')) index_text.remove_suffix(1);
  double index = 0, angle = 0;
  if (words.size() < 2 || !parse_number(index_text, index) || !parse_number(words[1], angle))
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: \"{}\" was found, but a projection's number and its angle in "
                            "degrees were expected",
                            where, fmt::join(words, " ")));
  if (index != static_cast<double>(row))
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: the angle of projection {} was found, but that of {} was expected", where,
                            index, row));
  return angle;
}

/// The median; 0 of no values.
double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// How angles lie beside the nominal ones: turned as a whole by `offset`, and from there by at most `worst`.
struct Disagreement {
  double offset = 0;
  double worst = 0;
  std::size_t where = 0;
};

Disagreement compare(const std::vector<double>& measured, const std::vector<double>& nominal) {
  std::vector<double> differences(nominal.size());
  for (std::size_t n = 0; n < nominal.size(); ++n) differences[n] = measured[n] - nominal[n];
  Disagreement result{.offset = median_of(differences)};
  for (std::size_t n = 0; n < nominal.size(); ++n)
    if (const double off = std::abs(differences[n] - result.offset); off > result.worst)
      result.worst = off, result.where = n;
  return result;
}

/// The first line of `text`, which is left with the others.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

AngleFile parse_angle_file(std::string_view text, const std::filesystem::path& path) {
  AngleFile file{.path = path, .degrees = {}};
  bool in_rows = false;
  for (int number = 1; !text.empty(); ++number) {
    const auto words = words_of(take_line(text));
    if (words.empty()) continue;
    if (!in_rows) {
      in_rows = names_columns(words);
      continue;
    }
    file.degrees.push_back(
        parse_row(words, file.degrees.size() + 1, fmt::format("{}: line {}", path.string(), number)));
  }
  if (file.degrees.empty())
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: line 1 and the following have no heading \"{}\" with rows below it, "
                            "so it is no list of angles",
                            path.string(), "Proj... Angle(deg)"));
  return file;
}

std::filesystem::path find_angle_file(const std::filesystem::path& folder, const std::string& name) {
  std::error_code unreadable;  // as of a name that is too long
  for (const std::string& candidate : {std::string("_ctdata.txt"), name + "_ctdata.txt", name + ".ang"})
    if (std::filesystem::is_regular_file(folder / candidate, unreadable)) return folder / candidate;
  return {};
}

MeasuredAngles match_angles(const AngleFile& file, const std::vector<double>& nominal) {
  const std::size_t rows = file.degrees.size(), count = nominal.size();
  if (rows != count && rows != count + 1)
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: has {} angles, but {} projections (or one more) were expected",
                            file.path.string(), rows, count));
  const double step = count > 1 ? std::abs(nominal[1] - nominal[0]) : 0;  // 0: nothing to compare with
  const double tolerance = 0.5 * step;
  MeasuredAngles result{.degrees = file.degrees, .findings = {}};
  const bool is_ang = same_letters(file.path.extension().string(), ".ang");
  if (is_ang) {
    std::reverse(result.degrees.begin(), result.degrees.end());
    if (step > 0 && compare(result.degrees, nominal).worst > tolerance &&
        compare(file.degrees, nominal).worst <= tolerance) {
      result.degrees = file.degrees;
      result.findings.push_back(
          {"angles.order", fmt::format("{}: its rows agree with AngularStep from first to last, not from "
                                       "last to first as usual, and are read so",
                                       file.path.filename().string())});
    }
  }
  result.degrees.resize(count);
  if (step == 0) return result;

  const auto [offset, worst, where] = compare(result.degrees, nominal);
  if (worst > tolerance)
    result.findings.push_back(
        {"angles.contradicted",
         fmt::format("{}: the measured angle of projection {} is {:.4f} deg, but AngularStep puts it at "
                     "{:.4f} deg ({:.4f} deg apart, more than half a step of {:.4f} deg)",
                     file.path.filename().string(), where + 1, result.degrees[where], nominal[where] + offset,
                     worst, step),
         "AngularStep"});
  if (std::abs(offset) > tolerance)
    result.findings.push_back({"angles.offset",
                               fmt::format("{}: the measured angles begin {:.4f} deg after InitialAngle, "
                                           "which only turns the volume about its axis",
                                           file.path.filename().string(), offset),
                               "InitialAngle"});
  return result;
}

}  // namespace feldspar::io::nikon
