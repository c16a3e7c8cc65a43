// What the checks of a finished volume and of its scan found, and whether it can be trusted.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace feldspar::recon {

/// One question that was asked of the volume or of the scan it was made from.
struct Check {
  /// What came of it; what cannot be seen is not called good.
  enum class Outcome { passed, failed, not_applicable };
  std::string name;                           ///< "opposite rays"
  Outcome outcome = Outcome::not_applicable;  ///< what came of it
  std::string text = {};  ///< what was measured, against which limit; of a failure also what it means

  /// The same question with its answer.
  [[nodiscard]] Check judged(bool wrong, std::string what) const {
    return {name, wrong ? Outcome::failed : Outcome::passed, std::move(what)};
  }
  /// The same question, and why it cannot be judged.
  [[nodiscard]] Check not_applicable(std::string why) const {
    return {name, Outcome::not_applicable, std::move(why)};
  }
};
/// "passed", "FAILED" or "not applicable".
[[nodiscard]] const char* name_of(Check::Outcome outcome) noexcept;

/// What was said of the scan, so that no check needs to see it.
struct Stated {
  bool axis = false;   ///< where the rotation axis is
  bool sense = false;  ///< which way the object turns
};

/// All that was asked, and the sum of it.
struct Verdict {
  std::vector<Check> checks = {};  ///< in the order in which they were made
  Stated stated = {};              ///< by the scan's file or the user
  double seconds = 0;              ///< that it took
  std::string unverifiable = {};   ///< why the scan could not be asked, where it should have been

  /// "trusted", "untrusted", or "not verifiable" where nothing failed and something was not judged.
  [[nodiscard]] const char* word() const;

  /// No check failed, and all that must be judged was.
  [[nodiscard]] bool trusted() const { return !failed() && unjudged().empty(); }
  /// A check failed.
  [[nodiscard]] bool failed() const;

  /// What of axis, sense, level, completeness and re-projection could not be judged, and why: "axis: ...",
  /// one a line of its own; or why the scan could not be asked.
  [[nodiscard]] std::vector<std::string> unjudged() const;

  /// The texts of the checks that failed, "name: text", joined by "; "; else what was not judged.
  [[nodiscard]] std::string reasons() const;

  /// The check of that name; null when it was not made.
  [[nodiscard]] const Check* find(const std::string& name) const;
};

}  // namespace feldspar::recon
