// The list of finished slabs beside an unfinished volume.
#include "io/hdf5/slab_journal.hpp"
#include "tests/fuzz/fuzz_target.hpp"

std::vector<std::string> feldspar::fuzz::seeds() {
  io::SlabJournal journal(scratch() / "seed.journal", "run");
  journal.begin({{{0, 16}, 0}, {{16, 32}, 5}});
  journal.end({.size = 100, .bytes = "index"});
  return {content_of(scratch() / "seed.journal")};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace feldspar;
  const auto path = fuzz::write_scratch("a.journal", data, size);
  fuzz::expect_errors_only([&] { (void)io::SlabJournal(path, "run").read(); });
  return 0;
}
