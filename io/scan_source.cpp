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

std::string finding_of_source(const std::string& finding) {
  const std::string words = "was converted from ";
  const std::size_t said = finding.rfind(words);
  return words + (said == std::string::npos ? finding : finding.substr(said + words.size()));
}

}  // namespace feldspar::io
