// What was ignored, assumed, corrected or contradicted on the way to a result, for people and for programs.
// docs/findings.md lists the codes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/remedy.hpp"

namespace feldspar {

/// How much a finding matters.
enum class Severity {
  note,     ///< how something was taken
  warning,  ///< endangers the volume
};
/// "note" or "warning".
[[nodiscard]] const char* name_of(Severity severity) noexcept;

/// A kind of finding, for programs to go by; it keeps its name from version to version.
struct FindingKind {
  std::string_view name;  ///< "subject.what", in kebab case
  Severity severity;      ///< of all findings of this kind
};
/// All of them.
inline constexpr FindingKind finding_kinds[] = {
    {"air.changed", Severity::warning},
    {"air.level", Severity::warning},
    {"alignment.ambiguous", Severity::warning},
    {"alignment.overlap", Severity::warning},
    {"alignment.unlike", Severity::warning},
    {"angles.assumed", Severity::warning},
    {"angles.contradicted", Severity::warning},
    {"angles.measured", Severity::note},
    {"angles.nominal", Severity::warning},
    {"angles.offset", Severity::note},
    {"angles.order", Severity::note},
    {"angles.sense", Severity::warning},
    {"angles.surplus", Severity::warning},
    {"angles.unit", Severity::warning},
    {"angles.unused", Severity::note},
    {"axis.ambiguous", Severity::warning},
    {"axis.contradicted", Severity::warning},
    {"axis.unmeasured", Severity::warning},
    {"axis.unseen", Severity::warning},
    {"axis.unstated", Severity::warning},
    {"axis.unused", Severity::warning},
    {"axis.upright", Severity::warning},
    {"beam.parallel", Severity::warning},
    {"context.ends", Severity::warning},
    {"context.moved", Severity::warning},
    {"context.used", Severity::note},
    {"conventions.assumed", Severity::warning},
    {"corrections.applied", Severity::note},
    {"counts.scaled", Severity::note},
    {"counts.signed", Severity::warning},
    {"counts.taken", Severity::warning},
    {"coverage.gap", Severity::warning},
    {"coverage.limited", Severity::warning},
    {"coverage.redundant", Severity::note},
    {"coverage.short", Severity::note},
    {"dark.assumed", Severity::note},
    {"detector.displaced", Severity::note},
    {"detector.flipped", Severity::warning},
    {"detector.leaning", Severity::note},
    {"detector.moved", Severity::warning},
    {"detector.offset", Severity::warning},
    {"detector.tilt-unused", Severity::warning},
    {"device.failed", Severity::warning},
    {"device.smaller-slabs", Severity::warning},
    {"distance.substituted", Severity::note},
    {"field.contradicted", Severity::warning},
    {"field.no-length", Severity::warning},
    {"field.unit-assumed", Severity::warning},
    {"field.unused", Severity::warning},
    {"field.varies", Severity::warning},
    {"file.line-skipped", Severity::warning},
    {"file.key-repeated", Severity::warning},
    {"file.place", Severity::note},
    {"file.read-otherwise", Severity::note},
    {"files.ignored", Severity::note},
    {"flats.averaged", Severity::note},
    {"flats.interpolated", Severity::note},
    {"flats.missing", Severity::warning},
    {"geometry.contradicted", Severity::warning},
    {"geometry.height", Severity::note},
    {"grid.proposed", Severity::note},
    {"hardening.applied", Severity::note},
    {"hardening.falls", Severity::warning},
    {"hardening.left-out", Severity::warning},
    {"hardening.none", Severity::note},
    {"hardening.offered", Severity::note},
    {"motion.found", Severity::note},
    {"outline.used", Severity::note},
    {"pixel-size.replaced", Severity::note},
    {"pixel-size.unstated", Severity::warning},
    {"pixels.dead", Severity::warning},
    {"pixels.infinite", Severity::warning},
    {"pixels.saturated", Severity::warning},
    {"pixels.starved", Severity::warning},
    {"processing.unused", Severity::warning},
    {"range.clipped", Severity::warning},
    {"references.contradicted", Severity::warning},
    {"references.corrected", Severity::note},
    {"references.dead", Severity::note},
    {"references.elsewhere", Severity::note},
    {"references.exposure", Severity::warning},
    {"references.left-out", Severity::warning},
    {"references.scaled", Severity::note},
    {"region.auto", Severity::note},
    {"region.no-object", Severity::warning},
    {"region.outside", Severity::warning},
    {"rings.structure", Severity::warning},
    {"rotation.reversed", Severity::note},
    {"scan.connected", Severity::note},
    {"scan.duplicate", Severity::note},
    {"scan.several", Severity::note},
    {"scan.stopped", Severity::warning},
    {"scan.unreadable", Severity::warning},
    {"scatter.removed", Severity::note},
    {"shifts.unused", Severity::warning},
    {"shifts.used", Severity::note},
    {"truncation.level", Severity::warning},
    {"truncation.reaches", Severity::warning},
    {"version.other", Severity::warning},
    {"views.constant", Severity::warning},
    {"views.cut", Severity::warning},
    {"views.gaps", Severity::note},
    {"views.marked", Severity::note},
    {"views.missing", Severity::warning},
    {"views.numbering", Severity::warning},
    {"views.repeated", Severity::warning},
    {"views.surplus", Severity::note},
    {"views.unmarked", Severity::warning},
    {"views.unusable", Severity::warning},
    {"voxels.contradicted", Severity::warning},
};
/// The name of one of them.
using FindingCode = Listed<finding_kinds>;

/// One thing that was ignored, assumed, corrected or contradicted.
struct Finding {
  /// `text` reads well without the remedies; it becomes one line.
  Finding(FindingCode code, std::string text, std::string field = {}, Remedies remedies = {});

  FindingCode code;   ///< its kind; "version.other" for what another version of the program has found
  Severity severity;  ///< how much it matters
  std::string text;   ///< for people, one line
  std::string field;  ///< what of the file or the request it is about, "CORPositionX"; may be empty
  Remedies remedies;  ///< what to do about it; may be empty

  /// Equal in everything.
  friend bool operator==(const Finding& a, const Finding& b) = default;
};

/// All that was found, in order.
using Findings = std::vector<Finding>;

/// The texts alone.
[[nodiscard]] std::vector<std::string> texts_of(const Findings& findings);

/// All but the texts, as files store it beside them: a line a finding, of its code, its severity and its
/// field, then option, value and words of each remedy, between tabs.
[[nodiscard]] std::vector<std::string> data_of(const Findings& findings);
/// The same of remedies.
[[nodiscard]] std::string data_of(const Remedies& remedies);

/// The inverse of both. Data may be missing, as in files of earlier versions; what names a code or an option
/// that this version does not have counts as "version.other", or is left out.
[[nodiscard]] Findings findings_in(const std::vector<std::string>& texts,
                                   const std::vector<std::string>& data);
/// The inverse of the other.
[[nodiscard]] Remedies remedies_in(std::string_view data);

/// The same of texts and data that are lines of one text each; empty ones are no findings.
[[nodiscard]] Findings findings_in_lines(std::string_view texts, std::string_view data);

/// Logs it: a warning as one, a note for those who read all.
void log(const Finding& finding);

}  // namespace feldspar
