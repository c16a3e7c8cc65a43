#include "io/hdf5/stored_units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/units.hpp"

namespace feldspar::io::hdf5 {

void UnitReader::note(const std::string& object, const std::string& value, SourceField::Use use,
                      const std::string& why) {
  const std::size_t slash = object.rfind('/');
  const std::string group = slash == 0 || slash == std::string::npos ? "" : object.substr(1, slash - 1);
  fields_.push_back({group, object.substr(slash + 1), value, use, why});
}

void UnitReader::leave_out(const std::string& object, const std::string& why) {
  const std::size_t before = fields_.size();
  note(object, "", SourceField::Use::ignored, why);
  const SourceField left_out = fields_.back();
  fields_.pop_back();
  for (std::size_t n = 0; n < before; ++n)
    if (fields_[n].section == left_out.section && fields_[n].name == left_out.name) {
      fields_[n].use = left_out.use, fields_[n].note = left_out.note;
      return;
    }
  if (const std::vector<double> values = file_.numbers(object); !values.empty())
    note(object, fmt::format("{} {}", values[0], file_.units(object)), left_out.use, why);
}

void UnitReader::find(Finding finding) {
  finding.text.insert(0, file_.path().filename().string() + ": ");
  findings_.push_back(std::move(finding));
}

std::optional<double> UnitReader::length(const std::string& dataset, const char* unstated,
                                         const Remedies& remedies) {
  const std::vector<double> values = file_.numbers(dataset);
  if (values.empty()) return std::nullopt;
  const std::string stated = file_.units(dataset), unit = stated.empty() ? unstated : stated;
  const std::string text = fmt::format("{} {}", values[0], stated);
  const auto factor = millimetres_in(unit);
  if (!factor)
    file_.refuse(ErrorKind::bad_file,
                 fmt::format("{} is '{}', whose unit is none of a length that is known; correct it in a copy "
                             "of the file, as um, mm or m",
                             dataset, text),
                 remedies);
  if (!std::isfinite(values[0])) {
    note(dataset, text, SourceField::Use::ignored, "no number");
    find({"field.no-length", fmt::format("{} is '{}', which is no length, and is not used", dataset, text),
          dataset});
    return std::nullopt;
  }
  note(dataset, text, SourceField::Use::used,
       stated.empty() ? fmt::format("no units are stated: {} are assumed", unstated) : "");
  if (stated.empty())
    find({"field.unit-assumed", fmt::format("{} has no units; {} are assumed", dataset, unstated), dataset});
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*high - *low > 1e-6 * std::abs(values[0]))
    find({"field.varies",
          fmt::format("{} varies from {} to {} {}; the first value, {}, is used", dataset, *low, *high, unit,
                      values[0]),
          dataset});
  return values[0] * *factor;
}

std::vector<double> UnitReader::angles(const std::string& dataset) {
  std::vector<double> values = file_.numbers(dataset);
  if (values.empty()) return values;
  double widest = 0;
  for (const double value : values)
    if (std::isfinite(value)) widest = std::max(widest, std::abs(value));
  const std::string stated = file_.units(dataset);
  const auto unit = radians_in(stated);
  if (!unit && !stated.empty())
    find({"angles.unit",
          fmt::format("{} has the units '{}', which are none of an angle; they are ignored", dataset, stated),
          dataset});
  const bool beyond_radians = widest > 4 * std::numbers::pi;
  double factor = unit ? *unit : widest > 2 * std::numbers::pi + 0.1 ? radians_per_degree : 1;
  if (unit && *unit == 1 && beyond_radians) {
    factor = radians_per_degree;
    find({"angles.unit",
          fmt::format("{} states radians, but reaches {}; degrees are assumed", dataset, widest), dataset});
  }
  if (!unit)
    find({"angles.unit",
          fmt::format("{} has no units; from its values, up to {}, {} are assumed", dataset, widest,
                      factor == 1 ? "radians" : "degrees"),
          dataset});
  for (double& value : values) value *= factor;
  note(dataset, fmt::format("{} values in {}", values.size(),
                            factor == 1                    ? "radians"
                            : factor == radians_per_degree ? "degrees"
                                                           : stated));
  return values;
}

}  // namespace feldspar::io::hdf5
