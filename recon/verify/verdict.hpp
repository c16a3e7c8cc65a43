// What the checks of a finished volume found, and whether it can be trusted.
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
                                            {"numbers", "numbers"},
                                            {"pixels", "pixels"},
                                            {"random-voxels", "random voxels"},
                                            {"re-projection", "re-projection"},
                                            {"rotation-axis", "rotation axis"},
                                            {"rotation-sense", "sense of rotation"},
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

/// All that was asked, and the sum of it.
struct Verdict {
  std::vector<Check> checks;      ///< in the order in which they were made
  double seconds = 0;             ///< that it took
  std::string unverifiable = {};  ///< why the scan could not be asked, where it should have been

  /// "trusted", "untrusted", or "not verifiable" where nothing failed and the scan could not be asked.
  [[nodiscard]] const char* word() const;

  /// No check failed.
  [[nodiscard]] bool trusted() const;

  /// The texts of the checks that failed, "title: text" joined by "; "; else why it is not verifiable.
  [[nodiscard]] std::string reasons() const;

  /// What to do about the checks that failed.
  [[nodiscard]] Remedies remedies() const;

  /// The check of that id; null when it was not made.
  [[nodiscard]] const Check* find(CheckId id) const;
};

}  // namespace feldspar::recon
