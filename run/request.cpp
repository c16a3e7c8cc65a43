#include "run/request.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"
#include "run/transform.hpp"

namespace feldspar::run {
namespace {

[[noreturn]] void refuse(const char* why, Remedies remedies, ErrorKind kind = ErrorKind::usage) {
  throw Error(kind, why, std::move(remedies));
}

void validate_transform(const Request& request) {
  if (!request.transform) return;
  if (request.cut_to_object)
    refuse("a transform and the region of the object exclude each other",
           {{"roi", "auto", "leave out"}, {"like", "", "choose the voxels with"}, {"size", "", ""}});
  if (request.outline || !request.context.empty())
    refuse(
        "a transform cannot be had with an outline or a context, which say where things are in the scan's "
        "own place",
        {{"transform", "", "reconstruct without"}, {"outline", "", "without"}, {"context", "", "without"}},
        ErrorKind::unsupported);
  if (leans(*request.transform) && request.merging.kind == Merging::Kind::given && request.merging.views > 1)
    refuse("the transform leans the axis, and merged views need it upright", {{"fast", "off"}},
           ErrorKind::unsupported);
}

void validate_region(const Request& request) {
  const bool placed = request.size || request.center;
  if (!request.like.empty() && (placed || request.voxel_size || request.cut_to_object))
    throw Error(ErrorKind::usage,
                fmt::format("the voxels of {} exclude another size, number, middle or region of them",
                            request.like.string()),
                {{"like", "", "leave out"},
                 {"voxel-size", "", "leave out"},
                 {"size", "", ""},
                 {"center", "", ""},
                 {"roi", "", ""}});
  if (request.cut_to_object && placed)
    refuse(
        "the region of the object and a size or middle that is given exclude each other: both choose the "
        "region",
        {{"roi", "auto", "leave out"}, {"size", "", "leave out"}, {"center", "", ""}});
  validate_transform(request);
}

}  // namespace

Request::Request() = default;

std::vector<int> ViewRange::of(int count) const {
  const int last = end.value_or(count);
  if (last > count || first >= last)
    throw Error(ErrorKind::usage,
                fmt::format("the choice of views '{}:{}:{}' leaves no view of the {} there are", first,
                            end ? fmt::format("{}", last) : "", step, count));
  std::vector<int> views;
  for (int n = first; n < last; n += step) views.push_back(n);
  return views;
}

void validate(const Request& request) {
  validate_region(request);
  if (request.stripes && !request.correct.rings)
    refuse("how rings are corrected is said, but their correction is left out",
           {{"correct", "rings", "have them corrected with"}, {"rings", "", "leave out"}});
  const bool given = request.outline || !request.context.empty();
  if (request.truncation == Treatment::off && given)
    refuse(
        "that truncation is not treated, and an outline or a context, exclude each other: the latter say how "
        "to treat it",
        {{"truncation", "off", "leave out"}});
  if (request.context_at && request.context.empty())
    refuse("where this scan lies in a wide volume is said, but no wide volume is named",
           {{"context", "VOLUME", "name it with"}});
  kernels::validate(request.ramp);
}

std::vector<std::filesystem::path> inputs_of(const Request& request) {
  std::vector<std::filesystem::path> inputs;
  for (const std::filesystem::path& input :
       {request.scan, request.like, request.context, request.transform_file, request.sample})
    if (!input.empty()) inputs.push_back(input);
  return inputs;
}

}  // namespace feldspar::run
