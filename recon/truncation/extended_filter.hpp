// The filter of truncated projections: rows are continued, filtered, and cut back to the detector.
#pragma once

#include <memory>
#include <optional>

#include "kernels/filter.hpp"
#include "kernels/forward_projector.hpp"
#include "kernels/row_extender.hpp"
#include "recon/device_array.hpp"
#include "recon/truncation/extension.hpp"

namespace feldspar::recon {

/// A filter that continues rows before and cuts them after.
class ExtendedFilter {
 public:
  /// For blocks of up to `rows` rows. `setup` and `extension` must outlive it.
  ExtendedFilter(kernels::Backend& backend, const FdkSetup& setup, const Extension& extension,
                 const kernels::RampOptions& ramp, int rows);

  /// Host memory for blocks of up to `rows` rows, beside the filter's and the context's voxels.
  [[nodiscard]] static std::size_t workspace_bytes(const FdkSetup& setup, const Extension& extension,
                                                   int rows);

  /// Weights and filters `projections`, the detector rows `rows` of the views `views`, in place.
  void apply(geometry::Range views, geometry::Range rows, kernels::DeviceView3<float> projections);

 private:
  void expect(geometry::Range views, const kernels::ModelSampling& sampling,
              kernels::DeviceView3<float> model);
  void expect_chords(geometry::Range views, const kernels::ModelSampling& sampling,
                     kernels::DeviceView3<float> model);

  kernels::Backend& backend_;
  const FdkSetup& setup_;
  const Extension& extension_;
  int views_at_once_;
  std::unique_ptr<kernels::RowExtender> extender_;
  std::unique_ptr<kernels::Filter> filter_;
  std::unique_ptr<kernels::ForwardProjector> projector_;  ///< of a context
  std::optional<DeviceArray3<float>> context_;            ///< its voxels, where memory is not the host's
  DeviceArray3<float> wide_, model_;
};

}  // namespace feldspar::recon
