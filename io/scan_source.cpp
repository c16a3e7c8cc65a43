// Names of what can become of a field.
#include "io/scan_source.hpp"

#include "io/scan_sink.hpp"

namespace feldspar::io {

const char* name_of(SourceField::Use use) noexcept {
  switch (use) {
    case SourceField::Use::used: return "used";
    case SourceField::Use::ignored: return "ignored";
    case SourceField::Use::contradicted: return "contradicted";
    case SourceField::Use::informative: return "informative";
  }
  return "informative";
}

Finding finding_of_source(Finding finding) {
  const std::string words = "was converted from ";
  const std::size_t said = finding.text.rfind(words);
  finding.text =
      words + (said == std::string::npos ? finding.text : finding.text.substr(said + words.size()));
  return finding;
}

}  // namespace feldspar::io
