// What becomes of an object that is wider than the detector, as asked for on the command line.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "recon/truncation/extension.hpp"
#include "recon/measure/inspection.hpp"
#include "recon/resources.hpp"

namespace CLI {
class App;
}

namespace feldspar::cli {

struct TruncationOptions {
  std::string treatment = "auto";  ///< "auto" or "off"
  std::string outline;             ///< "cylinder:18.3mm@-5mm,0mm"
  std::filesystem::path context;   ///< a wide volume
  std::string context_at;          ///< "X,Y,Z" or "X,Y,Z,ANGLE"
};

void add_truncation_options(CLI::App& command, TruncationOptions& options);

/// What a truncation is decided from.
struct TruncationCase {
  const io::ScanSource& source;
  const geometry::CircularScan& scan;  ///< the source's, with the axis that the reconstruction uses
  const recon::FdkSetup& setup;
  const recon::Inspection& inspection;
  recon::Resources resources;
};

/// The continuation of the rows, null when the object fits or none is wanted; what is done is added to
/// `findings`. Throws Error(usage) for options that cannot be read, and what reading the context throws.
[[nodiscard]] std::shared_ptr<const recon::Extension> make_extension(const TruncationOptions& options,
                                                                     const TruncationCase& of,
                                                                     Findings& findings);

/// mm that a context's voxels measure at most, where the wide volume is finer.
[[nodiscard]] double context_resolution(const geometry::CircularScan& scan);

/// From "cylinder:DIAMETER" or "cylinder:DIAMETER@X,Y". Throws Error(usage).
[[nodiscard]] recon::Outline parse_outline(const std::string& text);

/// From "X,Y,Z" or "X,Y,Z,ANGLE". Throws Error(usage).
[[nodiscard]] recon::Placement parse_placement(const std::string& text);

}  // namespace feldspar::cli
