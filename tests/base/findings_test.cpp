// Findings: the list of their kinds, and the way through a file.
#include "base/findings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"

namespace feldspar {
namespace {

bool is_kebab(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) { return ('a' <= c && c <= 'z') || c == '-'; });
}

TEST(Findings, HaveCodesThatAreUniqueAndOfOneForm) {
  std::set<std::string_view> seen;
  for (const FindingKind& kind : finding_kinds) {
    const std::size_t dot = kind.name.find('.');
    ASSERT_NE(dot, kind.name.npos) << kind.name;
    EXPECT_TRUE(is_kebab(kind.name.substr(0, dot)) && is_kebab(kind.name.substr(dot + 1))) << kind.name;
    EXPECT_TRUE(seen.insert(kind.name).second) << kind.name << " twice";
  }
}

TEST(Findings, NameOptionsInOneForm) {
  std::set<std::string_view> seen;
  for (const NamedOption& option : named_options)
    EXPECT_TRUE(is_kebab(option.name) && seen.insert(option.name).second) << option.name;
}

TEST(Findings, ComeBackFromAFileAsTheyWere) {
  const Findings all{{"axis.unstated",
                      "no axis",
                      "axis",
                      {{"axis-offset", "auto", "to find it, give"}, {"reverse-rotation", "", ""}}},
                     {"motion.found", "still", "", {}},
                     {"views.cut", "of two\nlines", "a\tfield"}};

  const Findings back = findings_in(texts_of(all), data_of(all));

  ASSERT_EQ(back.size(), 3u);
  EXPECT_EQ(back[0], all[0]);
  EXPECT_EQ(back[1], all[1]);
  EXPECT_EQ(back[2].text, "of two lines");
  EXPECT_EQ(back[2].field, "a field");
}

TEST(Findings, OfEarlierVersionsHaveTheirTextsOnly) {
  const Findings back = findings_in_lines("one\n\ntwo", "");

  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[1], Finding("version.other", "two"));
}

TEST(Findings, OfLaterVersionsKeepWhatIsKnown) {
  const Findings back =
      findings_in({"a"}, {"moon.full\tnote\tmoon\thowl\tloud\ttry to\tmemory\t8GiB\traise"});

  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].code.name(), "version.other");
  EXPECT_EQ(back[0].severity, Severity::note);
  EXPECT_EQ(back[0].remedies, (Remedies{{"memory", "8GiB", "raise"}}));
}

TEST(Findings, AreLoggedByTheirSeverityWithTheirRemedies) {
  std::vector<std::pair<LogLevel, std::string>> seen;
  set_log_sink([&](LogLevel level, std::string_view text, const Remedies& remedies) {
    seen.emplace_back(level, std::string(text) + (remedies.empty() ? "" : "+"));
  });

  log(Finding{"axis.unstated", "a", "", {{"axis-offset"}}});
  log(Finding{"motion.found", "b"});
  set_log_sink({});

  EXPECT_EQ(seen, (std::vector<std::pair<LogLevel, std::string>>{{LogLevel::warning, "a+"},
                                                                 {LogLevel::info, "note: b"}}));
}

TEST(Error, InOtherWordsKeepsItsKindAndItsRemedies) {
  const Error cause(ErrorKind::bad_file, "a", {{"angles", "nominal"}});

  const Error error(cause, "b", {{"allow-missing"}});

  EXPECT_EQ(error.kind(), ErrorKind::bad_file);
  EXPECT_STREQ(error.what(), "b");
  EXPECT_EQ(error.remedies(), (Remedies{{"angles", "nominal"}, {"allow-missing"}}));
  EXPECT_EQ(cause.remedies().size(), 1u);
}

}  // namespace
}  // namespace feldspar
