#include "recon/truncation/extension.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "kernels/redundancy.hpp"

namespace feldspar::recon {
namespace {

int missing_columns(double columns) { return columns > 0 ? static_cast<int>(std::ceil(columns)) + 2 : 0; }

/// mm from column to column on the rotation axis.
double pixel_at_axis(const geometry::View& view) {
  const double axis = geometry::project(view, {0, 0, 0}).depth,
               detector = geometry::project(view, view.pixel_origin).depth;
  return norm(view.column_step) * axis / detector;
}

/// Parker's weights of rows that are longer, `left` columns before the detector's first; empty where the turn
/// is none that is weighed so, or too short for so wide a fan.
std::vector<float> partial_turn_weights(const FdkSetup& setup, int left, int columns) {
  if (setup.partial_turn.empty()) return {};
  std::vector<geometry::View> views;
  for (const geometry::View& view : setup.views) views.push_back(geometry::from_pixel(view, -left, 0));
  if (kernels::missing_turn(views, columns, setup.partial_turn) > 0) return {};
  return kernels::parker_weights(views, columns, setup.partial_turn);
}

/// Rows that reach beyond the shadow of `outline`, with the weights of the longer detector.
Extension reaching(const FdkSetup& setup, const Outline& outline, int model_step) {
  const ColumnSpan shadow = shadow_of(outline, setup.views);
  Extension extension;
  kernels::RowExtension& rows = extension.rows;
  rows.measured = setup.measured;
  rows.left = missing_columns(-shadow.first);
  rows.right = missing_columns(shadow.last - (setup.columns - 1));
  rows.edge = std::clamp(setup.columns / 64, 1, std::max(1, setup.measured.count()));
  rows.reach = std::max(1.0, 0.5 * setup.columns);
  extension.outline = outline;
  extension.model_step = model_step;
  const int samples = (extension.width(setup.columns) + model_step - 1) / model_step + 1;
  extension.model_columns = {-rows.left, -rows.left + samples * model_step};

  for (std::size_t n = 0; n < setup.views.size(); ++n)
    extension.weights.push_back(kernels::make_fdk_weight(geometry::from_pixel(setup.views[n], -rows.left, 0),
                                                         setup.coverage.steps[n]));
  if (setup.column_weights.empty()) return extension;
  extension.column_weights = partial_turn_weights(setup, rows.left, extension.width(setup.columns));
  if (!extension.column_weights.empty()) return extension;
  for (std::size_t n = 0; n < setup.views.size(); ++n) {
    const float* one = setup.column_weights.data() + n * static_cast<std::size_t>(setup.columns);
    for (int c = -rows.left; c < setup.columns + rows.right; ++c)
      extension.column_weights.push_back(one[std::clamp(c, rows.measured.first, rows.measured.end - 1)]);
  }
  return extension;
}

}  // namespace

Extension extend_by_outline(const FdkSetup& setup, const Outline& outline) {
  expects(outline.radius > 0, "an outline needs a radius", ErrorKind::usage);
  Extension extension = reaching(setup, outline, std::max(1, setup.columns / 64));
  extension.rows.scale_to_edge = true;
  extension.rows.least_level = 0.2 * outline.radius;
  return extension;
}

Extension extend_by_context(const FdkSetup& setup, std::shared_ptr<const Context> context) {
  const double pixels = context->grid().spacing.x / pixel_at_axis(setup.views.front());
  Extension extension = reaching(setup, context->outline(), std::max(1, static_cast<int>(pixels)));
  extension.context = std::move(context);
  return extension;
}

double radius_from_edges(double edge_share, double half_width) {
  // Of a circle of radius 1 seen to x from its middle, the chord at x over the mean of those up to x; falls
  // from 1 to 0.
  const auto share = [](double x) {
    const double root = std::sqrt(1 - x * x);
    return 2 * root / (root + std::asin(x) / x);
  };
  double low = 1.0 / 9, high = 0.98;
  for (int n = 0; n < 50; ++n) {
    const double middle = 0.5 * (low + high);
    (share(middle) > edge_share ? low : high) = middle;
  }
  return half_width / low;
}

}  // namespace feldspar::recon
