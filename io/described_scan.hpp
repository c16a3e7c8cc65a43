// What every source keeps beside its pixels, for readers to fill in while they open a scan.
#pragma once

#include <string>
#include <string_view>

#include "io/scan_source.hpp"

namespace feldspar::io {

/// A source that keeps what it says of itself; readers add files and pixels.
class DescribedScan : public ScanSource {
 public:
  [[nodiscard]] const geometry::CircularScan& scan() const override { return scan_; }
  [[nodiscard]] const ScanDescription& description() const override { return description_; }
  [[nodiscard]] const std::vector<SourceField>& fields() const override { return fields_; }
  [[nodiscard]] const Findings& findings() const override { return findings_; }
  [[nodiscard]] const References& references() const override { return references_; }
  [[nodiscard]] const ProposedGrid& proposed_grid() const override { return grid_; }

 protected:
  /// What became of a field in the end, where an option or another field counts instead.
  void mark(std::string_view section, std::string_view name, SourceField::Use use, const std::string& note) {
    for (SourceField& field : fields_)
      if (field.section == section && field.name == name) field.use = use, field.note = note;
  }

  geometry::CircularScan scan_;      ///< scan()
  ScanDescription description_;      ///< description()
  std::vector<SourceField> fields_;  ///< fields()
  Findings findings_;                ///< findings()
  References references_;            ///< references()
  ProposedGrid grid_;                ///< proposed_grid()
};

}  // namespace feldspar::io
