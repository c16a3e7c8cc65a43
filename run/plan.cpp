// TOML for what people read, lists of numbers for what is long.
#include "run/plan.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cmath>
#include <cstdint>
#include <sstream>

#include "base/error.hpp"
#include "io/content_hash.hpp"
#include "io/stack/toml_text.hpp"
#include "run/options.hpp"

namespace feldspar::run {
namespace {

constexpr std::int64_t plan_version = 1;

toml::array list_of(std::initializer_list<double> values) {
  toml::array list;
  for (const double value : values) list.push_back(value);
  return list;
}

template <class Values>
std::vector<double> doubles(const Values& values) {
  return {values.begin(), values.end()};
}

/// Without the lists of numbers.
recon::Corrections steps_of(const recon::Corrections& all) {
  return {{.columns = all.spec.columns, .rows = all.spec.rows}, all.steps};
}

toml::table plan_table(const Plan& plan) {
  const geometry::VolumeGrid& g = plan.grid;
  const recon::Inspection& seen = plan.inspection;
  toml::table table{{"version", plan_version},
                    {"axis", toml::table{{"offset_mm", plan.axis.offset},
                                         {"roll_rad", plan.axis.roll},
                                         {"tilt_rad", plan.axis.tilt},
                                         {"from", plan.axis_from},
                                         {"offset_uncertainty_mm", plan.axis_uncertainty}}},
                    {"motion", plan.motion},
                    {"grid", toml::table{{"size", toml::array{g.nx, g.ny, g.nz}},
                                         {"spacing_mm", list_of({g.spacing.x, g.spacing.y, g.spacing.z})},
                                         {"origin_mm", list_of({g.origin.x, g.origin.y, g.origin.z})}}},
                    {"back_projection", toml::table{{"radius_mm", plan.projector.radius},
                                                    {"merged_views", plan.projector.merging.views},
                                                    {"tile", plan.projector.merging.tile},
                                                    {"displacement", plan.projector.merging.displacement}}},
                    {"seen", toml::table{{"air_level", seen.air_level},
                                         {"lowest_transmission", seen.lowest_transmission},
                                         {"saturated_share", seen.saturated_share},
                                         {"saturation_level", seen.saturation_level},
                                         {"truncated_share", seen.truncated_share},
                                         {"edge_share", seen.edge_share},
                                         {"air_line_integral", seen.air_line_integral}}}};
  if (plan.outline)
    table.insert("outline", toml::table{{"radius_mm", plan.outline->radius},
                                        {"x_mm", plan.outline->x},
                                        {"y_mm", plan.outline->y}});
  if (plan.context_gain != 0) table.insert("context_gain", plan.context_gain);
  if (const auto& place = plan.context_place)
    table.insert("context_at",
                 toml::table{{"shift_mm", list_of({place->shift.x, place->shift.y, place->shift.z})},
                             {"turn_rad", place->turn}});
  toml::array polynomial, steps, notable, findings, finding_data;
  for (const double c : plan.polynomial) polynomial.push_back(c);
  const recon::Corrections corrections =
      plan.corrections ? steps_of(*plan.corrections) : recon::Corrections{};
  for (const recon::CorrectionStep& step : corrections.steps)
    steps.push_back(step.text), notable.push_back(step.notable);
  for (const std::string& text : texts_of(plan.findings)) findings.push_back(text);
  for (const std::string& data : data_of(plan.findings)) finding_data.push_back(data);
  table.insert("polynomial", polynomial);
  table.insert("corrections", toml::table{{"columns", corrections.spec.columns},
                                          {"rows", corrections.spec.rows},
                                          {"steps", steps},
                                          {"notable", notable}});
  table.insert("findings", findings);
  table.insert("finding_data", finding_data);
  return table;
}

std::vector<io::StoredNumbers> numbers_of(const Plan& plan) {
  static const kernels::CorrectionSpec none;
  const kernels::CorrectionSpec& spec = plan.corrections ? plan.corrections->spec : none;
  std::vector<double> columns, rows, patch_views, patch_pixels, patch_values;
  for (const geometry::ViewShift& shift : plan.shifts)
    columns.push_back(shift.column), rows.push_back(shift.row);
  for (const kernels::CorrectionPatch& patch : spec.patches) {
    patch_views.push_back(patch.view), patch_pixels.push_back(static_cast<double>(patch.pixel));
    patch_values.push_back(static_cast<double>(patch.value));
  }
  std::vector<double> bad;
  for (const std::int64_t pixel : spec.bad_pixels) bad.push_back(static_cast<double>(pixel));
  std::vector<io::StoredNumbers> all{{"shifts_columns_mm", std::move(columns)},
                                     {"shifts_rows_mm", std::move(rows)},
                                     {"view_offset", doubles(spec.view_offset), true},
                                     {"pixel_offset", doubles(spec.pixel_offset), true},
                                     {"bad_pixels", std::move(bad)},
                                     {"patch_views", std::move(patch_views)},
                                     {"patch_pixels", std::move(patch_pixels)},
                                     {"patch_values", std::move(patch_values), true}};
  std::erase_if(all, [](const io::StoredNumbers& list) { return list.values.empty(); });
  return all;
}

/// What is read of the [plan] table; anything that is missing or of another kind is no plan of this version.
class Reader {
 public:
  Reader(const io::StoredPlan& stored, std::filesystem::path where)
      : stored_(stored), where_(std::move(where)) {}

  Plan read() {
    toml::table all = io::stack::parse_toml(stored_.text, where_.string(), ErrorKind::bad_file);
    const toml::table* const table = all["plan"].as_table();
    if (!table || (*table)["version"].value<std::int64_t>() != plan_version)
      refuse("its plan is of another version of the program; reconstruct without it");
    Plan plan = plan_in(*table);
    all.erase("plan");
    std::ostringstream request;
    request << all;
    apply_toml(plan.request, request.str(), where_.string());
    return plan;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorKind::bad_file, fmt::format("{}: {}", where_.string(), why));
  }
  template <class T>
  T get(const toml::node_view<const toml::node>& node, const char* name) const {
    const auto value = node[name].value<T>();
    if (!value) refuse(fmt::format("its plan lacks {}", name));
    if constexpr (std::is_same_v<T, double>)
      if (std::isnan(*value)) refuse(fmt::format("its plan has no number for {}", name));
    return *value;
  }
  geometry::Vec3 vector(const toml::node_view<const toml::node>& node, const char* name) const {
    const toml::array* const list = node[name].as_array();
    if (!list || list->size() != 3) refuse(fmt::format("its plan lacks {}", name));
    const auto at = [&](std::size_t n) {
      const auto value = list->get(n)->value<double>();
      if (!value || !std::isfinite(*value)) refuse(fmt::format("its plan lacks {}", name));
      return *value;
    };
    return {at(0), at(1), at(2)};
  }
  std::vector<std::string> texts(const toml::node_view<const toml::node>& node, const char* name) const {
    std::vector<std::string> all;
    if (const toml::array* const list = node[name].as_array())
      for (const toml::node& one : *list) all.push_back(one.value<std::string>().value_or(""));
    return all;
  }
  [[nodiscard]] std::vector<double> numbers(const char* name) const {
    const std::vector<double>* const found = stored_.find(name);
    return found ? *found : std::vector<double>{};
  }
  template <class T>
  [[nodiscard]] std::vector<T> numbers_as(const char* name) const {
    std::vector<T> all;
    for (const double value : numbers(name)) all.push_back(static_cast<T>(value));
    return all;
  }

  Plan plan_in(const toml::table& table) const {
    const toml::node_view<const toml::node> plan(&static_cast<const toml::node&>(table)),
        axis = plan["axis"], grid = plan["grid"], projection = plan["back_projection"], seen = plan["seen"];
    Plan result;
    result.axis = {get<double>(axis, "offset_mm"), get<double>(axis, "roll_rad"),
                   get<double>(axis, "tilt_rad")};
    result.axis_from = get<std::string>(axis, "from");
    result.axis_uncertainty = get<double>(axis, "offset_uncertainty_mm");
    result.motion = get<std::string>(plan, "motion");
    const geometry::Vec3 size = vector(grid, "size");
    for (const double count : {size.x, size.y, size.z})
      if (!(count >= 1 && count <= 1e6)) refuse("its plan has no sizes of a volume");
    result.grid = {static_cast<int>(size.x), static_cast<int>(size.y), static_cast<int>(size.z),
                   vector(grid, "spacing_mm"), vector(grid, "origin_mm")};
    result.projector.radius = get<double>(projection, "radius_mm");
    result.projector.merging = {get<int>(projection, "merged_views"), get<int>(projection, "tile"),
                                get<double>(projection, "displacement")};
    result.inspection.air_level = get<double>(seen, "air_level");
    result.inspection.lowest_transmission = get<double>(seen, "lowest_transmission");
    result.inspection.saturated_share = get<double>(seen, "saturated_share");
    result.inspection.saturation_level = seen["saturation_level"].value_or(0.0);
    result.inspection.truncated_share = get<double>(seen, "truncated_share");
    result.inspection.edge_share = get<double>(seen, "edge_share");
    result.inspection.air_line_integral = get<double>(seen, "air_line_integral");
    if (const auto outline = plan["outline"])
      result.outline = {get<double>(outline, "radius_mm"), get<double>(outline, "x_mm"),
                        get<double>(outline, "y_mm")};
    result.context_gain = plan["context_gain"].value_or(0.0);
    if (const auto place = plan["context_at"])
      result.context_place = {vector(place, "shift_mm"), get<double>(place, "turn_rad")};
    if (const toml::array* const list = plan["polynomial"].as_array())
      for (const toml::node& one : *list) result.polynomial.push_back(one.value<double>().value_or(NAN));
    result.findings = findings_in(texts(plan, "findings"), texts(plan, "finding_data"));
    read_corrections(plan, result);
    return result;
  }

  void read_corrections(const toml::node_view<const toml::node>& plan, Plan& result) const {
    const auto node = plan["corrections"];
    auto corrections = std::make_shared<recon::Corrections>();
    kernels::CorrectionSpec& spec = corrections->spec;
    spec.columns = get<int>(node, "columns"), spec.rows = get<int>(node, "rows");
    const auto steps = texts(node, "steps");
    const toml::array* const notable = node["notable"].as_array();
    for (std::size_t n = 0; n < steps.size(); ++n)
      corrections->steps.push_back(
          {steps[n], notable && n < notable->size() && notable->get(n)->value_or(true)});
    spec.view_offset = numbers_as<float>("view_offset");
    spec.pixel_offset = numbers_as<float>("pixel_offset");
    spec.bad_pixels = numbers_as<std::int64_t>("bad_pixels");
    const auto views = numbers("patch_views"), pixels = numbers("patch_pixels"),
               values = numbers("patch_values");
    if (views.size() != pixels.size() || views.size() != values.size())
      refuse("its plan has patches of different numbers");
    for (std::size_t n = 0; n < views.size(); ++n)
      spec.patches.push_back(
          {static_cast<int>(views[n]), static_cast<std::int64_t>(pixels[n]), static_cast<float>(values[n])});
    if (spec.columns > 0) result.corrections = corrections;
    const auto columns = numbers("shifts_columns_mm"), rows = numbers("shifts_rows_mm");
    if (columns.size() != rows.size()) refuse("its plan has shifts of different numbers");
    for (std::size_t n = 0; n < columns.size(); ++n) result.shifts.push_back({columns[n], rows[n]});
  }

  const io::StoredPlan& stored_;
  std::filesystem::path where_;
};

}  // namespace

io::StoredPlan store(const Plan& plan) {
  std::ostringstream text;
  text << to_toml(plan.request, true) << '\n' << toml::table{{"plan", plan_table(plan)}} << '\n';
  return {text.str(), numbers_of(plan)};
}

Plan restore(const io::StoredPlan& stored, const std::filesystem::path& where) {
  return Reader(stored, where).read();
}

std::string fingerprint(const Plan& plan) {
  toml::table table = plan_table(plan);
  for (const char* said : {"findings", "finding_data", "motion", "seen"}) table.erase(said);
  std::ostringstream text;
  text << choices_of(plan.request) << table;
  for (const io::StoredNumbers& list : numbers_of(plan)) {
    text << '\n' << list.name << ' ';
    text.write(reinterpret_cast<const char*>(list.values.data()),
               static_cast<std::streamsize>(list.values.size() * sizeof(double)));
  }
  return io::text_hash(text.str());
}

}  // namespace feldspar::run
