// Corrections of intensity, as asked for on the command line.
#pragma once

#include <filesystem>
#include <string>

#include "base/log.hpp"

namespace CLI {
class App;
}

namespace feldspar::cli {

struct Job;

struct CorrectionOptions {
  std::string correct = "auto";     ///< "off", "auto" or a list
  std::string rings = "gain";       ///< how rings are removed: "gain", "sorting", "all" or "wavelet"
  std::filesystem::path rings_map;  ///< PNG of what the gain map changes; empty for none
};

void add_correction_options(CLI::App& command, CorrectionOptions& options);

/// Throws Error(usage) for what cannot be read or contradicts itself.
void check(const CorrectionOptions& options);

/// Measures what to correct of a job whose devices are open: sets its corrections, and gives it another
/// source where all views of a row are needed. Returns what was found. Throws what the source throws.
[[nodiscard]] Findings correct(const CorrectionOptions& options, Job& job);

/// Writes the picture that --rings-map asks for, if it does. Throws Error(io).
void write_rings_map(const CorrectionOptions& options, const Job& job, bool overwrite);

/// One line a correction.
[[nodiscard]] std::string describe_corrections(const Job& job);

}  // namespace feldspar::cli
