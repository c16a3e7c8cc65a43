// A scan.toml beside its images, and the lists of numbers that it names; the first byte chooses which.
#include <fstream>

#include "io/tiff/tiff_file.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

constexpr const char* scan_text =
    "feldspar_scan = 1\nbeam = \"cone\"\nsource_to_object = \"100 mm\"\nsource_to_detector = \"0.5 m\"\n"
    "[images]\nprojections = \"p*.tif\"\nflats = \"f0.tif\"\nflats_after = [\"f1.tif\"]\ndarks = \"f0.tif\"\n"
    "count = 3\nfirst_row = \"bottom\"\nseen_from = \"detector\"\n[detector]\npixel_size = [\"200 um\", "
    "\"0.2 mm\"]\n"
    "offset_right = \"1 mm\"\nroll = \"0.1 deg\"\n[axis]\ncolumn = 1.5\n"
    "[angles]\nturn = \"clockwise\"\nfile = \"list.txt\"\nunit = \"deg\"\ncolumn = 1\nskip_first = 1\n"
    "[shifts]\nfile = \"list.txt\"\nunit = \"um\"\ncolumn = 2\nskip_first = 1\n"
    "[about]\nname = \"a\"\nvoltage_kv = 100\nhardening = [0, 0.75, 0.25]\nfindings = [\"b\"]\n";

constexpr const char* list_text = "# deg mm mm\n-1 0 0\n0 0.1 0.2\n120;1e-3;-4\n240.5, 0, 1\n";

void write_beside() {
  const std::vector<std::uint16_t> counts{1, 2, 3, 4, 5, 6};
  for (const char* const name : {"p0.tif", "p1.tif", "p2.tif", "f0.tif", "f1.tif"})
    feldspar::io::write_tiff(feldspar::fuzz::scratch() / name, {counts.data(), 3, 2, 1});
}

}  // namespace

std::vector<std::string> feldspar::fuzz::seeds() {
  return {std::string("0") + scan_text, std::string("1") + list_text};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace feldspar;
  static const bool written = (write_beside(), true);
  if (size == 0 || !written) return 0;
  const auto* const scan = reinterpret_cast<const std::uint8_t*>(scan_text);
  const auto* const list = reinterpret_cast<const std::uint8_t*>(list_text);
  const bool tries_list = data[0] % 2 == 1;
  const auto length = [](const char* text) { return std::char_traits<char>::length(text); };
  fuzz::write_scratch("list.txt", tries_list ? data + 1 : list, tries_list ? size - 1 : length(list_text));
  const auto path = fuzz::write_scratch("scan.toml", tries_list ? scan : data + 1,
                                        tries_list ? length(scan_text) : size - 1);
  fuzz::expect_errors_only([&] { fuzz::read_scan(path, {.allow_missing = true}); });
  return 0;
}
