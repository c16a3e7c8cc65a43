// Texts and streams as they should not be: values without units, hostile files, names and terminals, closed
// doors.
#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/remedy.hpp"
#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

namespace fs = std::filesystem;
using testing::Outcome;

class Texts : public testing::ProgramFolder {
 protected:
  void SetUp() override { expect_success("simulate markers --scale 1/4 --views 40 -o scan"); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
};

/// A scan of 4 views of 5 x 4 pixels whose images have gone through a filter of that number.
void write_filtered(const fs::path& path, H5Z_filter_t number) {
  const auto copy = [](unsigned, size_t, const unsigned[], size_t bytes, size_t*, void**) { return bytes; };
  const H5Z_class2_t filter{H5Z_CLASS_T_VERS, number, 1, 1, "copies", nullptr, nullptr, copy};
  ASSERT_GE(H5Zregister(&filter), 0);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const auto put = [&](const char* name, hid_t type, const std::vector<hsize_t>& size, const void* values,
                       hid_t how) {
    const hid_t space = H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr);
    const hid_t set = H5Dcreate2(file, name, type, space, links, how, H5P_DEFAULT);
    EXPECT_GE(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    H5Dclose(set), H5Sclose(space);
  };
  const std::vector<std::uint16_t> counts(4 * 5 * 4, 1000), dark(5 * 4, 0);
  const std::vector<double> angles{0, 45, 90, 135};
  const hsize_t chunk[] = {1, 5, 4};
  H5Pset_chunk(creation, 3, chunk);
  H5Pset_filter(creation, number, 0, 0, nullptr);
  put("/exchange/data", H5T_NATIVE_UINT16, {4, 5, 4}, counts.data(), creation);
  put("/exchange/data_white", H5T_NATIVE_UINT16, {1, 5, 4}, counts.data(), H5P_DEFAULT);
  put("/exchange/data_dark", H5T_NATIVE_UINT16, {1, 5, 4}, dark.data(), H5P_DEFAULT);
  put("/exchange/theta", H5T_NATIVE_DOUBLE, {4}, angles.data(), H5P_DEFAULT);
  H5Pclose(creation), H5Pclose(links), H5Fclose(file);
  H5Zunregister(number);
}

TEST_F(Texts, AFileThatCrashesItsLibraryIsNamed) {
  write_filtered(folder_ / "evil\x1b.h5", 32765);
  for (const char* how : {"fault", "abort", "overrun"}) {
    const Outcome outcome =
        run("recon evil*.h5 --pixel-size 0.1mm --size 4,4,4 -o a.h5",
            fmt::format("FELDSPAR_CRASH={} HDF5_PLUGIN_PATH='" FELDSPAR_FILTERS "'", how));
    EXPECT_EQ(outcome.exit_code, 3) << how << ": " << outcome.output;
    for (const char* word : {"error: ", "evil", ".h5", "crashed", "damaged"})
      EXPECT_NE(outcome.output.find(word), std::string::npos)
          << how << ": " << word << " in " << outcome.output;
    EXPECT_EQ(outcome.output.find('\x1b'), std::string::npos);
    EXPECT_FALSE(has("a.h5"));
  }
}

TEST_F(Texts, OptionsNeedUnitsWhereTheyMatter) {
  for (const char* option :
       {"--voxel-size 36", "--voxel-size 0.036", "--memory 8", "--memory 8000000000", "--gpu-memory 8",
        "--axis-offset 1.5", "--axis-roll 0.1", "--center 0,0,1", "--pixel-size 36",
        "--transform 1,0,0,9,0,0,0", "--transform 1,0,0,0,0,0,1", "--outline cylinder:18"})
    expect_failure(std::string("recon scan -o a.h5 ") + option, 2,
                   {std::string(option).substr(0, std::string(option).find(' ')), "without a unit"});
  for (const char* option : {"--pitch 200", "--sod 100", "--sdd 200", "--axis-offset 1", "--axis-roll 1",
                             "--axis-tilt 1", "--detector-offset 1"})
    expect_failure(std::string("simulate markers -o other ") + option, 2, {"without a unit"});
  for (const char* config : {"voxel-size = 36", "voxel-size = \"36\"", "memory = 8", "axis-offset = 1.5"}) {
    write("c.toml", config);
    expect_failure("recon scan -o a.h5 --config c.toml", 2, {"without a unit"});
  }
  write("jobs.toml", "[[job]]\nscan = \"scan\"\n");
  expect_failure("batch jobs.toml --local 1 --memory 8", 2, {"--memory", "without a unit"});
  EXPECT_FALSE(has("a.h5"));
}

TEST_F(Texts, OptionsTakeNoEmptyAndNoInfiniteValues) {
  for (const char* name :
       {"--voxel-size", "--size",        "--center",    "--memory",     "--gpu-memory", "--axis-offset",
        "--axis-roll",  "--white-level", "--cutoff",    "--pixel-size", "--threads",    "--views",
        "--device",     "--like",        "--transform", "--roi",        "--window",     "--fast",
        "--motion",     "--correct",     "--rings",     "--hardening",  "--scatter",    "--outline",
        "--range",      "--type",        "--verify",    "--sample",     "--config"})
    for (const char* value : {"''", "' '"})
      expect_failure(fmt::format("recon scan -o a.h5 {} {}", name, value), 2, {name});
  for (const char* option : {"--white-level nan",
                             "--white-level inf",
                             "--white-level 0x10",
                             "--white-level 60000,5",
                             "--white-level 0",
                             "--cutoff nan",
                             "--cutoff inf",
                             "--cutoff 0,5",
                             "--voxel-size nan",
                             "--voxel-size nanmm",
                             "--voxel-size infmm",
                             "--voxel-size 0,036mm",
                             "--axis-offset nanmm",
                             "--axis-offset nanpx",
                             "--axis-roll infdeg",
                             "--memory nanGiB",
                             "--memory infGiB",
                             "--center 0,0,nanmm",
                             "--size nan,10,10",
                             "--hardening nan,1",
                             "--scatter constant:nan",
                             "--type uint16 --range nan,1",
                             "--type uint16 --range 0,inf",
                             "--outline cylinder:nanmm",
                             "--transform nan,0,0,0,0,0,0"})
    expect_failure(std::string("recon scan -o a.h5 ") + option, 2, {});
  for (const char* option :
       {"--scatter nan", "--scatter 0,5", "--exposure nan", "--exposure inf", "--scale nan", "--pitch infmm"})
    expect_failure(std::string("simulate markers -o other ") + option, 2, {});
  write("c.toml", "cutoff = nan\n");
  expect_failure("recon scan -o a.h5 --config c.toml", 2, {"c.toml: cutoff"});
  EXPECT_FALSE(has("a.h5") || has("other"));
}

TEST_F(Texts, AxisMayBeGivenInPixels) {
  const auto info = nlohmann::json::parse(run("info scan --json").output);
  const double pixel =
      info["detector"]["column_pitch_mm"].get<double>() / info["magnification"].get<double>();

  expect_success("recon scan -o a.h5 --axis-offset 0.5px --verify off");
  expect_success(fmt::format("recon scan -o b.h5 --axis-offset {}mm --verify off", 0.5 * pixel));
  expect_success("recon scan -o c.h5 --axis-offset 0 --verify off");

  EXPECT_EQ(voxels("a.h5"), voxels("b.h5"));
  EXPECT_NE(voxels("a.h5"), voxels("c.h5"));
}

TEST_F(Texts, AVolumeThatNothingSeesIsRefusedAndOneInPartIsSaid) {
  for (const char* place : {"100mm,0,0", "0,-1m,0", "0,0,1m", "0,0,-300mm"})
    expect_failure(std::string("recon scan -o a.h5 --size 20,20,20 --center ") + place, 2,
                   {"nothing of it", "--center"});
  EXPECT_FALSE(has("a.h5"));
  const auto info = nlohmann::json::parse(run("info scan --json").output);
  const double reach =
      0.5 * info["volume"]["size"][0].get<double>() * info["volume"]["voxel_size_mm"].get<double>();

  const Outcome part = run(fmt::format("info scan --size 40,40,20 --center {}mm,0,0", reach));

  EXPECT_EQ(part.exit_code, 0) << part.output;
  EXPECT_NE(part.output.find("what lies outside stays empty"), std::string::npos) << part.output;
  EXPECT_EQ(run("info scan --size 20,20,20").output.find("outside stays empty"), std::string::npos);
}

TEST_F(Texts, ErrorsAndFindingsEndWithTheFlagThatMendsThem) {
  expect_success("recon scan -o a.h5 --verify off");
  expect_failure("recon scan -o a.h5", 4,
                 {"error: a.h5: already exists; choose another name, or give --overwrite"});
  expect_failure("recon scan -o b.h5 --memory 1MiB", 5, {"error: ", "; raise --memory"});
  expect_failure("recon scan -o b.h5 --like a.h5 --size 8,8,8", 2,
                 {"; leave out --like, or leave out --voxel-size"});
  expect_failure("recon scan -o b.h5 --context-at 1mm,0mm,0mm", 2, {"; name it with --context VOLUME"});
  (void)shell("rm scan/*_0003.tif");
  expect_failure("recon scan -o b.h5", 3, {"; to go on without them, give --allow-missing"});
  expect_failure("recon scan -o b.h5 --angles sideways", 2, {"--angles: 'sideways'"});
}

TEST_F(Texts, JsonHasWhatMendsAFindingAsData) {
  expect_success("convert scan plain --format tiff");
  std::string text = shell("cat plain/scan.toml").output;
  const std::size_t about = text.find("[about]\n");
  ASSERT_NE(about, std::string::npos) << text;
  write("plain/scan.toml", text.insert(text.find('\n', about) + 1, "hardening = [0.8, 0.2]\n"));

  const auto info = nlohmann::json::parse(run("info plain --hardening off --json").output);
  const Outcome printed = run("info plain --hardening off");

  const auto& findings = info["findings"];
  const auto found =
      std::ranges::find_if(findings, [](const auto& one) { return one["code"] == "hardening.left-out"; });
  ASSERT_NE(found, findings.end()) << findings;
  EXPECT_EQ((*found)["severity"], "warning");
  EXPECT_EQ((*found)["field"], "hardening");
  ASSERT_EQ((*found)["remedies"].size(), 1U);
  EXPECT_EQ((*found)["remedies"][0]["option"], "hardening");
  EXPECT_EQ((*found)["remedies"][0]["value"], "file");
  EXPECT_EQ((*found)["text"].get<std::string>().find("--"), std::string::npos);
  EXPECT_NE(printed.output.find("; to follow it, give --hardening file"), std::string::npos)
      << printed.output;
}

TEST_F(Texts, EveryOptionThatARemedyNamesIsOne) {
  std::string help;
  for (const char* command : {"recon", "join", "compare", "verify"})
    help += run(std::string(command) + " --help").output;
  for (const NamedOption& option : named_options)
    EXPECT_NE(help.find(fmt::format("--{} ", option.name)), std::string::npos) << option.name;
}

TEST_F(Texts, TomlThatWouldExhaustTheParserIsRefused) {
  std::string dots = "a", braces, keys = "feldspar_scan = 1\n";
  for (int n = 0; n < 50000; ++n) dots += ".a";
  for (int n = 0; n < 50000; ++n) braces += "[";
  for (int n = 0; n < 150000; ++n) keys += fmt::format("key_{} = {}\n", n, n);

  for (const std::string& text :
       {dots + " = 1\n", "[" + dots + "]\n", "x = {" + dots + " = 1}\n", "x = " + braces}) {
    write("c.toml", text);
    write("scan.toml", "feldspar_scan = 1\n" + text);
    expect_failure("recon scan -o a.h5 --config c.toml", 2, {"c.toml: line 1", "deep"});
    expect_failure("recon scan -o a.h5 --sample c.toml", 3, {"c.toml: line 1", "deep"});
    expect_failure("recon scan -o a.h5 --transform c.toml", 2, {"c.toml: line 1", "deep"});
    expect_failure("batch c.toml --local 1", 2, {"c.toml: line 1", "deep"});
    expect_failure("info scan.toml", 3, {"scan.toml: line 2", "deep"});
  }
  write("scan.toml", keys);
  EXPECT_EQ(run("info scan.toml").exit_code, 3);
  write("c.toml", keys);
  EXPECT_EQ(run("recon scan -o a.h5 --config c.toml").exit_code, 3);  // larger than a configuration is

  write("fine.toml",
        "x = \"....................................................................\" # [[[[[[\n");
  expect_failure("recon scan -o a.h5 --config fine.toml", 2, {"fine.toml: x"});
}

TEST_F(Texts, ManyLinesTakeNoLongerThanTheirLength) {
  std::string lines;
  for (int n = 0; n < 150000; ++n) lines += fmt::format("Key{}={}\r\n", n, n);
  write("many.xtekct", "[XTekCT]\r\nName=many\r\n" + lines);
  std::string tags = "<NSI Reconstruction Project>\n";
  for (int n = 0; n < 150000; ++n) tags += fmt::format("<tag {}>\n", n);
  write("many.nsipro", tags);

  EXPECT_EQ(run("info many.xtekct", "timeout 60").exit_code, 3);
  EXPECT_EQ(run("info many.nsipro", "timeout 60").exit_code, 3);
}

TEST_F(Texts, PipesAreNotWaitedFor) {
  ASSERT_EQ(shell("mkfifo pipe pipe.toml").exit_code, 0);
  for (const char* arguments : {"recon scan -o a.h5 --config pipe", "recon scan -o a.h5 --sample pipe",
                                "recon scan -o a.h5 --sample pipe.toml", "batch pipe.toml --local 1"})
    EXPECT_EQ(run(arguments, "timeout 20").exit_code, 4) << arguments;
  for (const char* arguments :
       {"recon scan -o a.h5 --transform pipe", "info pipe", "recon scan -o a.h5 --like pipe"}) {
    const int code = run(arguments, "timeout 20").exit_code;
    EXPECT_TRUE(code > 0 && code < 9) << arguments << " ended with " << code;
  }
}

TEST_F(Texts, NamesDoNotReachTheTerminalAsCommands) {
  const std::string name =
      "scan\x1b]0;owned\a\xc2\x9b"
      "1m\x7f";
  ASSERT_EQ(shell("cp -r scan '" + name + "'").exit_code, 0);

  for (const std::string& arguments :
       {"info '" + name + "' --fields", "info '" + name + "' --json", "info '" + name + "/none'",
        "recon '" + name + "' -o '" + name + ".h5'", "center '" + name + "'", "no '" + name + "'"}) {
    const Outcome outcome = run(arguments);
    for (const char* command : {"\x1b", "\a", "\xc2\x9b", "\x7f"})
      EXPECT_EQ(outcome.output.find(command), std::string::npos) << arguments;
  }
  EXPECT_TRUE(has(name + ".h5"));
  const auto json = nlohmann::json::parse(
      run("recon '" + name + "' -o '" + name + ".h5' --overwrite --json 2>/dev/null").output);
  EXPECT_EQ(json["output"], name + ".h5");
}

TEST_F(Texts, MessagesThatNobodyCanReadCostNothing) {
  for (const char* closed :
       {"2>/dev/full", "2>&-", "0<&- 2>&-", "2>&1 >/dev/null | true", "2> >(exec 2>&-)"}) {
    fs::remove(folder_ / "a.h5");
    const Outcome outcome =
        shell(fmt::format("bash -o pipefail -c \"'{}' recon scan -o a.h5 --overwrite {}\" >/dev/null",
                          FELDSPAR_PROGRAM, closed));
    EXPECT_EQ(outcome.exit_code, 0) << closed;
    EXPECT_EQ(run("verify a.h5").exit_code, 0) << closed;
  }
}

TEST_F(Texts, ResultsThatAreLostAreAnError) {
  for (const char* command :
       {"info scan", "info scan --json", "info scan --fields", "recon scan -o a.h5 --overwrite",
        "recon scan -o a.h5 --overwrite --json", "recon scan --dry-run", "center scan", "verify a.h5",
        "slice a.h5 -o a.png", "devices", "devices --json", "template",
        "simulate markers --scale 1/4 --views 4 -o other --overwrite", "--help", "--version", "recon --help"})
    for (const char* closed : {">/dev/full", ">&-"})
      EXPECT_EQ(run(std::string(command) + " " + closed + " 2>/dev/null").exit_code, 4) << command << closed;
  EXPECT_EQ(run("verify a.h5").exit_code, 0);
}

}  // namespace
}  // namespace feldspar
