// Names of what can become of a field.
#include "io/scan_source.hpp"

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

}  // namespace feldspar::io
