// What names say of order, gaps and strays.
#include "io/numbered_names.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

namespace feldspar::io {
namespace {

using Names = std::vector<std::string>;

/// `count` names of `format`, for number first, first + step, ...
template <class Format>
Names names_of(const Format& format, int count, int first = 0, int step = 1) {
  Names names;
  for (int n = 0; n < count; ++n) names.push_back(format(first + n * step));
  return names;
}

/// Without the n-th, n in `absent`, and shuffled.
Names without(Names names, std::vector<std::size_t> absent) {
  std::sort(absent.rbegin(), absent.rend());
  for (const std::size_t n : absent) names.erase(names.begin() + static_cast<std::ptrdiff_t>(n));
  std::shuffle(names.begin(), names.end(), std::mt19937(7));
  return names;
}

/// The names in the order found.
Names in_order(const Names& names, const NameSeries& series) {
  Names ordered;
  for (const auto& member : series.members) ordered.push_back(names[member.name]);
  return ordered;
}

std::vector<int> places(const NameSeries& series) {
  std::vector<int> indices;
  for (const auto& member : series.members) indices.push_back(member.index);
  return indices;
}

std::string padded(int n) { return fmt::format("p_{:04}.tif", n); }

TEST(NumberedNames, CountWhateverThePaddingAndTheFirst) {
  for (const int first : {0, 1, 7, 998}) {
    for (const bool pads : {false, true}) {
      const Names all =
          names_of([&](int n) { return pads ? padded(n) : fmt::format("p{}.TIF", n); }, 12, first);
      const Names names = without(all, {});

      const NameSeries series = series_of(names);

      EXPECT_EQ(in_order(names, series), all);
      EXPECT_EQ(series.missing, "");
      EXPECT_EQ(series.first, first);
      EXPECT_TRUE(series.doubt.empty() && series.conflict.empty() && series.strays.empty());
    }
  }
}

TEST(NumberedNames, NameWhatIsAbsentAndKeepThePlaces) {
  const Names names = without(names_of(padded, 100, 1), {1, 3, 4, 5, 98});

  const NameSeries series = series_of(names);

  EXPECT_EQ(series.missing, "p_0002.tif, p_0004.tif to p_0006.tif, p_0099.tif");
  EXPECT_EQ(series.members.size(), 95U);
  EXPECT_EQ(series.members[1].index, 2);
  EXPECT_EQ(series.members.back().index, 99);
}

TEST(NumberedNames, FindTheNumberThatCountsAmongOthers) {
  const auto time = [](int n) { return 101200 + 100 * (n * 7 / 60) + n * 7 % 60; };
  const std::vector<std::function<std::string(int)>> ways{
      [&](int n) { return fmt::format("p_{:04}_{}.tif", n, time(n)); },
      [&](int n) { return fmt::format("20240501-{}_{}.tif", time(n), n); },
      [&](int n) { return fmt::format("cell18650_run2 ({})_65.5kV.tif", n); },
      [&](int n) { return fmt::format("2024-05-01 run3 -{:03}-{:.3f}.tif", n, n * 0.7); },
      [&](int n) { return fmt::format("{:04}_at_{:07.3f}deg.tif", n, n * 0.7); }};
  for (const auto& way : ways) {
    SCOPED_TRACE(way(3));
    const Names all = names_of(way, 40);
    const Names complete = without(all, {}), names = without(all, {5, 17, 18});

    EXPECT_EQ(in_order(complete, series_of(complete)), all);
    EXPECT_EQ(series_of(complete).missing, "");
    const NameSeries series = series_of(names);
    EXPECT_NE(series.missing, "");
    ASSERT_EQ(series.members.size(), 37U);
    EXPECT_EQ(series.members[5].index, 6);
    EXPECT_EQ(series.members[16].index, 19);
  }
}

TEST(NumberedNames, SayTheNumberWhereOthersVaryToo) {
  const Names names =
      without(names_of([](int n) { return fmt::format("p_{:04}_{}.tif", n, 1000 + n * n); }, 20), {4, 9, 10});

  EXPECT_EQ(series_of(names).missing,
            "number 4 (behind p_0003_1009.tif), numbers 9 to 10 (behind "
            "p_0008_1064.tif)");
}

TEST(NumberedNames, LeaveOutAStrayAndStillSeeTheGap) {
  for (const char* stray : {"p_0003 (1).tif", "p_0003 - Copy.tif", "average.tif", "p_0003.tif.tif",
                            "Copy of p_0003.tif", "p_0003_old.tif", "thumb_1.tif"}) {
    SCOPED_TRACE(stray);
    Names names = names_of(padded, 30);
    names.erase(names.begin() + 20);
    names.insert(names.begin() + 4, stray);

    const NameSeries series = series_of(names);

    EXPECT_EQ(series.strays, Names{stray});
    EXPECT_EQ(series.missing, "p_0020.tif");
    ASSERT_EQ(series.members.size(), 29U);
    EXPECT_EQ(series.members[20].index, 21);
  }
}

TEST(NumberedNames, OfACopyInPlaceOfItsOriginalTheOriginalIsMissing) {
  Names names = names_of(padded, 30);
  names[12] = "p_0012 (1).tif";

  EXPECT_EQ(series_of(names).missing, "p_0012.tif");
  EXPECT_EQ(series_of(names).strays, Names{"p_0012 (1).tif"});
}

TEST(NumberedNames, KnowSignsFromHyphens) {
  const auto angle = [](int n) { return fmt::format("p_{}.tif", n); };
  const Names angles = names_of(angle, 91, -180, 4);
  Names names = without(angles, {10});

  const NameSeries series = series_of(names);

  EXPECT_EQ(series.missing, "p_-140.tif");
  EXPECT_EQ(series.step, 4);
  EXPECT_EQ(series.first, -180);
  EXPECT_EQ(names[series.members[0].name], "p_-180.tif");
  EXPECT_EQ(series.members.back().index, 90);

  names = names_of([](int n) { return fmt::format("scan-{:04}.tif", n); }, 20, 1);
  names.erase(names.begin() + 7);
  EXPECT_EQ(series_of(names).missing, "scan-0008.tif");
  EXPECT_EQ(names[series_of(names).members[0].name], "scan-0001.tif");

  names = names_of([](int n) { return fmt::format("scan{}.tif", n); }, 9, -4);
  EXPECT_EQ(in_order(names, series_of(names)), names);

  names = names_of([](int n) { return fmt::format("scan_-{}.tif", n); }, 20, 1);
  EXPECT_NE(series_of(names).conflict.find("sign or a hyphen"), std::string::npos);
}

TEST(NumberedNames, ReadDecimalsAsOneNumber) {
  const Names all = names_of([](int n) { return fmt::format("p_{:.2f}.tif", n * 0.25); }, 100, -20);
  const Names names = without(all, {33});

  const NameSeries series = series_of(names);

  EXPECT_EQ(series.missing, "1 behind p_3.00.tif");
  ASSERT_EQ(series.members.size(), 99U);
  EXPECT_EQ(names[series.members[0].name], "p_-5.00.tif");
  EXPECT_EQ(series.members[33].index, 34);
}

TEST(NumberedNames, ReadHexadecimalNumbers) {
  for (const bool capitals : {false, true}) {
    const auto hexadecimal = [&](int n) {
      return capitals ? fmt::format("p_{:04X}.tif", n) : fmt::format("p{:03x}.tif", n);
    };
    for (const int count : {11, 40, 360}) {
      const Names all = names_of(hexadecimal, count), names = without(all, {7});
      const Names complete = without(all, {});

      EXPECT_EQ(in_order(complete, series_of(complete)), all);
      EXPECT_EQ(series_of(complete).missing, "");
      EXPECT_EQ(series_of(names).missing, hexadecimal(7)) << count;
      EXPECT_EQ(series_of(names).members[7].index, 8);
    }
  }
}

TEST(NumberedNames, OneLetterDoesNotMakeThemHexadecimal) {
  Names names = names_of(padded, 100);
  names.push_back("p_000a.tif");

  EXPECT_EQ(series_of(names).missing, "");
  EXPECT_EQ(series_of(names).strays, Names{"p_000a.tif"});
}

TEST(NumberedNames, EvenStepsAreNoGaps) {
  const NameSeries series = series_of(names_of(padded, 36, 0, 10));

  EXPECT_EQ(series.step, 10);
  EXPECT_EQ(series.missing, "");
  EXPECT_EQ(series.members.back().index, 35);
  EXPECT_EQ(series_of({"p1.tif", "p3.tif"}).missing, "p2.tif");
}

TEST(NumberedNames, NumbersThatDoNotCountLeaveADoubt) {
  const Names names =
      without(names_of([](int n) { return fmt::format("p_{}.tif", 1714550000 + n * n + 9 * n); }, 20), {});

  const NameSeries series = series_of(names);

  EXPECT_NE(series.doubt.find("do not count"), std::string::npos);
  EXPECT_EQ(series.members.size(), 20U);
  EXPECT_EQ(series.members.back().index, 19);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()) ||
              std::is_sorted(series.members.begin(), series.members.end(),
                             [&](auto a, auto b) { return names[a.name] < names[b.name]; }));
}

TEST(NumberedNames, ConflictsAreSaid) {
  const auto conflict = [](const Names& names) { return series_of(names).conflict; };
  Names two = names_of([](int n) { return fmt::format("a_{}.tif", n); }, 20);
  for (int n = 20; n < 40; ++n) two.push_back(fmt::format("b_{}.tif", n));
  const Names positions = names_of([](int n) { return fmt::format("pos{}_{}.tif", n / 10, n % 10); }, 20);
  const Names crossed = names_of([](int n) { return fmt::format("p_{}_{}.tif", n, n * 7 % 20); }, 20);

  EXPECT_NE(conflict(two).find("2 kinds"), std::string::npos);
  EXPECT_NE(conflict(positions).find("have the same one"), std::string::npos);
  EXPECT_NE(conflict(crossed).find("two numbers that count"), std::string::npos);
  EXPECT_NE(conflict({"p1.tif", "p01.tif", "p2.tif"}).find("p1.tif and p01.tif"), std::string::npos);
  EXPECT_NE(conflict({"first.tif", "second.tif", "third.tif"}), "");
  EXPECT_NE(conflict({"p_1.tif", "p_1 (1).tif"}), "");
  EXPECT_TRUE(series_of(two).members.empty());
}

TEST(NumberedNames, OneNameIsASeriesAndNoneIsNone) {
  EXPECT_EQ(series_of({"stack.tif"}).members.size(), 1U);
  EXPECT_TRUE(series_of({}).members.empty());
  EXPECT_EQ(places(series_of({"p2.tif", "p1.tif"})), (std::vector<int>{0, 1}));
}

/// Whatever the names: every one is a member or a stray, places rise, and nothing is both.
TEST(NumberedNames, AccountForEveryNameOfAnyKind) {
  std::mt19937 random(11);
  const std::string letters = "0123456789abcf-+._ (pP";
  for (int round = 0; round < 3000; ++round) {
    Names names;
    for (auto n = random() % 12; n > 0; --n) {
      std::string name = "p";
      for (auto length = random() % (round % 3 == 0 ? 40 : 6); length > 0; --length)
        name += letters[random() % letters.size()];
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }

    const NameSeries series = series_of(names);

    if (!series.conflict.empty()) {
      EXPECT_TRUE(series.members.empty());
      continue;
    }
    EXPECT_EQ(series.members.size() + series.strays.size(), names.size());
    for (std::size_t n = 1; n < series.members.size(); ++n)
      EXPECT_LT(series.members[n - 1].index, series.members[n].index);
  }
}

}  // namespace
}  // namespace feldspar::io
