// The table, and the two ways through it.
#include "run/options.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <limits>
#include <sstream>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/stack/toml_text.hpp"
#include "run/texts.hpp"
#include "run/transform.hpp"

namespace feldspar::run {
namespace {

using run::text_of;  // beside those below

using Text = const std::string&;

constexpr std::pair<const char*, bool> flags[] = {{"true", true}, {"false", false}};
constexpr std::pair<const char*, bool> regions[] = {{"full", false}, {"auto", true}};
constexpr std::pair<const char*, bool> switches[] = {{"on", true}, {"off", false}};
constexpr std::pair<const char*, Treatment> treatments[] = {{"auto", Treatment::automatic},
                                                            {"off", Treatment::off}};
constexpr std::pair<const char*, io::VoxelType> types[] = {{"float32", io::VoxelType::float32},
                                                           {"uint16", io::VoxelType::uint16}};
constexpr std::pair<const char*, const char*> angles[] = {
    {"auto", "auto"}, {"nominal", "nominal"}, {"file", "file"}};
constexpr std::pair<const char*, std::optional<recon::StripeMethod>> ring_methods[] = {
    {"gain", std::nullopt},
    {"sorting", recon::StripeMethod::sorting},
    {"all", recon::StripeMethod::all},
    {"wavelet", recon::StripeMethod::wavelet}};

std::string text_of(bool value) { return value ? "true" : "false"; }

double positive_length(Text text, Text what) {
  const double length = parse_length_mm(text, what);
  if (!(length > 0)) refuse(what, text, "is not a positive length");
  return length;
}

std::array<int, 3> size_of(Text text, Text what) {
  const auto parts = split_list(text, 3, what);
  std::array<int, 3> size{};
  for (std::size_t n = 0; n < 3; ++n) {
    double count = 0;
    if (!parse_number(parts[n], count) || count < 1 || count > 1e6 || count != static_cast<int>(count))
      refuse(what, parts[n], "is not a number of voxels; write for example 512,512,400");
    size[n] = static_cast<int>(count);
  }
  return size;
}

geometry::Vec3 place_of(Text text, Text what) {
  const auto parts = split_list(text, 3, what);
  return {parse_length_mm(parts[0], what), parse_length_mm(parts[1], what), parse_length_mm(parts[2], what)};
}

void set_axis_offset(Request& request, Text text, Text what) {
  if (text == "checked")
    request.axis_offset = From::checked;
  else if (text == "metadata")
    request.axis_offset = From::file;
  else if (text == "auto")
    request.axis_offset = From::search;
  else
    request.axis_offset = parse_length_or_pixels(text, what);
}

std::string text_of_axis_offset(const Request& request) {
  if (const auto* from = std::get_if<From>(&request.axis_offset))
    return *from == From::checked ? "checked" : *from == From::file ? "metadata" : "auto";
  const auto& given = std::get<LengthOrPixels>(request.axis_offset);
  return given.is_pixels ? fmt::format("{}px", given.value) : text_of_length(given.value);
}

Merging merging_of(Text text, Text what) {
  if (text == "off") return {Merging::Kind::off, 1};
  if (text == "auto") return {};
  double count = 0;
  if (!parse_number(text, count) || count != static_cast<int>(count) || count < 1 ||
      count > kernels::ViewMerging::most_views)
    refuse(what, text,
           fmt::format("is not off, auto or a number of views up to {}", kernels::ViewMerging::most_views));
  return {Merging::Kind::given, static_cast<int>(count)};
}

std::string text_of(const Merging& merging) {
  switch (merging.kind) {
    case Merging::Kind::off: return "off";
    case Merging::Kind::automatic: return "auto";
    case Merging::Kind::given: break;
  }
  return fmt::format("{}", merging.views);
}

std::string text_of(const recon::CorrectionChoice& choice) {
  if (choice == recon::CorrectionChoice{}) return "auto";
  std::string text;
  for (const auto& [name, wanted] :
       {std::pair{"zingers", choice.zingers}, std::pair{"bad-pixels", choice.bad_pixels},
        std::pair{"rings", choice.rings}, std::pair{"drift", choice.drift}})
    if (wanted) text.append(text.empty() ? "" : ",").append(name);
  return text.empty() ? "off" : text;
}

std::string text_of(const recon::ScatterModel& model) {
  switch (model.kind) {
    case recon::ScatterModel::Kind::none: return "off";
    case recon::ScatterModel::Kind::constant: return fmt::format("constant:{}", model.share);
    case recon::ScatterModel::Kind::kernel: break;
  }
  return fmt::format("kernel:{}", model.share);
}

void set_range(Request& request, Text text, Text what) {
  const auto parts = split_list(text, 2, what);
  double lowest = 0, highest = 0;
  if (!parse_number(parts[0], lowest) || !parse_number(parts[1], highest) || !(lowest < highest))
    refuse(what, text, "is not two growing numbers in 1/mm");
  request.lowest = lowest, request.highest = highest;
}

/// What a library of a lower floor reads, with the option's name in front of its errors.
template <class Read>
auto reading(Text what, const Read& read) {
  try {
    return read();
  } catch (const Error& error) {
    throw Error(error, fmt::format("{}: {}", what, error.what()));
  }
}

void set_cutoff(Request& request, Text text, Text what) {
  double cutoff = 0;
  if (!parse_number(text, cutoff)) refuse(what, text, "is no plain number, as 0.5");
  reading(what, [&] { kernels::validate(kernels::RampOptions{.cutoff = cutoff}); });
  request.ramp.cutoff = cutoff;
}

constexpr double endless = std::numeric_limits<double>::max();

// A line a thing: set(request, text, what) and text(request).
#define SET(...) [](Request& r, Text t, Text w) { __VA_ARGS__; }
#define TEXT(...) [](const Request& r) -> std::string { return __VA_ARGS__; }
const Option table[] = {
    {"scan", Topic::input, false, true, "PATH", "The scan: its file (.xtekct, .txrm, .nxs) or folder",
     SET(r.scan = t; (void)w), TEXT(r.scan.string())},
    {"white-level", Topic::input, false, true, "COUNTS",
     "Counts of the open beam, instead of the scan's own value",
     [](Request& r, Text t, Text w) {
       r.open.white_level = parse_in_range(t, 0, endless, "a positive number of counts", w);
       if (!(r.open.white_level > 0)) refuse(w, t, "is not a positive number of counts");
     },
     TEXT(r.open.white_level > 0 ? fmt::format("{}", r.open.white_level) : "")},
    {"angles", Topic::input, false, true, "auto|nominal|file",
     "Angles of the views: nominal (start and step), file (as measured) or auto (as the scan says)",
     SET(r.open.angles = parse_name(t, angles, w)), TEXT(r.open.angles)},
    {"pixel-size", Topic::input, false, true, "LENGTH",
     "Detector pitch as 6.5um, for NXtomo and Data Exchange files that lack it",
     SET(r.open.pixel_pitch = positive_length(t, w)),
     TEXT(r.open.pixel_pitch > 0 ? text_of_length(r.open.pixel_pitch) : "")},
    {"reverse-rotation", Topic::input, true, true, "", "The object turned the other way than the format says",
     SET(r.open.reverse_rotation = parse_name(t, flags, w)), TEXT(text_of(r.open.reverse_rotation))},
    {"allow-missing", Topic::input, true, true, "", "Leave out projections that are missing or unreadable",
     SET(r.open.allow_missing = parse_name(t, flags, w)), TEXT(text_of(r.open.allow_missing))},
    {"views", Topic::input, false, true, "FIRST:END:STEP", "Only these views",
     SET(r.views = parse_view_range(t, w)),
     TEXT(r.views.is_all() ? ""
                           : fmt::format("{}:{}:{}", r.views.first,
                                         r.views.end ? fmt::format("{}", *r.views.end) : "", r.views.step))},
    {"sample", Topic::input, false, false, "FILE",
     "What is known of the sample, to be stored: a .toml, or the text that a battery cycler exports",
     SET(r.sample = t; (void)w), TEXT(r.sample.string())},

    {"voxel-size", Topic::region, false, true, "LENGTH", "As 36um; default: detector pitch / magnification",
     SET(r.voxel_size = positive_length(t, w)), TEXT(r.voxel_size ? text_of_length(*r.voxel_size) : "")},
    {"size", Topic::region, false, true, "NX,NY,NZ", "Voxels; default: what the detector covers",
     SET(r.size = size_of(t, w)), TEXT(r.size ? fmt::format("{}", fmt::join(*r.size, ",")) : "")},
    {"center", Topic::region, false, true, "X,Y,Z",
     "Middle of the volume from the axis at the central ray's height: 0,0,4.5mm",
     SET(r.center = place_of(t, w)),
     TEXT(r.center ? fmt::format("{},{},{}", text_of_length(r.center->x), text_of_length(r.center->y),
                                 text_of_length(r.center->z))
                   : "")},
    {"like", Topic::region, false, true, "VOLUME",
     "The same voxels as those of this volume (.h5), place and size", SET(r.like = t; (void)w),
     TEXT(r.like.string())},
    {"transform", Topic::region, false, true, "FILE|S,RX,RY,RZ,X,Y,Z",
     "Where this scan's object lies among the voxels: the transform.toml of `feldspar compare`, or scale, "
     "rotation "
     "vector and shift",
     SET(r.transform = parse_transform(t, w);
         r.transform_file = std::filesystem::is_regular_file(t) ? t : ""),
     TEXT(r.transform ? text_of(*r.transform) : "")},
    {"roi", Topic::region, false, true, "full|auto",
     "Region: full, or auto (the box around the object, from a few views)",
     SET(r.cut_to_object = parse_name(t, regions, w)), TEXT(name_in(regions, r.cut_to_object))},

    {"axis-offset", Topic::geometry, false, true, "LENGTH|PIXELS|checked|metadata|auto",
     "Rotation axis to the right of the central ray, at the object, as 0.12mm or 1.5px; checked (default): "
     "the file's, unless the projections contradict it, or as they have it where the file states none; "
     "metadata: the file's at its word; auto: it and its roll from the projections",
     set_axis_offset, text_of_axis_offset},
    {"axis-roll", Topic::geometry, false, true, "ANGLE",
     "Rotation axis leaning to the right seen from the source, as 0.1deg",
     SET(r.axis_roll = parse_angle_rad(t, w)), TEXT(r.axis_roll ? text_of_angle(*r.axis_roll) : "")},
    {"motion", Topic::geometry, false, true, "off|auto",
     "Shifts of single views while the scan was taken: off (only what the file states), or auto to find them "
     "by "
     "re-projection",
     SET(r.motion = parse_name(t, treatments, w)), TEXT(name_in(treatments, r.motion))},

    {"correct", Topic::corrections, false, true, "LIST",
     "Intensities: off, auto, or some of zingers, bad-pixels, rings, drift, all; auto,zingers adds one, "
     "no-rings leaves "
     "one out",
     SET(r.correct = reading(w, [&] { return recon::parse_corrections(t); })), TEXT(text_of(r.correct))},
    {"rings", Topic::corrections, false, true, "gain|sorting|all|wavelet",
     "How: gain (of single pixels), or in sinograms sorting, all (dead and large stripes too), wavelet",
     SET(r.stripes = parse_name(t, ring_methods, w)), TEXT(name_in(ring_methods, r.stripes))},
    {"hardening", Topic::corrections, false, true, "file|auto|off|C1,C2,...",
     "Beam hardening: file (the scan's own polynomial, if any), auto (found from the scan), off, or "
     "coefficients of p, "
     "p^2, ... as 0.75,0.25",
     SET(r.hardening = parse_hardening(t, w)), TEXT(text_of(r.hardening))},
    {"scatter", Topic::corrections, false, true, "off|constant:SHARE|kernel:SHARE",
     "Scatter: off, constant:SHARE of the open beam, or kernel:SHARE of what the object scatters",
     SET(r.scatter = reading(w, [&] { return recon::parse_scatter(t); })), TEXT(text_of(r.scatter))},
    {"truncation", Topic::corrections, false, true, "auto|off",
     "An object wider than the detector: auto continues its rows beyond it, off takes them for air",
     SET(r.truncation = parse_name(t, treatments, w)), TEXT(name_in(treatments, r.truncation))},
    {"outline", Topic::corrections, false, true, "cylinder:D@X,Y",
     "The object's outline, to continue rows by, as cylinder:18.3mm@-5mm,0mm (diameter, and where its axis "
     "stands)",
     SET(r.outline = parse_outline(t, w)), TEXT(r.outline ? text_of(*r.outline) : "")},
    {"context", Topic::corrections, false, true, "VOLUME",
     "A reconstruction of the wider object (.h5), to continue rows by its projections",
     SET(r.context = t; (void)w), TEXT(r.context.string())},
    {"context-at", Topic::corrections, false, true, "X,Y,Z[,ANGLE]",
     "Where in it this scan's origin is, as 5mm,0mm,0mm, and by how much it is turned, as ,12deg",
     SET(r.context_at = parse_placement(t, w)), TEXT(r.context_at ? text_of(*r.context_at) : "")},

    {"window", Topic::filter, false, true, "NAME", "Filter: ram-lak, shepp-logan, cosine, hamming, hann",
     SET(r.ramp.window = reading(w, [&] { return kernels::parse_ramp_window(t); })),
     TEXT(std::string(kernels::name_of(r.ramp.window)))},
    {"cutoff", Topic::filter, false, true, "SHARE", "Filter cutoff, a fraction of the Nyquist frequency",
     set_cutoff, TEXT(fmt::format("{}", r.ramp.cutoff))},
    {"fast", Topic::filter, false, true, "off|auto|N",
     "Merge neighbouring views in back-projection: off, auto, or how many (2 to 16)",
     SET(r.merging = merging_of(t, w)), TEXT(text_of(r.merging))},

    {"output", Topic::output, false, false, "FILE", "The HDF5 file to write", SET(r.output = t; (void)w),
     TEXT(r.output.string())},
    {"slabs", Topic::output, false, false, "K/N",
     "Only share K of N of the volume's slabs, as 3/16, into a part for `feldspar join`",
     SET(r.share = parse_share(t, w)),
     TEXT(r.share.is_whole() ? "" : fmt::format("{}/{}", r.share.number, r.share.count))},
    {"type", Topic::output, false, true, "float32|uint16", "Voxels as float32 or uint16",
     SET(r.type = parse_name(t, types, w)), TEXT(name_in(types, r.type))},
    {"range", Topic::output, false, true, "LOW,HIGH", "What uint16 spans, in 1/mm", set_range,
     TEXT(fmt::format("{},{}", r.lowest, r.highest))},
    {"compress", Topic::output, false, true, "LEVEL", "Deflate level; 0 stores plainly",
     SET(r.deflate = parse_whole(t, 0, 9, w)), TEXT(fmt::format("{}", r.deflate))},
    {"no-hash", Topic::output, true, false, "", "Do not hash the input files into the output",
     SET(r.hash_inputs = !parse_name(t, flags, w)), TEXT(text_of(!r.hash_inputs))},
    {"verify", Topic::output, false, false, "on|off",
     "Check the volume against the scan: on, or off; exit code 9 when it cannot be trusted",
     SET(r.verify = parse_name(t, switches, w)), TEXT(name_in(switches, r.verify))},

    {"device", Topic::machine, false, false, "NAME",
     "Where to compute; `feldspar devices` lists them; cuda shares the work between all GPUs, cuda:0,cuda:2 "
     "between two",
     SET(r.machine.device = t; (void)w), TEXT(r.machine.device)},
    {"memory", Topic::machine, false, false, "BYTES",
     "Most memory the program may use, as 4GiB; default: 3/4 of what is free",
     SET(r.machine.memory = parse_bytes(t, w)),
     TEXT(r.machine.memory ? fmt::format("{}B", *r.machine.memory) : "")},
    {"gpu-memory", Topic::machine, false, false, "BYTES",
     "Most memory to use of each GPU, as 20GiB; default: what its driver has free",
     SET(r.machine.gpu_memory = parse_bytes(t, w)),
     TEXT(r.machine.gpu_memory ? fmt::format("{}B", *r.machine.gpu_memory) : "")},
    {"threads", Topic::machine, false, false, "N", "Threads of the CPU; default: all",
     SET(r.machine.threads = parse_whole(t, 1, 4096, w)),
     TEXT(r.machine.threads > 0 ? fmt::format("{}", r.machine.threads) : "")},
};
#undef SET
#undef TEXT

}  // namespace

const char* name_of(Topic topic) noexcept {
  switch (topic) {
    case Topic::input: return "Input";
    case Topic::region: return "Region";
    case Topic::geometry: return "Geometry";
    case Topic::corrections: return "Corrections";
    case Topic::filter: return "Filter and back-projection";
    case Topic::output: return "Output";
    case Topic::machine: return "Machine";
  }
  return "";
}

std::span<const Option> options() { return table; }

const Option* find_option(std::string_view name) {
  const auto* const found =
      std::ranges::find(table, name, [](const Option& one) { return std::string_view(one.name); });
  return found == std::end(table) ? nullptr : found;
}

void apply_toml(Request& request, const std::string& toml, const std::string& what) {
  const toml::table values = io::stack::parse_toml(toml, what, ErrorKind::usage);
  for (const auto& [key, value] : values) {
    const std::string name(key.str()), where = fmt::format("{}: {}", what, name);
    const Option* const option = find_option(name);
    if (!option) throw Error(ErrorKind::usage, fmt::format("{}: there is no such option", where));
    const std::string text = io::stack::text_of_value(value, where);
    if (trimmed(text).empty()) refuse(where, text, "is empty");
    option->set(request, text, where);
  }
}

std::string toml_line(const std::string& key, const std::string& value) {
  std::ostringstream out;
  out << toml::value<std::string>(value);
  return fmt::format("{} = {}\n", key, out.str());
}

std::string to_toml(const Request& request, bool all) {
  std::string toml;
  for (const Option& option : table) {
    if (!option.shapes && !all) continue;
    const std::string text = option.text(request);
    if (text.empty()) continue;
    toml += option.flag ? fmt::format("{} = {}\n", option.name, text) : toml_line(option.name, text);
  }
  return toml;
}

std::string choices_of(Request request) {
  request.scan.clear(), request.like.clear(), request.context.clear();
  return to_toml(request);
}

}  // namespace feldspar::run
