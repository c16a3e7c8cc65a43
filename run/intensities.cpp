// Rows that end inside the object, wrong intensities, and beam hardening.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.hpp"
#include "base/units.hpp"
#include "io/hdf5/volume_file.hpp"
#include "recon/correct/stripe_free_source.hpp"
#include "recon/find/hardening.hpp"
#include "recon/truncation/context_match.hpp"
#include "run/options.hpp"
#include "run/searches.hpp"

namespace feldspar::run {
namespace {

constexpr double truncated =
    0.05;  ///< share of the rows from which on an object counts as wider than the detector
constexpr double worthwhile = 0.7;  ///< of the unevenness: what is left by a polynomial that is meant to be
constexpr double unlike = 0.03;  ///< misfit of a context from which on it must explain the scan's structure:
constexpr double unexplained = 0.7;  ///< what it may leave of what varies in the scan

std::shared_ptr<recon::Context> context_at(const Planning& planning, const recon::Placement& place) {
  const Request& request = planning.request();
  const Reconstruction& work = planning.work;
  const io::VolumeReader file(request.context);
  const recon::WideVolume wide{
      file.grid(), [&](int y, int ny, int z, int nz) { return file.read(0, file.grid().nx, y, ny, z, nz); }};
  recon::InteriorScan scan = interior_scan(request, work.scan, work.setup);
  scan.placement = place;
  return std::make_shared<recon::Context>(wide, scan, work.shop.budget.get());
}

/// Puts the context where the projections have it, if that is not where it was said to be.
recon::ContextMatch place(Planning& planning, std::shared_ptr<recon::Context>& context) {
  Reconstruction& work = planning.work;
  const recon::ContextPlace found =
      recon::place_context(*work.source, work.scan, work.setup.view_indices, planning.resources(), *context);
  if (!found.moved) return found.now;
  planning.findings.truncation.push_back(
      {"context.moved",
       fmt::format("the wide volume lies {:.3f}, {:.3f}, {:.3f} mm and {:.2f} deg from where it was said to "
                   "be: set right by the projections, which it misses by {:.1f} % instead of {:.1f} %",
                   found.away.x + 0.0, found.away.y + 0.0, found.away.z + 0.0,
                   found.turned / radians_per_degree + 0.0, 100 * found.now.mismatch,
                   100 * found.given.mismatch),
       "context-at"});
  work.plan.context_place = found.placement;
  context.reset();
  context = context_at(planning, found.placement);
  return recon::match_context(*work.source, work.scan, work.setup.view_indices, planning.resources(),
                              *context);
}

void refuse_unlike(const recon::ContextMatch& match) {
  if (match.mismatch > unlike && match.mismatch > unexplained * match.varies)
    throw Error(
        ErrorKind::bad_file,
        fmt::format(
            "the wide volume does not look like this scan where both see: it misses line integrals by {:.1f} "
            "%, and these vary by {:.1f} % only; is it the same object, and where it is said to be?",
            100 * match.mismatch, 100 * match.varies),
        {{"context-at", "", "say where it lies with"}});
}

/// The projections of the wide volume, scaled to the scan's: by what the plan says, or by what both see.
recon::Extension by_context(Planning& planning) {
  const Request& request = planning.request();
  Reconstruction& work = planning.work;
  auto context =
      context_at(planning, work.plan.context_place.value_or(request.context_at.value_or(recon::Placement{})));
  if (planning.known) {
    context->scale(work.plan.context_gain);
    return recon::extend_by_context(work.setup, context);
  }
  const recon::ContextMatch match = place(planning, context);
  refuse_unlike(match);
  work.plan.context_gain = match.gain;
  context->scale(match.gain);
  recon::Extension extension = recon::extend_by_context(work.setup, context);
  Findings& findings = planning.findings.truncation;
  findings.push_back(
      {"context.used",
       fmt::format("rows are continued by {} and {} columns with projections of {} in voxels of {}, times "
                   "{:.4f}; line integrals that both see agree to {:.1f} %",
                   extension.rows.left, extension.rows.right, request.context.string(),
                   format_length_mm(context->grid().spacing.x), match.gain, 100 * match.mismatch),
       "context"});
  findings.insert(findings.end(), context->findings().begin(), context->findings().end());
  return extension;
}

recon::Extension by_outline(Planning& planning, const char* which) {
  Reconstruction& work = planning.work;
  const recon::Outline& outline = *work.plan.outline;
  recon::Extension extension = recon::extend_by_outline(work.setup, outline);
  if (planning.known) return extension;
  if (extension.rows.left + extension.rows.right == 0)
    throw Error(ErrorKind::usage,
                fmt::format("a cylinder of {:.2f} mm at x {:.2f}, y {:.2f} mm ends within the detector, but "
                            "the object reaches over its edge",
                            2 * outline.radius, outline.x + 0.0, outline.y + 0.0),
                {{"outline", "", "correct it with"}});
  planning.findings.truncation.push_back(
      {"outline.used",
       fmt::format("rows are continued by {} and {} columns with the chords of {} cylinder of {:.2f} mm at x "
                   "{:.2f}, y {:.2f} mm, scaled to the rows' edges",
                   extension.rows.left, extension.rows.right, which, 2 * outline.radius, outline.x + 0.0,
                   outline.y + 0.0),
       "outline"});
  return extension;
}

/// Gives the work a source that holds the rows of a slab in all views, corrected by `spec` and free of
/// stripes.
void free_of_stripes(Planning& planning, recon::StripeMethod method, kernels::CorrectionSpec spec) {
  Reconstruction& work = planning.work;
  const std::size_t sinogram =
      recon::StripeFreeSource::bytes_a_thread(*work.source, work.setup.view_indices.size());
  auto source = std::make_unique<recon::StripeFreeSource>(
      std::move(work.source), work.setup.view_indices,
      recon::StripeFreeSource::Options{.method = method,
                                       .spec = std::move(spec),
                                       .threads = planning.resources().threads_with(
                                           4 * sinogram),  // three quarters of the memory are the slabs'
                                       .held = static_cast<int>(work.shop.devices().size()),
                                       .budget = work.shop.budget.get()});
  work.fdk.held_row_bytes = source->bytes_a_row();
  work.fdk.source_bytes = source->working_bytes();
  work.source = std::move(source);
}

recon::HardeningEstimate look_for_hardening(Planning& planning, recon::HardeningSearch search) {
  const Reconstruction& work = planning.work;
  Progress progress(planning.monitor());
  planning.looks_at(recon::hardening_views(work.setup.view_indices.size(), search), "beam hardening");
  return recon::estimate_hardening({*work.source, work.setup, work.fdk}, work.scan, planning.resources(),
                                   progress, search);
}

bool is_worthwhile(const recon::HardeningFit& fit) {
  return fit.unevenness_after <= worthwhile * fit.unevenness_before;
}

/// Says what a correction would change that nobody asked for.
void offer_polynomial(Planning& planning) {
  constexpr double faint = 0.02;  // that much of unevenness may be the object's, or noise
  recon::HardeningFit fit;
  try {
    fit = look_for_hardening(planning, recon::HardeningSearch::quick).fit;
  } catch (const Error& error) {  // the run does without; what stands in its own way it meets again
    if (error.kind() == ErrorKind::cancelled) throw;
    return;
  }
  if (fit.coefficients.empty() || !is_worthwhile(fit) || fit.unevenness_before < faint) return;
  planning.findings.hardening.push_back(
      {"hardening.offered",
       fmt::format("beam hardening: the part of the object that should be uniform varies by {:.1f} %, with a "
                   "polynomial by {:.1f} %; no correction is stated or applied",
                   100 * fit.unevenness_before, 100 * fit.unevenness_after),
       "hardening",
       {{"hardening", "auto", "to apply it, give"}}});
}

/// Coefficients of p^0, p^1, ...; empty when none is worthwhile, and `how` says why.
std::vector<double> search_polynomial(Planning& planning, std::string& how) {
  const recon::HardeningEstimate found = look_for_hardening(planning, recon::HardeningSearch::thorough);
  if (found.fit.coefficients.empty())
    throw Error(ErrorKind::bad_file, fmt::format("beam hardening cannot be found: {}", found.fit.reason),
                {{"hardening", "0.8,0.2", "give coefficients, as with"},
                 {"hardening", "off", "leave it alone with"}});
  if (!is_worthwhile(found.fit)) {
    how = fmt::format(
        "left alone: the part of the object that should be uniform varies by {:.1f} %, and by {:.1f} % with "
        "the best polynomial",
        100 * found.fit.unevenness_before, 100 * found.fit.unevenness_after);
    return {};
  }
  how = fmt::format(
      "found from three coarse slices, whose uniform part varied by {:.1f} % and now by {:.1f} %; 1/mm at "
      "the beam's energy behind an object of p = {:.2f}",
      100 * found.fit.unevenness_before, 100 * found.fit.unevenness_after, found.reference);
  std::vector<double> polynomial{0};
  polynomial.insert(polynomial.end(), found.fit.coefficients.begin(), found.fit.coefficients.end());
  return polynomial;
}

/// What the request asks for, and a finding that says so.
std::vector<double> choose_polynomial(Planning& planning) {
  const Hardening& wanted = planning.request().hardening;
  const std::vector<double>& own = planning.work.source->description().hardening;
  Findings& findings = planning.findings.hardening;
  std::vector<double> polynomial;
  std::string how;
  switch (wanted.kind) {
    case Hardening::Kind::off:
      if (!own.empty())
        findings.push_back(
            {"hardening.left-out",
             fmt::format("beam hardening: the scan asks for {}, which is left out, as was asked",
                         format_polynomial(own)),
             "hardening",
             {{"hardening", "file", "to follow it, give"}}});
      return {};
    case Hardening::Kind::file:
      if (own.empty()) {
        if (offers_hardening(planning.request(), planning.known)) offer_polynomial(planning);
        return {};
      }
      polynomial = own, how = "as the scan's file asks for";
      break;
    case Hardening::Kind::given: polynomial = wanted.polynomial, how = "as given"; break;
    case Hardening::Kind::search:
      polynomial = search_polynomial(planning, how);
      if (polynomial.empty()) {
        findings.push_back({"hardening.none",
                            "beam hardening: " + how,
                            "hardening",
                            {{"hardening", "0.8,0.2", "if you know better, give coefficients as with"}}});
        return {};
      }
      break;
  }
  findings.push_back({"hardening.applied",
                      fmt::format("beam hardening: p' = {}, {}", format_polynomial(polynomial), how),
                      "hardening"});
  return polynomial;
}

/// A finding when denser places would come out less dense.
void check_rise(Planning& planning) {
  const Plan& plan = planning.work.plan;
  if (!(plan.inspection.lowest_transmission > 0)) return;
  const double highest = -std::log(plan.inspection.lowest_transmission);
  if (highest > 0 && !recon::rises(std::span(plan.polynomial).subspan(1), highest))
    planning.findings.hardening.push_back(
        {"hardening.falls",
         fmt::format("beam hardening: the polynomial {} falls somewhere below p = {:.2f}, which this scan "
                     "reaches: more material comes out as less",
                     format_polynomial(plan.polynomial), highest),
         "hardening",
         {{"hardening", "auto", "check its signs, or have it found with"}}});
}

/// True where rows are to be continued; else what becomes of it is said.
bool is_to_be_extended(Planning& planning) {
  const Request& request = planning.request();
  const Reconstruction& work = planning.work;
  const double share = work.plan.inspection.truncated_share;
  const bool reaches = share > truncated, given = request.outline || !request.context.empty();
  if (!reaches && !given) return false;
  const std::string found =
      fmt::format("the object reaches over the detector's edge in {:.0f} % of its rows", 100 * share);
  Findings& findings = planning.findings.truncation;
  if (request.truncation == Treatment::off || work.setup.displaced) {
    findings.push_back(
        {"truncation.reaches",
         fmt::format(
             "{}: attenuation near the edge of the field of view, and its level inside, will be too high{}",
             found, work.setup.displaced ? "; rows of a displaced detector are not continued" : ""),
         "truncation",
         work.setup.displaced ? Remedies{} : Remedies{{"truncation", "auto", "to continue its rows, give"}}});
    return false;
  }
  if (reaches) findings.push_back({"truncation.reaches", found, "truncation"});
  return true;
}

}  // namespace

recon::InteriorScan interior_scan(const Request& request, const geometry::CircularScan& scan,
                                  const recon::FdkSetup& setup) {
  return {.placement = request.context_at.value_or(recon::Placement{}),
          .views = setup.views,
          .rows = setup.rows,
          .finest = geometry::field_of_view(scan).inner_radius / 16,
          .mask = request.outline};
}

std::string format_polynomial(const std::vector<double>& coefficients) {
  std::string text;
  for (std::size_t n = 0; n < coefficients.size(); ++n) {
    if (coefficients[n] == 0) continue;
    text += text.empty() ? (coefficients[n] < 0 ? "-" : "") : (coefficients[n] < 0 ? " - " : " + ");
    text += fmt::format("{:.6g}", std::abs(coefficients[n]));
    if (n > 0) text += n == 1 ? " p" : fmt::format(" p^{}", n);
  }
  return text.empty() ? "0" : text;
}

namespace {

/// The given one, or what the edges of the rows suggest.
recon::Outline planned_outline(const Planning& planning) {
  if (const auto& given = planning.request().outline) return *given;
  return {.radius = recon::radius_from_edges(planning.work.plan.inspection.edge_share,
                                             geometry::field_of_view(planning.work.scan).inner_radius)};
}

}  // namespace

void extend_rows(Planning& planning) {
  Reconstruction& work = planning.work;
  Plan& plan = work.plan;
  const bool extended = planning.known ? plan.outline || plan.context_gain != 0 : is_to_be_extended(planning);
  if (!extended) return;
  if (!planning.request().context.empty()) {
    work.fdk.extension = std::make_shared<recon::Extension>(by_context(planning));
    return;
  }
  const bool guessed = !planning.request().outline;
  if (!planning.known) plan.outline = planned_outline(planning);
  work.fdk.extension =
      std::make_shared<recon::Extension>(by_outline(planning, guessed ? "a guessed" : "the given"));
  if (guessed && !planning.known)
    planning.findings.truncation.push_back(
        {"truncation.level",
         "the level of attenuation is uncertain",
         "truncation",
         {{"outline", "", "give"}, {"context", "VOLUME", "better, name a wide volume with"}}});
}

/// What becomes of stripes in sinograms, at what cost; a finding where that is the object's.
recon::CorrectionStep foresee_stripes(Planning& planning) {
  constexpr double much = 0.002, alike = 0.5;
  const Reconstruction& work = planning.work;
  const recon::StripeCost cost = recon::cost_of_stripes(*work.source, work.setup.view_indices,
                                                        *planning.request().stripes, *work.shop.budget);
  const std::string method = find_option("rings")->text(planning.request());
  if (cost.taken > much && cost.shared > alike)
    planning.findings.corrections.push_back(
        {"rings.structure",
         fmt::format("rings: {} takes out {:.2f} % of the line integrals (rms), and {:.0f} % of that goes on "
                     "from row to row: not gains of pixels, but windings about the axis, which lose contrast",
                     method, 100 * cost.taken, 100 * cost.shared),
         "rings",
         {{"rings", "gain", "to keep them, give"}}});
  return {
      fmt::format("rings: stripes are removed from every sinogram ({}), {:.2f} % of the line integrals (rms)",
                  method, 100 * cost.taken),
      true, cost.views};
}

void correct(Planning& planning) {
  const Request& request = planning.request();
  Reconstruction& work = planning.work;
  recon::CorrectionChoice choice = request.correct;
  if (!choice.any()) return;
  const bool stripes = choice.rings && request.stripes;
  if (!planning.known) {
    if (stripes) choice.rings = false;
    recon::Corrections measured = recon::find_corrections(
        *work.source, work.scan, work.setup.view_indices, choice, planning.resources(),
        {.level = work.fdk.extension ? 0 : work.plan.inspection.air_line_integral,
         .kept = request.scatter.kind != recon::ScatterModel::Kind::none});
    if (stripes) measured.steps.push_back(foresee_stripes(planning));
    for (const recon::CorrectionStep& step : measured.steps) {
      if (step.notable)
        planning.findings.corrections.push_back({"corrections.applied", step.text, "correct"});
      if (step.views > 0) planning.looks_at(static_cast<std::size_t>(step.views), step.what);
    }
    work.plan.corrections = std::make_shared<recon::Corrections>(std::move(measured));
  }
  work.fdk.corrections = work.plan.corrections;
  if (stripes && work.fdk.corrections) {
    const recon::Corrections& all = *work.fdk.corrections;
    free_of_stripes(planning, *request.stripes, all.spec);
    work.fdk.corrections = std::make_shared<recon::Corrections>(
        recon::Corrections{{.columns = all.spec.columns, .rows = all.spec.rows}, all.steps});
  }
  if (work.fdk.corrections)
    work.of_corrections =
        Reservation(*work.shop.budget, kernels::bytes_of(work.fdk.corrections->spec), "corrections");
}

void linearize(Planning& planning) {
  Reconstruction& work = planning.work;
  std::vector<double>& polynomial = work.plan.polynomial;
  if (!planning.known) {
    polynomial = choose_polynomial(planning);
    if (!polynomial.empty()) check_rise(planning);
  }
  if (polynomial.empty()) return;
  auto corrections = work.fdk.corrections ? std::make_shared<recon::Corrections>(*work.fdk.corrections)
                                          : std::make_shared<recon::Corrections>();
  corrections->spec.columns = work.source->scan().detector.columns;
  corrections->spec.rows = work.source->scan().detector.rows;
  corrections->spec.polynomial.assign(polynomial.begin(), polynomial.end());
  corrections->steps.push_back({fmt::format("hardening: p' = {}", format_polynomial(polynomial)), false});
  work.fdk.corrections = corrections;
}

}  // namespace feldspar::run
