// Texts of others: encodings, what is no file, and what a terminal must not see.
#include "base/text.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar {
namespace {

using testing::expect_error;

/// `text` of ASCII and "µ" as UTF-16 with its mark.
std::string utf16(const std::string& text, bool big) {
  std::string bytes = big ? "\xFE\xFF" : "\xFF\xFE";
  for (std::size_t n = 0; n < text.size(); ++n) {
    const bool is_mu = text.substr(n).starts_with("µ");
    const char low = is_mu ? '\xB5' : text[n];
    bytes += big ? std::string{'\0', low} : std::string{low, '\0'};
    n += is_mu ? 1 : 0;
  }
  return bytes;
}

class Text : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& bytes) const {
    std::ofstream(folder_ / "a.txt", std::ios::binary) << bytes;
    return folder_ / "a.txt";
  }
  testing::TempFolder folder_;
};

TEST_F(Text, IsReadInEveryEncodingThatAMarkStates) {
  const std::string text = "length = 3 µm\r\n\nend";

  for (const std::string& bytes : {text, "\xEF\xBB\xBF" + text, utf16(text, false), utf16(text, true)})
    EXPECT_EQ(read_text(file(bytes), 1000), text);
  EXPECT_EQ(read_text(file(std::string("\xFF\xFE\x3D\xD8\x00\xDE", 6)), 1000), "\xF0\x9F\x98\x80");
  EXPECT_EQ(read_text(file(""), 1000), "");
}

TEST_F(Text, ComesLineByLineHoweverLongItIs) {
  std::string text;
  for (int n = 0; n < 40000; ++n) text += "line " + std::to_string(n) + (n % 2 == 0 ? "\r\n" : "\n");
  for (const std::string& bytes : {text, utf16(text, true)}) {
    TextLines lines(file(bytes));

    std::string line;
    int count = 0;
    for (; lines.next(line, 100); ++count) ASSERT_EQ(line, "line " + std::to_string(count));

    EXPECT_EQ(count, 40000);
  }
  TextLines endless(file(std::string(200000, 'x')));
  std::string line;
  expect_error(ErrorKind::bad_file, {"a.txt", "1000 bytes"}, [&] { (void)endless.next(line, 1000); });
}

TEST_F(Text, IsReadFromFilesOnly) {
  const auto pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);

  expect_error(ErrorKind::io, {"pipe", "is a pipe"}, [&] { (void)read_text(pipe, 10); });
  expect_error(ErrorKind::io, {"/dev/zero", "device"}, [] { (void)read_text("/dev/zero", 10); });
  expect_error(ErrorKind::io, {"is a folder"}, [&] { (void)read_text(folder_.path(), 10); });
  expect_error(ErrorKind::io, {"none", "cannot be opened"}, [&] { (void)read_text(folder_ / "none", 10); });
  expect_error(ErrorKind::bad_file, {"a.txt", "11 B", "10 B"},
               [&] { (void)read_text(file("12345678901"), 10); });
}

TEST(Printable, KeepsTextAndShowsWhatATerminalWouldObey) {
  EXPECT_EQ(printable("µm, \t日本\nend"), "µm, \t日本\nend");
  EXPECT_EQ(printable("\x1b[31mred\r\b\x7f"), "\\u001b[31mred\\u000d\\u0008\\u007f");
  EXPECT_EQ(printable("a\u009bb"), "a\\u009bb");  // a control of eight bits, as UTF-8
  EXPECT_EQ(printable("a\x9b"
                      "b"),
            "a\\u009bb");                                   // and as a byte
  EXPECT_EQ(printable("exe.\u202egnp"), "exe.\\u202egnp");  // turns round what follows
  EXPECT_EQ(printable("caf\xe9"), "caf\xe9");               // a name in Latin-1
  EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\u0000b");
}

TEST(AsUtf8, TakesWhatIsNoneForLatin1) {
  EXPECT_EQ(as_utf8("µm"), "µm");
  EXPECT_EQ(as_utf8("\xB5m"), "µm");
  EXPECT_EQ(as_utf8(""), "");
}

}  // namespace
}  // namespace feldspar
