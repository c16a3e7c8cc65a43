// Runs a target without libFuzzer: its seeds and any files named, then mutations of them, the same every
// time. With "--write FOLDER", writes the seeds there for libFuzzer; "--rounds N" sets how many mutations,
// and
// "--seed N" which ones. "--round N" tries the N-th alone, which is how one that ended the program is found
// again: the last number printed with "--verbose".
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

#include "tests/fuzz/fuzz_target.hpp"

namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t end) { return end == 0 ? 0 : random() % end; }

/// Overwrites a number of 1, 2, 4 or 8 bytes with one at the edge of what it can hold.
void put_extreme(std::string& bytes, Random& random) {
  constexpr std::uint64_t extremes[] = {0,
                                        1,
                                        0x7F,
                                        0xFF,
                                        0x7FFF,
                                        0xFFFF,
                                        0x7FFFFFFF,
                                        0x80000000,
                                        0xFFFFFFFF,
                                        0x7FFFFFFFFFFFFFFF,
                                        0x8000000000000000,
                                        ~std::uint64_t{0}};
  std::uint64_t value = extremes[below(random, std::size(extremes))];
  const std::size_t width = std::size_t{1} << below(random, 4), at = below(random, bytes.size());
  for (std::size_t n = 0; n < width && at + n < bytes.size(); ++n, value >>= 8)
    bytes[at + n] = static_cast<char>(value & 0xFF);
}

void mutate(std::string& bytes, const std::string& other, Random& random) {
  if (bytes.empty()) return;
  const std::size_t at = below(random, bytes.size()), from = below(random, other.size());
  switch (below(random, 6)) {
    case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(random, 8))); break;
    case 1: bytes[at] = static_cast<char>(random()); break;
    case 2: put_extreme(bytes, random); break;
    case 3: bytes.resize(at); break;
    case 4: bytes.replace(at, below(random, 64), other, from, below(random, 64)); break;
    default: bytes.erase(at, below(random, 64)); break;
  }
}

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::string> inputs = feldspar::fuzz::seeds();
  int rounds = 500, only = -1;
  unsigned long long seed = 20;
  bool verbose = false;
  for (int n = 1; n < count; ++n) {
    const std::string argument = arguments[n];
    if (argument == "--rounds" && n + 1 < count) {
      rounds = std::atoi(arguments[++n]);
    } else if (argument == "--seed" && n + 1 < count) {
      seed = std::strtoull(arguments[++n], nullptr, 10);
    } else if (argument == "--round" && n + 1 < count) {
      only = std::atoi(arguments[++n]);
      rounds = only + 1;
    } else if (argument == "--verbose") {
      verbose = true;
    } else if (argument == "--write" && n + 1 < count) {
      const std::filesystem::path folder = arguments[++n];
      for (std::size_t k = 0; k < inputs.size(); ++k)
        std::ofstream(folder / ("seed" + std::to_string(k)), std::ios::binary) << inputs[k];
      return 0;
    } else {
      inputs.push_back(feldspar::fuzz::content_of(argument));
    }
  }
  if (only < 0)
    for (const std::string& input : inputs) run(input);
  Random random(seed);  // the same mutations every time
  for (int round = 0; round < rounds; ++round) {
    std::string bytes = inputs[below(random, inputs.size())];
    const std::string& other = inputs[below(random, inputs.size())];
    for (std::size_t n = below(random, 4) + 1; n > 0; --n) mutate(bytes, other, random);
    if (only >= 0 && round != only) continue;
    if (verbose) std::fprintf(stderr, "%d\n", round);
    run(bytes);
  }
}
