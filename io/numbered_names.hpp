// What the numbers in the names of a scan's files say: their order, which are absent, and which do not
// belong.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/log.hpp"

namespace feldspar::io {

/// Files whose names count.
struct NameSeries {
  /// A file of the series.
  struct Member {
    std::size_t name = 0;  ///< which of the names
    int index = 0;         ///< its place, counted from the first; absent numbers leave places empty
  };
  std::vector<Member> members{};      ///< in their order; empty when `conflict` says why there is none
  std::vector<std::string> strays{};  ///< names that are unlike the others: copies, averages
  std::string missing{};              ///< what is absent between the first and the last, by name or number
  long long first = 0;                ///< the first member's number
  long long step = 1;                 ///< from each number to the next
  /// Why the order is known, but not whether files are absent: numbers that do not count, as times do.
  std::string doubt{};
  std::string conflict{};  ///< why the names tell no order
};

/// Reads the numbers in `names`. Of several numbers (a date, a run, an index, a time) the one that counts
/// with the fewest gaps is the index. Numbers may be signed, have decimals, be hexadecimal when all names are
/// of one length, and count in steps of any size. Names that differ from the others in their text are strays,
/// as long as they are one, or at most a tenth of the others. Two readings as good as each other that differ,
/// two files of one number, or no number at all are a conflict.
[[nodiscard]] NameSeries series_of(const std::vector<std::string>& names);

/// Numbers as people write them: "3, 7-9, 12"; cut after `most` ranges.
[[nodiscard]] std::string format_numbers(const std::vector<int>& numbers, std::size_t most = 20);

/// "a, b, c and 7 more": at most ten.
[[nodiscard]] std::string format_names(const std::vector<std::string>& names);

}  // namespace feldspar::io
