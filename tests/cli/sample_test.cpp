// What is known of a sample goes into its volume and comes out again; files that say nothing useful are
// refused.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/program_folder.hpp"

namespace feldspar {
namespace {

class Sample : public testing::ProgramFolder {
 protected:
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  void make_scan() const { expect_success("simulate markers --scale 1/4 --views 40 -o scan"); }
  /// Stored by a run, by way of the files' reader.
  [[nodiscard]] std::string stored(const std::string& key) const {
    return io::VolumeReader(folder_ / "a.h5").text("sample/" + key);
  }
};

TEST_F(Sample, OfATomlFileIsStoredAndShown) {
  make_scan();
  write("cell.toml",
        "name = 'M-04'\ncycle = 1061\ncapacity_Ah = 2.71\nresistance_ohm = 0.048\nfresh = false\n"
        "opened = 2026-03-01\n");

  expect_success("recon scan -o a.h5 --sample cell.toml");

  EXPECT_EQ(stored("name"), "M-04");
  EXPECT_EQ(stored("cycle"), "1061");
  EXPECT_EQ(stored("capacity_Ah"), "2.71");
  EXPECT_EQ(stored("fresh"), "false");
  EXPECT_EQ(stored("opened"), "2026-03-01");
  const testing::Outcome info = run("info a.h5");
  EXPECT_EQ(info.exit_code, 0) << info.output;
  for (const char* word : {"cycle: 1061", "verdict: trusted", "voxels of"})
    EXPECT_NE(info.output.find(word), std::string::npos) << word << " in: " << info.output;
  EXPECT_EQ(nlohmann::json::parse(run("info a.h5 --json").output)["sample"]["resistance_ohm"], "0.048");
  expect_success("verify a.h5");
}

TEST_F(Sample, OfACyclerIsTheLastCycleThatWasFinished) {
  make_scan();
  write("M-04.txt",
        "Today's Date\t03/01/2026\tDate of Test:\t01/05/2024\r\nProcedure:\tlife\r\n\r\n"
        "Rec#\tCyc#\tStep\tTest (Sec)\tStep (Sec)\tAmp-hr\tWatt-hr\tAmps\tVolts\tState\tES\tDPt "
        "Time\tDCIR/Ohms\r\n"
        "1\t0\t1\t0\t0\t0.0\t0\t0\t3.6\tR\t0\t01/05/2024 10:00\t0\r\n"
        "2\t0\t2\t9\t9\t1.2\t4\t-1.7\t3.2\tD\t0\t01/05/2024 11:00\t0.031\r\n"
        "3\t0\t2\t9\t9\t3.4\t12\t-1.7\t2.5\tD\t129\t01/05/2024 12:00\t0\r\n"
        "4\t1,061\t1\t9\t9\t2.6\t9\t1.7\t4.2\tC\t129\t01/02/2026 12:00\t0\r\n"
        "5\t\"1,061\"\t2\t9\t9\t2.5\t9\t-1.7\t2.5\tD\t129\t01/02/2026 12:00\t0.048\r\n"
        "6\t1,062\t2\t9\t9\t0.3\t1\t-1.7\t3.9\tD\t0\t01/02/2026 12:00\t0\r\n\r\n");

  expect_success("recon scan -o a.h5 --sample M-04.txt");

  EXPECT_EQ(stored("cycle"), "1062");
  EXPECT_EQ(stored("capacity_of_cycle"), "1061");
  EXPECT_EQ(stored("capacity_Ah"), "2.5");
  EXPECT_EQ(stored("first_capacity_Ah"), "3.4");
  EXPECT_EQ(stored("resistance_ohm"), "0.048");
  EXPECT_EQ(stored("name"), "markers");
}

TEST_F(Sample, ThatCannotBeReadIsRefusedBeforeTheWork) {
  make_scan();
  const std::string recon = "recon scan -o a.h5 --sample ";
  expect_failure(recon + "none.toml", 4, {"none.toml"});
  write("a.toml", "cycle = \n");
  expect_failure(recon + "a.toml", 3, {"a.toml", "line 1"});
  write("b.toml", "cycle = nan\n");
  expect_failure(recon + "b.toml", 3, {"b.toml", "cycle is not finite"});
  write("c.toml", "[cell]\ncycle = 1\n");
  expect_failure(recon + "c.toml", 3, {"c.toml", "cell is a list or a table"});
  write("d.toml", "'a/b' = 1\n");
  expect_failure(recon + "d.toml", 3, {"d.toml", "a/b"});
  write("e.toml", "note = '" + std::string(5000, 'x') + "'\n");
  expect_failure(recon + "e.toml", 3, {"e.toml", "5000 letters"});
  write("f.toml", "# nothing\n");
  expect_failure(recon + "f.toml", 3, {"f.toml", "says nothing"});
  write("g.txt", std::string("\x7f"
                             "ELF\0\0\1",
                             7));
  expect_failure(recon + "g.txt", 3, {"g.txt", "no text"});
  write("h.txt", "Cyc#\tAmp-hr\tState\n1e99\t1\tD\n");
  expect_failure(recon + "h.txt", 3, {"h.txt", "line 2", "the cycle is '1e99'"});
  write("i.txt", "Cyc#\tAmp-hr\tState\n1\tmany\tD\n");
  expect_failure(recon + "i.txt", 3, {"i.txt", "line 2", "the capacity is 'many'"});
  write("j.txt", "Cyc#\tAmp-hr\tState\n");
  expect_failure(recon + "j.txt", 3, {"j.txt", "no rows"});
  write("k.txt", "a cell\n");
  expect_failure(recon + "k.txt", 3, {"k.txt", "Cyc#"});
  EXPECT_FALSE(has("a.h5"));
}

}  // namespace
}  // namespace feldspar
