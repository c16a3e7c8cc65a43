// Columns of numbers: every way to write them that is understood, and every one that is refused.
#include "base/number_table.hpp"

#include <gtest/gtest.h>

#include <clocale>

#include "tests/support/errors.hpp"

namespace feldspar {
namespace {

using Values = std::vector<double>;

Values values_of(const std::string& text, const NumberColumns& columns = {}) {
  return parse_number_table(text, columns, "t.txt").values;
}

void expect_refusal(const std::string& text, const NumberColumns& columns,
                    std::initializer_list<std::string_view> words) {
  testing::expect_error(ErrorKind::bad_file, words,
                        [&] { (void)parse_number_table(text, columns, "t.txt"); });
}

TEST(NumberTable, ReadsEverySeparator) {
  const Values both{0.5, 1, 2.5, 3};

  EXPECT_EQ(values_of("0.5 1\n2.5   3\n", {.count = 2}), both);
  EXPECT_EQ(values_of("0.5\t1\r\n2.5\t3", {.count = 2}), both);
  EXPECT_EQ(values_of("0.5;1\n2.5; 3\n", {.count = 2}), both);
  EXPECT_EQ(values_of("0.5, 1\n2.5,3\n", {.count = 2}), both);
  EXPECT_EQ(values_of("x;0,5;1\ny;2,5;3\n", {.first = 2, .count = 2, .decimal = ','}), both);
  EXPECT_EQ(values_of("# angle\n\nhead\n1e-1\n+2\n-.5\n", {.header_lines = 3}), (Values{0.1, 2, -0.5}));
}

TEST(NumberTable, CellsMayBeNamesWithBlanks) {
  EXPECT_EQ(values_of("img 1.tif;;0.5\nimg 2.tif;;0.7\n", {.first = 3}), (Values{0.5, 0.7}));
}

TEST(NumberTable, RefusesCommasThatMayMeanTwoThings) {
  for (const char* text : {"2,500\n3,750\n", "1,234\n", "0,1\n1,2\n"})
    expect_refusal(text, {}, {"t.txt", "more than one way", "decimal = \"comma\""});
  expect_refusal("1;2,5\n2;3,5\n", {.first = 2}, {"t.txt", "more than one way"});
  expect_refusal("0,40 0,80\n0,41 0,81\n", {.count = 2}, {"t.txt", "decimal commas"});
  expect_refusal("1,234.5\n2,345.5\n", {}, {"t.txt", "more than one way"});
  expect_refusal("1.234,5\n2.345,5\n", {}, {"t.txt", "more than one way"});
}

TEST(NumberTable, TakesStatedDecimalsAndSeparatorsAtTheirWord) {
  EXPECT_EQ(values_of("2,500\n3,750\n", {.decimal = ','}), (Values{2.5, 3.75}));
  EXPECT_EQ(values_of("2,500\n3,750\n", {.separator = ','}), (Values{2, 3}));
  EXPECT_EQ(values_of("1,234.5\n2,345.5\n", {.first = 2, .separator = ','}), (Values{234.5, 345.5}));
  expect_refusal("2.500\n", {.decimal = ','}, {"line 1", "\"2.500\""});
  expect_refusal("2,500\n", {.separator = ' ', .decimal = '.'}, {"thousands"});
  expect_refusal("1.234,5\n", {.decimal = ','}, {"thousands"});
  expect_refusal("999.5\n1,000.5\n", {}, {"thousands"});
}

TEST(NumberTable, RefusesRowsOfUnevenWidth) {
  expect_refusal("1 2\n3 4 5\n", {}, {"line 2", "3 columns", "2"});
  expect_refusal("1;2\n3\n", {}, {"line 2", "1 columns", "2"});
  expect_refusal("0.5,1\n0.7\n", {}, {"line 2"});
  expect_refusal("1;2\n;4\n", {}, {"line 2", "\"\"", "column 1"});
}

TEST(NumberTable, RefusesWhatIsNoNumber) {
  for (const char* text : {"nan\n", "inf\n", "0x10\n", "1'000\n", "abc\n"})
    expect_refusal(text, {}, {"t.txt", "line 1"});
  expect_refusal("1\n2\n", {.first = 2}, {"line 1", "nothing", "column 2"});
}

TEST(NumberTable, DoesNotDependOnTheLocale) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  bool found = false;
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"})
    found = found || std::setlocale(LC_ALL, name) != nullptr;
  if (!found) GTEST_SKIP() << "no locale with decimal commas is installed";

  const Values values = values_of("0.5 1.25\n", {.count = 2});

  (void)std::setlocale(LC_ALL, before.c_str());
  EXPECT_EQ(values, (Values{0.5, 1.25}));
}

}  // namespace
}  // namespace feldspar
