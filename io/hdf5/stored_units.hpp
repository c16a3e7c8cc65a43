// Lengths and angles of a file with the units it states, checked against what the numbers can be.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/findings.hpp"
#include "io/hdf5/input_file.hpp"
#include "io/scan_source.hpp"

namespace feldspar::io::hdf5 {

/// Reads quantities of one file and notes each as a field, and what is odd about it as a finding.
class UnitReader {
 public:
  UnitReader(const InputFile& file, std::vector<SourceField>& fields, Findings& findings)
      : file_(file), fields_(fields), findings_(findings) {}

  /// A length in mm; `unstated` is the unit where the file has none. Nothing when the dataset is absent, or
  /// when it holds no number, which is a finding. Of several values the first, with a finding when they
  /// differ. Throws Error(bad_file), with the `remedies`, when its unit is known for no length.
  [[nodiscard]] std::optional<double> length(const std::string& dataset, const char* unstated,
                                             const Remedies& remedies = {});

  /// Angles in radians; those of frames that are no projections may be no numbers. Without units, numbers
  /// beyond two turns in radians are degrees; so they are, with a finding, when radians are stated.
  [[nodiscard]] std::vector<double> angles(const std::string& dataset);

  void note(const std::string& object, const std::string& value,
            SourceField::Use use = SourceField::Use::used, const std::string& why = {});
  /// Notes that the dataset `object`, where the file has it, is seen and not used.
  void leave_out(const std::string& object, const std::string& why);
  /// A finding whose text begins with the file's name.
  void find(Finding finding);

 private:
  const InputFile& file_;
  std::vector<SourceField>& fields_;
  Findings& findings_;
};

}  // namespace feldspar::io::hdf5
