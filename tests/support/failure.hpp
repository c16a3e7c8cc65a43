// What a call that must fail threw, so that a test can look at its kind and its words.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/findings.hpp"
#include "tests/support/errors.hpp"

namespace feldspar::testing {

struct Failure {
  ErrorKind kind = ErrorKind::internal;
  std::string message;  ///< with the remedies; empty when nothing was thrown
};

template <class Call>
Failure failure_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.kind(), all_words(error.what(), error.remedies())};
  }
  return {};
}

/// Expects an Error of `kind` whose message has every one of `words`.
inline void expect_failure(const Failure& failure, ErrorKind kind, const std::vector<std::string>& words) {
  EXPECT_STREQ(name_of(failure.kind), name_of(kind)) << failure.message;
  for (const std::string& word : words)
    EXPECT_NE(failure.message.find(word), std::string::npos) << "\"" << word << "\" in: " << failure.message;
}

/// How many of `findings` have all of `words` in their text or their remedies.
inline int count_with(const Findings& findings, const std::vector<std::string>& words) {
  int count = 0;
  for (const Finding& finding : findings) {
    const std::string said = all_words(finding.text, finding.remedies);
    bool all = true;
    for (const std::string& word : words) all = all && said.find(word) != std::string::npos;
    count += all;
  }
  return count;
}

/// How many of `findings` are of the kind `code`.
inline int count_of(const Findings& findings, FindingCode code) {
  int count = 0;
  for (const Finding& finding : findings) count += finding.code == code;
  return count;
}

}  // namespace feldspar::testing
