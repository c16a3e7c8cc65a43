// How the tests ask for an error of one kind whose message names what it must.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace feldspar::testing {

/// Fails the test unless `action` throws an Error of `kind` whose message has every one of `words` in it.
template <class Action>
void expect_error(ErrorKind kind, std::initializer_list<std::string_view> words, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_STREQ(name_of(error.kind()), name_of(kind)) << error.what();
    for (const std::string_view word : words)
      EXPECT_NE(std::string_view(error.what()).find(word), std::string_view::npos)
          << "'" << word << "' is not in: " << error.what();
    return;
  }
  ADD_FAILURE() << "no error was thrown, expected " << name_of(kind);
}

}  // namespace feldspar::testing
