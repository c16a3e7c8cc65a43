#include "run/memory_needs.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/correct/find_corrections.hpp"
#include "recon/correct/scatter.hpp"
#include "recon/correct/stripe_free_source.hpp"
#include "recon/find/axis_choice.hpp"
#include "recon/find/hardening.hpp"
#include "recon/find/motion.hpp"
#include "recon/find/object_extent.hpp"
#include "recon/measure/projection_sample.hpp"
#include "recon/verify/strips.hpp"
#include "recon/verify/verify.hpp"
#include "run/resolve.hpp"
#include "run/searches.hpp"

namespace feldspar::run {
namespace {

/// A scan as it will be once its scatter is taken off: of floating-point counts. Nothing is read from it.
class Widened final : public io::WrappedSource {
 public:
  using io::WrappedSource::WrappedSource;
  [[nodiscard]] io::CountType count_type() const override { return io::CountType::float32; }
};

bool removes_stripes(const Request& request) { return request.correct.rings && request.stripes; }

bool is_axis(const Request& request, From wanted) {
  const From* const from = std::get_if<From>(&request.axis_offset);
  return from && *from == wanted;
}

/// The scan as it may become: an axis that was looked for leans a little, so that projections are resampled.
geometry::CircularScan foreseen(const Reconstruction& work, bool known) {
  const Request& request = work.request();
  geometry::CircularScan scan = work.scan;
  if (known) {
    scan.axis = work.plan.axis, scan.shifts = work.plan.shifts;
    return scan;
  }
  constexpr double lean = 0.5 * radians_per_degree;
  if (const auto* given = std::get_if<LengthOrPixels>(&request.axis_offset))
    scan.axis.offset = given->in_mm(scan.detector.column_pitch / scan.magnification());
  if (request.axis_roll)
    scan.axis.roll = *request.axis_roll;
  else if (is_axis(request, From::search) ||
           (is_axis(request, From::checked) && !recon::states_axis(*work.source)))
    scan.axis.roll += lean;
  if (request.motion == Treatment::automatic && scan.shifts.empty()) scan.shifts.resize(scan.angles.size());
  return scan;
}

/// What corrections that are not measured yet will hold, and their copies.
struct ForeseenCorrections {
  std::size_t kept = 0, copies = 0;
  std::shared_ptr<const recon::Corrections> spec;  ///< without the maps
};

ForeseenCorrections foresee(const Request& request, const io::ScanSource& source) {
  const recon::CorrectionChoice& choice = request.correct;
  ForeseenCorrections result;
  auto corrections = std::make_shared<recon::Corrections>();
  corrections->spec.columns = source.scan().detector.columns;
  corrections->spec.rows = source.scan().detector.rows;
  if (choice.bad_pixels) corrections->spec.bad_pixels = {0};
  if (choice.any()) result.spec = corrections;
  if (!choice.rings || removes_stripes(request)) return result;
  const std::size_t map = recon::pixels_of(source) * sizeof(float);
  const Hardening::Kind kind = request.hardening.kind;  // with a polynomial there is a map beside the plan's
  const bool linearized = kind == Hardening::Kind::given || kind == Hardening::Kind::search ||
                          (kind == Hardening::Kind::file && !source.description().hardening.empty());
  result.kept = linearized ? 2 * map : map, result.copies = 2 * map;
  return result;
}

/// Beyond what is in use: the smallest slabs there are.
std::size_t slabs_bytes(const Reconstruction& work, const io::ScanSource& source,
                        const recon::FdkSetup& setup, recon::FdkOptions fdk, geometry::Range slices) {
  const ForeseenCorrections corrections = foresee(work.request(), source);
  fdk.used_bytes = 0;
  fdk.corrections = corrections.spec;
  const std::size_t views = setup.view_indices.size();
  if (removes_stripes(work.request())) {
    fdk.held_row_bytes = views * sizeof(float) * static_cast<std::size_t>(source.scan().detector.columns);
    fdk.source_bytes = recon::StripeFreeSource::bytes_a_thread(source, views);
  }
  const auto costs = recon::costs_on(work.shop.devices(), source, setup, fdk);
  return recon::least_memory(setup, fdk.grid, costs, slices) + corrections.kept + corrections.copies;
}

/// The most needing stage so far.
struct Most {
  std::size_t bytes = 0;
  std::string purpose;

  void add(std::size_t needed, const char* what) {
    if (needed > bytes) bytes = needed, purpose = what;
  }
};

/// A wide volume's voxels that stay, and the extension they can ask for at most.
struct ForeseenContext {
  recon::ContextBytes bytes;
  std::shared_ptr<const recon::Extension> extension;
};

ForeseenContext foresee_context(const Request& request, const geometry::CircularScan& scan,
                                const recon::FdkSetup& setup) {
  ForeseenContext result;
  if (request.outline)
    result.extension = std::make_shared<recon::Extension>(recon::extend_by_outline(setup, *request.outline));
  if (request.context.empty()) return result;
  const geometry::VolumeGrid grid = io::VolumeReader(request.context).grid();
  result.bytes = recon::context_bytes(grid, interior_scan(request, scan, setup));
  const recon::Outline widest{.radius = 0.5 * std::hypot(grid.nx, grid.ny) * grid.spacing.x};
  if (!request.outline && widest.radius < 0.9 * scan.source_object_distance)
    result.extension = std::make_shared<recon::Extension>(recon::extend_by_outline(setup, widest));
  return result;
}

/// What is beside the slabs in memory: all that a search may need of it.
struct Foreseen {
  const Request& request;
  const io::ScanSource& source;
  const geometry::CircularScan& scan;
  const std::vector<int>& views;
  recon::Resources resources;
  std::size_t kept = 0;       ///< by the source, from the beginning
  std::size_t wide_kept = 0;  ///< by the context, from the look at it on
};

void add_searches(const Foreseen& of, Most& most) {
  const auto& [request, source, scan, views, resources, kept, wide_kept] = of;
  if (is_axis(request, From::checked))
    most.add(kept + recon::centre_bytes(source, views.size()), "checking the rotation axis");
  if (is_axis(request, From::search))
    most.add(kept + recon::axis_bytes(source, scan, views, resources), "looking for the rotation axis");
  if (request.motion == Treatment::automatic)
    most.add(kept + recon::motion_bytes(source, scan, views, resources), "looking for motion");
  if (request.cut_to_object) most.add(kept + recon::find_object_bytes(source), "looking for the object");
  most.add(kept + recon::inspection_bytes(source), "looking at the projections");
  recon::CorrectionChoice choice = request.correct;
  if (removes_stripes(request)) choice.rings = false;
  most.add(kept + wide_kept + recon::corrections_bytes(source, choice, resources.threads),
           "measuring corrections");
}

}  // namespace

void require_slabs(const Reconstruction& work) {
  require_memory(*work.shop.budget, slabs_bytes(work, *work.source, work.setup, work.fdk, work.share.slices),
                 "this reconstruction");
}

std::size_t foresee_memory(const Reconstruction& work, bool known, bool verified) {
  const Request& request = work.request();
  const recon::Resources resources = work.shop.resources();
  const geometry::CircularScan scan = foreseen(work, known);
  const std::vector<int> views = chosen_views(request, scan);
  const recon::FdkSetup setup = recon::prepare_fdk(scan, views);
  const bool scatters = request.scatter.kind != recon::ScatterModel::Kind::none;
  const Widened widened(*work.source);
  const io::ScanSource& source = scatters ? static_cast<const io::ScanSource&>(widened) : *work.source;
  const recon::ScatterBytes scatter = scatters ? recon::scatter_bytes(*work.source) : recon::ScatterBytes{};
  Most most;
  const std::size_t kept = scatter.kept;  // from then on
  recon::FdkOptions fdk{.grid = {}, .ramp = {}, .projector = {}};
  fdk.grid = known                   ? work.plan.grid
             : request.cut_to_object ? geometry::VolumeGrid{}
                                     : planned_grid(request, scan);
  const geometry::FieldOfView seen = geometry::field_of_view(scan);
  fdk.projector.radius = geometry::is_displaced(scan) ? seen.outer_radius : seen.inner_radius;
  if (fdk.grid.voxels() > 0)
    fdk.projector =
        known ? work.plan.projector : make_projector(request, scan, setup, fdk.grid, *work.shop.backend);
  const ForeseenContext wide = foresee_context(request, scan, setup);
  fdk.extension = wide.extension;
  if (!request.open.headers_only) {
    most.add(scatter.kept + scatter.estimating, "estimating scatter");
    if (!known) add_searches({request, source, scan, views, resources, kept, wide.bytes.kept}, most);
    most.add(kept + wide.bytes.kept + std::max(wide.bytes.reading, recon::transmissions_bytes(source)),
             "looking at the wide volume");
    const bool offered = offers_hardening(request, known) && source.description().hardening.empty();
    if (offered || (!known && request.hardening.kind == Hardening::Kind::search)) {
      const ForeseenCorrections corrections = foresee(request, source);
      fdk.corrections = corrections.spec;
      most.add(kept + wide.bytes.kept + 2 * corrections.kept + corrections.copies +
                   recon::hardening_bytes(source, scan, setup, fdk, resources.backend),
               "finding the correction of hardening");
      fdk.corrections = nullptr;
    }
  }
  if (asks_projections(request, known, verified)) {
    const std::size_t held = kept + wide.bytes.kept + foresee(request, source).kept;
    most.add(held + recon::strips_bytes(setup) + recon::strip_reading_bytes({source, setup, fdk}),
             "comparing views");
    const bool looked = is_axis(request, From::checked) || is_axis(request, From::search);
    if (known || !looked || request.motion == Treatment::automatic)
      most.add(held + recon::centre_bytes(source, views.size()), "checking the rotation axis");
  }
  if (fdk.grid.voxels() > 0) {
    most.add(kept + wide.bytes.kept + slabs_bytes(work, source, setup, fdk, {}), "this reconstruction");
    if (verified)
      most.add(kept + wide.bytes.kept + foresee(request, source).kept +
                   recon::verification_bytes({source, setup, fdk}),
               "verifying the volume");
  }
  require_memory(*work.shop.budget, most.bytes, most.purpose);
  return work.shop.budget->used() + most.bytes;
}

}  // namespace feldspar::run
