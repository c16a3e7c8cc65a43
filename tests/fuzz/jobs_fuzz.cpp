// The job file of `feldspar batch`, and the configuration of one reconstruction; the first byte chooses
// which.
#include <CLI/CLI.hpp>

#include "cli/batch/batch_file.hpp"
#include "cli/options.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

/// As `feldspar recon` has them.
struct Recon {
  CLI::App app{"", "recon"};
  feldspar::cli::RequestOptions options;

  Recon() {
    using feldspar::run::Topic;
    options.add(app, {Topic::input, Topic::region, Topic::geometry, Topic::corrections, Topic::filter,
                      Topic::output, Topic::machine});
  }
};

}  // namespace

std::vector<std::string> feldspar::fuzz::seeds() {
  return {
      "0output = \"volumes\"\n[settings]\nmemory = \"4GiB\"\nfast = true\nviews = [\"0:10\", "
      "\"2\"]\n[slurm]\n"
      "memory = \"16GiB\"\ntime = \"2:00:00\"\ncpus = 4\ngpus = 1\noptions = [\"--partition=gpu\"]\n"
      "[[job]]\nscan = \"a.*\"\nname = \"b\"\noutput = \"c.h5\"\nshares = 3\ncutoff = 0.5\n"
      "[[job]]\nscan = \"a.toml\"\nangles = \"file\"\nwhite-level = 60000\n",
      "1scan = \"a\"\nmemory = \"4GiB\"\nviews = [\"0:10\", \"2\"]\ncutoff = 0.5\nthreads = 2\nfast = true\n"
      "allow-missing = false\npixel-size = \"6.5um\"\nwhite-level = 1e4\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace feldspar;
  if (size == 0) return 0;
  const auto path = fuzz::write_scratch("a.toml", data + 1, size - 1);
  fuzz::expect_errors_only([&] {
    Recon recon;
    if (data[0] % 2 == 0)
      (void)cli::read_batch(path, recon.app);
    else
      (void)recon.options.request(cli::apply_config(recon.app, path).request);
  });
  return 0;
}
