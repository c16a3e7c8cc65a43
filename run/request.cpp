#include "run/request.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "run/transform.hpp"

namespace feldspar::run {
namespace {

[[noreturn]] void refuse(const char* why, ErrorKind kind = ErrorKind::usage) { throw Error(kind, why); }

void validate_transform(const Request& request) {
  if (!request.transform) return;
  if (request.cut_to_object)
    refuse("--transform and --roi auto exclude each other; choose the voxels with --like or --size");
  if (request.outline || !request.context.empty())
    refuse(
        "--transform cannot be had with --outline or --context, which say where things are in the scan's own "
        "place; "
        "reconstruct without --transform",
        ErrorKind::unsupported);
  if (leans(*request.transform) && request.merging.kind == Merging::Kind::given && request.merging.views > 1)
    refuse("--transform leans the axis, and merged views need it upright; use --fast off",
           ErrorKind::unsupported);
}

void validate_region(const Request& request) {
  const bool placed = request.size || request.center;
  if (!request.like.empty() && (placed || request.voxel_size || request.cut_to_object))
    throw Error(
        ErrorKind::usage,
        fmt::format(
            "--like excludes --voxel-size, --size, --center and --roi auto: it takes all of them from {}",
            request.like.string()));
  if (request.cut_to_object && placed)
    refuse("--roi auto and --size or --center exclude each other: both choose the region");
  validate_transform(request);
}

}  // namespace

Request::Request() = default;

std::vector<int> ViewRange::of(int count) const {
  const int last = end.value_or(count);
  if (last > count || first >= last)
    throw Error(ErrorKind::usage, fmt::format("--views: '{}:{}:{}' leaves no view of the {} there are", first,
                                              end ? fmt::format("{}", last) : "", step, count));
  std::vector<int> views;
  for (int n = first; n < last; n += step) views.push_back(n);
  return views;
}

void validate(const Request& request) {
  validate_region(request);
  if (request.stripes && !request.correct.rings)
    refuse("--rings asks for what --correct leaves out; add rings there");
  const bool given = request.outline || !request.context.empty();
  if (request.truncation == Treatment::off && given)
    refuse("--truncation off and --outline or --context exclude each other: the latter say how to treat it");
  if (request.context_at && request.context.empty())
    refuse("--context-at says where in a wide volume; name it with --context");
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
