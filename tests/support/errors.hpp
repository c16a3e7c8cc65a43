// How the tests ask for an error of one kind whose message names what it must.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace feldspar::testing {

/// `text`, and the names, values and words of `remedies`, to look for words in.
inline std::string all_words(std::string text, const Remedies& remedies) {
  for (const Remedy& remedy : remedies)
    text.append("; ")
        .append(remedy.words)
        .append(" ")
        .append(remedy.option.name())
        .append(" ")
        .append(remedy.value);
  return text;
}

/// Fails the test unless `action` throws an Error of `kind` that has every one of `words` in its message or
/// its remedies.
template <class Action>
void expect_error(ErrorKind kind, std::initializer_list<std::string_view> words, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_STREQ(name_of(error.kind()), name_of(kind)) << error.what();
    const std::string said = all_words(error.what(), error.remedies());
    for (const std::string_view word : words)
      EXPECT_NE(said.find(word), std::string::npos) << "'" << word << "' is not in: " << said;
    return;
  }
  ADD_FAILURE() << "no error was thrown, expected " << name_of(kind);
}

}  // namespace feldspar::testing
