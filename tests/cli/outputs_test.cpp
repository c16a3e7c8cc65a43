// Which files a run may write: every command that writes, by every kind of name that it must not write to.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/run_program.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::testing {
namespace {

namespace fs = std::filesystem;

/// A command with OUT where an output is named, and a file that it reads.
struct Writing {
  const char* name;
  const char* arguments;
  const char* input;
  bool folder = false;  ///< OUT is a folder
};

void PrintTo(const Writing& writing, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << writing.name;
}

const Writing writings[] = {
    {"recon", "recon scan -o OUT", "scan/proj_00003.tif"},
    {"recon_text", "recon scan -o OUT", "scan/scan.toml"},
    {"recon_angles", "recon scan -o OUT", "scan/angles.txt"},
    {"recon_file", "recon scan.nxs -o OUT", "scan.nxs"},
    {"recon_config", "recon scan --config c.toml -o OUT", "c.toml"},
    {"recon_sample", "recon scan --sample s.toml -o OUT", "s.toml"},
    {"recon_like", "recon scan --like a.h5 -o OUT", "a.h5"},
    {"recon_context", "recon scan --context a.h5 --context-at 0mm,0mm,0mm -o OUT", "a.h5"},
    {"recon_transform", "recon scan --like a.h5 --transform t.toml -o OUT", "t.toml"},
    {"recon_save_config", "recon scan -o new.h5 --save-config OUT", "scan/scan.toml"},
    {"recon_rings_map", "recon scan -o new.h5 --correct rings --rings-map OUT", "scan/proj_00000.tif"},
    {"recon_resume", "recon scan --resume -o OUT", "scan/proj_00003.tif"},
    {"convert_nxtomo", "convert scan OUT --format nxtomo", "scan/proj_00003.tif"},
    {"convert_nxtomo_file", "convert scan.nxs OUT --format nxtomo", "scan.nxs"},
    {"convert_dxchange", "convert scan OUT --format dxchange", "scan/proj_00003.tif"},
    {"convert_zeiss", "convert scan OUT --format zeiss", "scan/proj_00003.tif"},
    {"convert_nikon", "convert nikon OUT --format nikon", "nikon", true},
    {"convert_tiff", "convert scan OUT --format tiff", "scan", true},
    {"join", "join v.part-1-of-2.h5 v.part-2-of-2.h5 -o OUT", "v.part-1-of-2.h5"},
    {"join_solid", "join v.part-1-of-2.h5 v.part-2-of-2.h5 --solid -o OUT", "v.part-2-of-2.h5"},
    {"slice", "slice a.h5 -o OUT", "a.h5"},
    {"slice_joined", "slice joined.h5 -o OUT", "v.part-1-of-2.h5"},
    {"export", "export a.h5 OUT --format tiff", "a.h5"},
    {"export_joined", "export joined.h5 OUT --format nrrd", "v.part-2-of-2.h5"},
    {"center", "center scan --picture OUT", "scan/proj_00003.tif"},
    {"info_rings_map", "info scan --correct rings --rings-map OUT", "scan/proj_00003.tif"},
    {"simulate_truth", "simulate markers --columns 32 --views 8 -o new --truth OUT", nullptr},
    {"simulate_nxtomo", "simulate markers --columns 32 --views 8 --format nxtomo -o OUT", nullptr},
    {"simulate_zeiss", "simulate versa-10um --scale 1/64 --views 8 --format zeiss -o OUT", nullptr},
    {"simulate_nikon", "simulate markers --columns 32 --views 8 -o OUT", nullptr, true},
};

std::map<std::string, std::string> contents_below(const fs::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::string& content = all[fs::relative(entry.path(), folder).string()];
    if (entry.symlink_status().type() != fs::file_type::regular) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    content.resize(entry.file_size());
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
  }
  return all;
}

std::string program() { return quoted_program(FELDSPAR_PROGRAM) + " -q "; }

/// What all commands read, made once.
struct Inputs {
  Inputs() {
    for (const char* command :
         {"simulate markers --columns 32 --rows 40 --pitch 6.4mm --views 24 --format tiff -o scan",
          "convert scan nikon --format nikon --name n", "convert scan scan.nxs", "recon scan -o a.h5",
          "recon scan -o v.h5 --slabs 1/2", "recon scan -o v.h5 --slabs 2/2",
          "join v.part-1-of-2.h5 v.part-2-of-2.h5 -o joined.h5"}) {
      const Outcome outcome =
          run_shell("cd '" + folder.path().string() + "' && " + program() + command + " 2>&1");
      EXPECT_EQ(outcome.exit_code, 0) << command << ": " << outcome.output;
    }
    std::ofstream(folder / "c.toml") << "window = \"hann\"\n";
    std::ofstream(folder / "s.toml") << "name = \"cell\"\n";
    std::ofstream(folder / "t.toml") << "scale = 1\nrotation_deg = [0, 0, 0]\nshift_mm = [0, 0, 0]\n";
    fs::permissions(folder.path(), fs::perms(0777));  // who is not root shall fail at its own outputs only
  }
  TempFolder folder;
};

class WithInputs : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { inputs = std::make_unique<Inputs>(); }
  static void TearDownTestSuite() { inputs.reset(); }
  static fs::path folder() { return inputs->folder.path(); }

  /// Runs the command inside the folder. It must end with `code`, say all of `words`, and leave every name
  /// and every byte as they are.
  static void expect_no_change(const std::string& arguments, int code, const std::vector<std::string>& words,
                               const std::string& before = {}) {
    const auto earlier = contents_below(folder());
    const Outcome outcome = run_shell("cd '" + folder().string() + "' && " + before + " timeout 20 " +
                                      program() + arguments + " 2>&1");
    EXPECT_EQ(outcome.exit_code, code) << arguments << ": " << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos)
          << word << " in: " << arguments << ": " << outcome.output;
    const auto later = contents_below(folder());
    for (const auto& [name, content] : later)
      EXPECT_TRUE(earlier.count(name) > 0) << arguments << " made " << name;
    for (const auto& [name, content] : earlier)
      EXPECT_TRUE(later.count(name) > 0 && later.at(name) == content) << arguments << " changed " << name;
  }
  static std::unique_ptr<Inputs> inputs;
};
std::unique_ptr<Inputs> WithInputs::inputs;

class Outputs : public WithInputs, public ::testing::WithParamInterface<Writing> {
 protected:
  /// With this output, and more arguments.
  void expect_refused(const std::string& output, const std::string& more, int code,
                      const std::vector<std::string>& words, const std::string& before = {}) const {
    std::string arguments = GetParam().arguments;
    arguments.replace(arguments.find("OUT"), 3, "'" + output + "'");
    expect_no_change(arguments + " " + more, code, words, before);
  }
  [[nodiscard]] static std::string overwrite() {
    return std::string(GetParam().name).starts_with("info") ? "" : overwrite_of_tiff();
  }
  /// A folder of TIFFs is never replaced.
  [[nodiscard]] static std::string overwrite_of_tiff() {
    return std::string(GetParam().name) == "convert_tiff" ? "" : "--overwrite";
  }
};

TEST_P(Outputs, AreNeverInputs) {
  const char* const input = GetParam().input;
  if (!input) return;
  const fs::path path(input);
  if (overwrite().empty() && !GetParam().folder)
    return expect_refused(input, "", 4, {path.filename().string(), "already exists"});

  expect_refused(input, overwrite(), 2, {path.filename().string(), "input"});
  expect_refused("scan/.././" + std::string(input), overwrite(), 2, {path.filename().string(), "input"});
  fs::create_symlink(folder() / path, folder() / "link");
  expect_refused("link", overwrite(), 2, {"link", "input", path.filename().string()});
  fs::remove(folder() / "link");
  if (GetParam().folder) return;
  fs::create_hard_link(folder() / path, folder() / "hard");
  expect_refused("hard", overwrite(), 2, {"hard", "input", path.filename().string()});
  fs::rename(folder() / "hard", folder() / "hard.partial");
  expect_refused("hard", overwrite(), 2, {"hard.partial", "input", path.filename().string()});
  fs::remove(folder() / "hard.partial");
}

TEST_P(Outputs, DoNotReplaceWhatIsThere) {
  fs::create_directory(folder() / "mine");
  std::ofstream(folder() / "mine/notes.txt") << "precious";

  const std::string name = GetParam().folder ? "mine" : "mine/notes.txt";
  expect_refused(name, "", 4, {name, "already exists"});
  if (GetParam().folder) expect_refused(name, "--overwrite", overwrite_of_tiff().empty() ? 2 : 4, {});
  if (GetParam().folder) expect_refused("mine/notes.txt", "", 4, {"mine/notes.txt", "no folder"});
  fs::remove_all(folder() / "mine");
}

TEST_P(Outputs, AreRegularFiles) {
  ASSERT_EQ(::mkfifo((folder() / "pipe").c_str(), 0666), 0);
  const char* const kind = GetParam().folder ? "no folder" : "a named pipe";
  expect_refused("pipe", overwrite(), 4, {"pipe", kind});
  expect_refused("/dev/full", overwrite(), 4, {"/dev/full", GetParam().folder ? "no folder" : "a device"});
  expect_refused("/dev/null", overwrite(), 4, {"/dev/null", GetParam().folder ? "no folder" : "a device"});
  fs::remove(folder() / "pipe");
  if (GetParam().folder) return;
  fs::create_directory(folder() / "other");
  expect_refused("other", overwrite(), 4, {"other", "a folder"});
  expect_refused("fresh/", overwrite(), 4, {"fresh/", "folder"});
  fs::remove(folder() / "other");
}

TEST_P(Outputs, GoToFoldersThatTakeThem) {
  expect_refused("none/out", "", 4, {"none/out", "none is not there"});
  expect_refused("c.toml/out", "", 4, {"c.toml/out", "c.toml is no folder"});
  fs::create_directory(folder() / "locked");
  fs::permissions(folder() / "locked", fs::perms(0555));
  const bool root = ::geteuid() == 0;  // to whom every folder is writable
  expect_refused("locked/out", "", 4, {"locked/out", "locked is not writable"},
                 root ? "setpriv --reuid=65534 --regid=65534 --clear-groups" : "");
  fs::remove(folder() / "locked");
}

TEST_P(Outputs, DoNotFollowLinksToNothing) {
  fs::create_symlink("nowhere/file", folder() / "link");
  expect_refused("link", overwrite(), 4, {"link", "symbolic link to nowhere/file"});
  fs::remove(folder() / "link");
  if (GetParam().folder) return;
  std::ofstream(folder() / "precious.txt") << "precious";
  fs::create_symlink("precious.txt", folder() / "out.partial");
  expect_refused("out", overwrite(), 4, {"out.partial", "symbolic link"});
  fs::remove(folder() / "out.partial");
  fs::create_hard_link(folder() / "precious.txt", folder() / "out.partial");
  expect_refused("out", overwrite(), 4, {"out.partial", "hard link"});
  fs::remove(folder() / "out.partial"), fs::remove(folder() / "precious.txt");
}

class OutputFolders : public WithInputs {};

TEST_F(OutputFolders, OfComparisonsReplaceNothing) {
  fs::create_directory(folder() / "report");
  fs::copy_file(folder() / "a.h5", folder() / "report/report.json");
  fs::create_symlink("nowhere", folder() / "report/overlay_most.png");

  expect_no_change("compare report/report.json a.h5 -o report --overwrite", 2, {"report.json", "input"});
  expect_no_change("compare a.h5 a.h5 -o report", 4, {"report.json", "already exists", "--overwrite"});
  expect_no_change("compare a.h5 a.h5 -o report --overwrite", 4, {"overlay_most.png", "nowhere"});
  expect_no_change("compare a.h5 a.h5 -o c.toml", 4, {"c.toml", "no folder"});
  expect_no_change("compare a.h5 a.h5 -o none/report", 4, {"none/report", "is not there"});
  fs::remove_all(folder() / "report");
}

TEST_F(OutputFolders, OfBenchesLoseNothingThatWasInThem) {
  fs::create_directories(folder() / "report/volumes");
  fs::copy_file(folder() / "scan.nxs", folder() / "report/volumes/scan.nxs");

  expect_no_change("bench scan-speed report/volumes/scan.nxs -o report", 2, {"volumes", "holds an input"});
  expect_no_change("bench scan-speed scan -o report", 4, {"volumes", "not empty"});
  fs::remove_all(folder() / "report/volumes");
  std::ofstream(folder() / "report/report.html") << "precious";
  expect_no_change("bench scan-speed scan -o report", 4, {"report.html", "already exists", "--overwrite"});
  fs::remove_all(folder() / "report");
}

TEST_F(OutputFolders, OfBatchesAreNoScansOfTheirs) {
  std::ofstream(folder() / "jobs.toml") << "[settings]\noverwrite = true\n"
                                           "[[job]]\nscan = \"scan\"\noutput = \"scan.nxs\"\n"
                                           "[[job]]\nscan = \"scan.nxs\"\nname = \"b\"\n";
  std::ofstream(folder() / "like.toml") << "[settings]\noverwrite = true\nlike = \"a.h5\"\n"
                                           "[[job]]\nscan = \"scan\"\noutput = \"a.h5\"\n";
  fs::create_directory(folder() / "own.batch");
  fs::copy_file(folder() / "scan.nxs", folder() / "own.batch/scan.nxs");
  std::ofstream(folder() / "own.toml") << "[[job]]\nscan = \"own.batch/scan.nxs\"\n";

  expect_no_change("batch jobs.toml --local 1", 2, {"scan.nxs", "in the place of the scan"});
  expect_no_change("batch like.toml --local 1", 2, {"a.h5", "input"});
  expect_no_change("batch own.toml --local 1", 2, {"own.batch", "holds an input"});
  for (const char* name : {"jobs.toml", "like.toml", "own.toml"}) fs::remove(folder() / name);
  fs::remove_all(folder() / "own.batch");
}

// A projection that was left out as missing is no input, and worth as much as those that are.
TEST_F(OutputFolders, NeverReplaceImages) {
  fs::copy(folder() / "scan", folder() / "gappy");
  fs::rename(folder() / "gappy/proj_00003.tif", folder() / "aside.tif");
  for (const char* output :
       {"recon gappy --allow-missing -o aside.tif --overwrite", "slice a.h5 -o aside.tif",
        "join v.part-1-of-2.h5 v.part-2-of-2.h5 -o aside.tif --overwrite",
        "convert gappy aside.tif --allow-missing --format dxchange --overwrite",
        "recon gappy --allow-missing -o new.h5 --save-config aside.tif --overwrite"})
    expect_no_change(output, 4, {"aside.tif", "already exists"});
  fs::remove_all(folder() / "gappy");
  fs::remove(folder() / "aside.tif");
}

TEST_F(OutputFolders, HaveTheirPicturesReplacedByPictures) {
  const auto shell = [&](const std::string& arguments) {
    return run_shell("cd '" + folder().string() + "' && " + program() + arguments + " 2>&1").exit_code;
  };
  EXPECT_EQ(shell("slice a.h5"), 0);
  expect_no_change("slice a.h5", 4, {"a.png", "already exists", "--overwrite"});
  EXPECT_EQ(shell("slice a.h5 --overwrite --max-size 200"), 0);
  for (const char* file : {"scan/proj_00003.tif", "scan/scan.toml", "scan.nxs", "v.part-1-of-2.h5"})
    expect_no_change(std::string("slice a.h5 --overwrite -o ") + file, 4, {file, "no picture"});
  fs::remove(folder() / "a.png");
}

TEST_F(OutputFolders, AreReplacedOnlyWhereFeldsparMadeThem) {
  const std::string command = "convert scan nikon --format nikon --name n --overwrite";
  expect_no_change("convert scan nikon --format nikon --name n", 4, {"nikon", "already exists"});
  std::ofstream(folder() / "nikon/notes.txt") << "precious";
  expect_no_change(command, 4, {"nikon", "notes.txt", "holds more"});
  fs::remove(folder() / "nikon/notes.txt");
  const Outcome outcome =
      run_shell("cd '" + folder().string() + "' && rm nikon/n_0007.tif && " + program() + command + " 2>&1");

  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_TRUE(fs::exists(folder() / "nikon/n_0007.tif") && !fs::exists(folder() / "nikon.partial"));
}

INSTANTIATE_TEST_SUITE_P(Every, Outputs, ::testing::ValuesIn(writings),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace feldspar::testing
