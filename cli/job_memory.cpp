#include "cli/job_memory.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "cli/options.hpp"
#include "cli/transform.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/correct/find_corrections.hpp"
#include "recon/correct/hardening.hpp"
#include "recon/correct/scatter.hpp"
#include "recon/correct/stripe_free_source.hpp"
#include "recon/find/motion.hpp"
#include "recon/measure/projection_sample.hpp"
#include "recon/verify/verify.hpp"

namespace feldspar::cli {
namespace {

/// A scan as it will be once its scatter is taken off: of floating-point counts. Nothing is read from it.
class Widened final : public io::ScanSource {
 public:
  explicit Widened(const io::ScanSource& source) : source_(source) {}
  [[nodiscard]] const geometry::CircularScan& scan() const override { return source_.scan(); }
  [[nodiscard]] const io::ScanDescription& description() const override { return source_.description(); }
  [[nodiscard]] const std::vector<io::SourceField>& fields() const override { return source_.fields(); }
  [[nodiscard]] const Findings& findings() const override { return source_.findings(); }
  [[nodiscard]] const io::References& references() const override { return source_.references(); }
  [[nodiscard]] const io::ProposedGrid& proposed_grid() const override { return source_.proposed_grid(); }
  [[nodiscard]] io::CountType count_type() const override { return io::CountType::float32; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return source_.files(); }
  void read(std::span<const int> views, const geometry::PixelWindow& window, void* counts) const override {
    source_.read(views, window, counts);
  }

 private:
  const io::ScanSource& source_;
};

bool removes_stripes(const CorrectionOptions& options) {
  return recon::parse_corrections(options.correct).rings && options.rings != "gain";
}

/// The scan as it may become: an axis that was looked for leans a little, so that projections are resampled.
geometry::CircularScan foreseen(const JobOptions& options, geometry::CircularScan scan) {
  constexpr double lean = 0.5 * radians_per_degree;
  if (options.axis_offset == "auto" && options.axis_roll.empty()) scan.axis.roll += lean;
  if (options.motion == "auto" && scan.shifts.empty()) scan.shifts.resize(scan.angles.size());
  return scan;
}

/// What corrections that are not measured yet will hold, and their copies.
struct ForeseenCorrections {
  std::size_t kept = 0, copies = 0;
  std::shared_ptr<const recon::Corrections> spec;  ///< without the maps
};

ForeseenCorrections foresee(const JobOptions& options, const io::ScanSource& source) {
  const recon::CorrectionChoice choice = recon::parse_corrections(options.corrections.correct);
  ForeseenCorrections result;
  auto corrections = std::make_shared<recon::Corrections>();
  corrections->spec.columns = source.scan().detector.columns;
  corrections->spec.rows = source.scan().detector.rows;
  if (choice.bad_pixels) corrections->spec.bad_pixels = {0};
  if (choice.any()) result.spec = corrections;
  if (!choice.rings || removes_stripes(options.corrections)) return result;
  result.kept = recon::pixels_of(source) * sizeof(float), result.copies = 2 * result.kept;
  return result;
}

/// Beyond what is in use: the smallest slabs there are.
std::size_t slabs_bytes(const JobOptions& options, const Job& job, const io::ScanSource& source,
                        const recon::FdkSetup& setup, recon::FdkOptions fdk) {
  const ForeseenCorrections corrections = foresee(options, source);
  fdk.used_bytes = 0;
  fdk.corrections = corrections.spec;
  const std::size_t views = setup.view_indices.size();
  const bool stripes = removes_stripes(options.corrections);
  if (stripes) {
    fdk.held_row_bytes = views * sizeof(float) * static_cast<std::size_t>(source.scan().detector.columns);
    fdk.source_bytes = recon::StripeFreeSource::bytes_a_thread(source, views);
  }
  const auto costs = recon::costs_on(job.shop.devices(), source, setup, fdk);
  return recon::least_memory(setup, fdk.grid, costs, job.share.slices) + corrections.kept +
         corrections.copies;
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

ForeseenContext foresee_context(const TruncationOptions& options, const geometry::CircularScan& scan,
                                const recon::FdkSetup& setup) {
  ForeseenContext result;
  if (!options.outline.empty())
    result.extension =
        std::make_shared<recon::Extension>(recon::extend_by_outline(setup, parse_outline(options.outline)));
  if (options.context.empty()) return result;
  const geometry::VolumeGrid grid = io::VolumeReader(options.context).grid();
  const recon::Placement placement =
      options.context_at.empty() ? recon::Placement{} : parse_placement(options.context_at);
  result.bytes = recon::context_bytes(grid, placement, setup.views, setup.rows, context_resolution(scan));
  const recon::Outline widest{.radius = 0.5 * std::hypot(grid.nx, grid.ny) * grid.spacing.x};
  if (options.outline.empty() && widest.radius < 0.9 * scan.source_object_distance)
    result.extension = std::make_shared<recon::Extension>(recon::extend_by_outline(setup, widest));
  return result;
}

}  // namespace

void require_slabs(const JobOptions& options, const Job& job) {
  require_memory(*job.shop.budget, slabs_bytes(options, job, *job.source, job.setup, job.fdk),
                 "this reconstruction");
}

std::size_t foresee_memory(const JobOptions& options, const Job& job, const geometry::CircularScan& stated) {
  const recon::Resources resources = job.shop.resources();
  const geometry::CircularScan scan = foreseen(options, stated);
  const std::vector<int> views = chosen_views(options, scan);
  const recon::FdkSetup setup = recon::prepare_fdk(scan, views);
  const bool scatters = options.hardening.scatter != "off";
  const Widened widened(*job.source);
  const io::ScanSource& source = scatters ? static_cast<const io::ScanSource&>(widened) : *job.source;
  const recon::ScatterBytes scatter = scatters ? recon::scatter_bytes(*job.source) : recon::ScatterBytes{};
  Most most;
  const std::size_t kept = scatter.kept;  // from then on
  recon::FdkOptions fdk{.grid = {}, .ramp = {}, .projector = {}};
  fdk.grid = options.roi == "auto" ? geometry::VolumeGrid{} : planned_grid(options, scan);
  const geometry::FieldOfView seen = geometry::field_of_view(scan);
  fdk.projector.radius = geometry::is_displaced(scan) ? seen.outer_radius : seen.inner_radius;
  if (fdk.grid.voxels() > 0)
    fdk.projector = make_projector(options, scan, setup, fdk.grid, *job.shop.backend);
  const ForeseenContext wide = foresee_context(options.truncation, scan, setup);
  fdk.extension = wide.extension;
  if (!options.open.headers_only) {
    most.add(scatter.kept + scatter.estimating, "estimating scatter");
    if (options.axis_offset == "auto")
      most.add(kept + recon::axis_bytes(source, scan, views, resources), "looking for the rotation axis");
    if (options.motion == "auto")
      most.add(kept + recon::motion_bytes(source, scan, views, resources), "looking for motion");
    if (options.roi == "auto") most.add(kept + recon::find_object_bytes(source), "looking for the object");
    most.add(kept + recon::inspection_bytes(source), "looking at the projections");
    most.add(kept + wide.bytes.kept + std::max(wide.bytes.reading, recon::transmissions_bytes(source)),
             "looking at the wide volume");
    recon::CorrectionChoice choice = recon::parse_corrections(options.corrections.correct);
    if (removes_stripes(options.corrections)) choice.rings = false;
    most.add(kept + wide.bytes.kept + recon::corrections_bytes(source, choice), "measuring corrections");
    const ForeseenCorrections corrections = foresee(options, source);
    if (options.hardening.hardening == "auto") {
      fdk.corrections = corrections.spec;
      most.add(kept + wide.bytes.kept + 2 * corrections.kept + corrections.copies +
                   recon::hardening_bytes(source, scan, setup, fdk, resources.backend),
               "finding the correction of hardening");
      fdk.corrections = nullptr;
    }
  }
  if (fdk.grid.voxels() > 0) {
    const std::size_t slabs = kept + wide.bytes.kept + slabs_bytes(options, job, source, setup, fdk);
    most.add(slabs, "this reconstruction");
    if (options.verified)
      most.add(kept + wide.bytes.kept + foresee(options, source).kept +
                   recon::verification_bytes(source, setup, fdk),
               "verifying the volume");
  }
  require_memory(*job.shop.budget, most.bytes, most.purpose);
  return job.shop.budget->used() + most.bytes;
}

}  // namespace feldspar::cli
