// What becomes of beam hardening and scatter, as asked for on the command line.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "recon/fdk/fdk.hpp"
#include "recon/measure/inspection.hpp"

namespace CLI {
class App;
}

namespace feldspar::cli {

struct HardeningOptions {
  std::string hardening = "file";  ///< "file", "auto", "off" or coefficients of p, p^2 ...
  std::string scatter = "off";     ///< "off", "constant:SHARE" or "kernel:SHARE"
};

void add_hardening_options(CLI::App& command, HardeningOptions& options);

/// `source` without its scatter, or itself when that is not wanted; what is done is added to `findings`.
[[nodiscard]] std::unique_ptr<io::ScanSource> take_off_scatter(const HardeningOptions& options,
                                                               const recon::Resources& resources,
                                                               std::unique_ptr<io::ScanSource> source,
                                                               Findings& findings);

/// What a polynomial is chosen from.
struct HardeningCase {
  const io::ScanSource& source;
  const geometry::CircularScan& scan;  ///< the source's, with the axis that the reconstruction uses
  const recon::FdkSetup& setup;
  const recon::Inspection& inspection;
  const recon::FdkOptions& fdk;  ///< with the other corrections
  recon::Resources resources;
};

/// The corrections of `of.fdk` with the polynomial that is wanted; they themselves when none is. What is done
/// is added to `findings`. Throws Error(usage) for coefficients that cannot be read, and Error(bad_file) when
/// none can be found for "auto".
[[nodiscard]] std::shared_ptr<const recon::Corrections> with_hardening(const HardeningOptions& options,
                                                                       const HardeningCase& of,
                                                                       Findings& findings);

/// From "c1,c2,...": 0, c1, c2 ... Throws Error(usage).
[[nodiscard]] std::vector<double> parse_polynomial(const std::string& text);

/// "1.02 p + 0.0314 p^2".
[[nodiscard]] std::string format_polynomial(const std::vector<double>& coefficients);

}  // namespace feldspar::cli
