// What the checks of a finished volume and of its scan found, and whether it can be trusted.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/remedy.hpp"

namespace feldspar::recon {

/// A question that is asked of a volume or of the scan it was made from; it keeps its id from version to
/// version.
struct CheckKind {
  std::string_view name;   ///< for programs, in kebab case
  std::string_view title;  ///< for people
};
/// All of them.
inline constexpr CheckKind check_kinds[] = {{"air-level", "level of air"},
                                            {"distances", "distances"},
                                            {"every-view", "every view"},
                                            {"layers", "layers"},
                                            {"mass", "mass"},
                                            {"motion", "motion"},
                                            {"neighbouring-views", "neighbouring views"},
                                            {"numbers", "numbers"},
                                            {"pixels", "pixels"},
                                            {"random-voxels", "random voxels"},
                                            {"re-projection", "re-projection"},
                                            {"rotation-axis", "rotation axis"},
                                            {"rotation-sense", "sense of rotation"},
                                            {"turn", "turn"},
                                            {"view-order", "order of the views"}};
/// The id of one of them.
using CheckId = Listed<check_kinds>;

/// One question that was asked, and its answer.
struct Check {
  /// What came of it; what cannot be seen is not called good.
  enum class Outcome { passed, failed, not_applicable };
  CheckId id;                                 ///< which question
  Outcome outcome = Outcome::not_applicable;  ///< what came of it
  std::string text = {};   ///< what was measured, against which limit; of a failure also what it means
  Remedies remedies = {};  ///< of a failure, what to do about it

  /// The question for people.
  [[nodiscard]] std::string title() const { return std::string(id.element().title); }

  /// The same question with its answer.
  [[nodiscard]] Check judged(bool wrong, std::string what, Remedies if_wrong = {}) const {
    return {id, wrong ? Outcome::failed : Outcome::passed, std::move(what),
            wrong ? std::move(if_wrong) : Remedies{}};
  }
  /// The same question, and why it cannot be judged.
  [[nodiscard]] Check not_applicable(std::string why) const {
    return {id, Outcome::not_applicable, std::move(why)};
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

  /// The texts of the checks that failed, "title: text" joined by "; "; else what was not judged.
  [[nodiscard]] std::string reasons() const;

  /// What to do about the checks that failed.
  [[nodiscard]] Remedies remedies() const;

  /// The check of that id; null when it was not made.
  [[nodiscard]] const Check* find(CheckId id) const;
};

}  // namespace feldspar::recon
