// What a call that must fail threw, so that a test can look at its kind and its words.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.hpp"

namespace feldspar::testing {

struct Failure {
  ErrorKind kind = ErrorKind::internal;
  std::string message;  ///< empty when nothing was thrown
};

template <class Call>
Failure failure_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  return {};
}

/// Expects an Error of `kind` whose message has every one of `words`.
inline void expect_failure(const Failure& failure, ErrorKind kind, const std::vector<std::string>& words) {
  EXPECT_STREQ(name_of(failure.kind), name_of(kind)) << failure.message;
  for (const std::string& word : words)
    EXPECT_NE(failure.message.find(word), std::string::npos) << "\"" << word << "\" in: " << failure.message;
}

/// How many of `findings` have all of `words`.
inline int count_with(const std::vector<std::string>& findings, const std::vector<std::string>& words) {
  int count = 0;
  for (const std::string& finding : findings) {
    bool all = true;
    for (const std::string& word : words) all = all && finding.find(word) != std::string::npos;
    count += all;
  }
  return count;
}

}  // namespace feldspar::testing
