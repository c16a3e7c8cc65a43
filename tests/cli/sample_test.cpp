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

/// Two cycles of 3 and 2.5 Ah and one that was broken off, as test stands write them.
struct Stand {
  const char* name;
  std::string text;
};

const std::vector<Stand> stands{
    {"Maccor",
     "Rec\tCycle P\tCycle C\tStep\tCapacity "
     "(AHr)\tMd\n1\t0\t1\t1\t3.0000\tD\n2\t0\t2\t1\t2.5000\tD\n3\t0\t2\t2\t2.6\tC\n"},
    {"Maccor with decimal commas",
     "Rec#\tCyc#\tAmp-hr\tState\n1\t1\t3,00000\tD\n2\t2\t2,50000\tD\n3\t2\t2,60000\tC\n"},
    {"Maccor in CSV", "Rec,Cycle,Cap. [Ah],Status\n1,1,3.0,DIS\n2,2,2.5,DIS\n3,2,2.6,CHG\n"},
    {"Arbin",
     "Data_Point,Cycle_Index,Charge_Capacity(Ah),Discharge_Capacity(Ah)\n1,1,0,0\n2,1,0,3.0\n3,2,3.1,3.0\n4,"
     "2,3.1,5.5\n"},
    {"Arbin by cycle", "Cycle_Index,Discharge_Capacity(Ah)\n1,3.0\n2,2.5\n"},
    {"BioLogic",
     "EC-Lab ASCII FILE\nNb header lines : 3\nmode\tcycle number\tQ discharge/mA.h\tQ "
     "charge/mA.h\n1\t1\t3,0E+03\t0\n1\t2\t0\t1,5E+"
     "02\n1\t2\t2,5000E+03\t0\n"},
    {"Neware",
     "Cycle Index;Step Type;Capacity(mAh)\n1;CC DChg;3000,5\n2;CCCV Chg;2600,0\n2;CC DChg;2500,0\n"},
    {"Neware by points", "Cycle ID,DChg. Cap.(Ah)\n1,3.0\n2,2.5\n"},
    {"Landt",
     "Index\tCycle\tState\tCapacity/"
     "\u00b5Ah\n1\t1\tD_CC\t3000000\n2\t2\tC_CC\t2600000\n3\t2\tD_CC\t2500000\n"},
    {"BaSyTec",
     "~Data from "
     "test\n~\n~Time[h]\tCommand\tAh-Set[Ah]\tCyc-Count\n0\tDischarge\t-3.0\t1\n1\tCharge\t2."
     "6\t2\n2\tDischarge\t-2.5\t2"
     "\n"},
    {"Digatron", "Step;Status;Cycle;AhStep[Ah]\ns;;;Ah\n1;DCH;1;3,0\n2;CHA;2;2,6\n3;DCH;2;2,5\n"},
};

std::string utf16(const std::string& text, bool big) {
  std::string bytes = big ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : text) bytes += big ? std::string{'\0', c} : std::string{c, '\0'};
  return bytes;
}

TEST_F(Sample, OfEveryTestStandIsItsLastCycle) {
  make_scan();
  const auto expect = [&](const std::string& name, const std::string& bytes) {
    SCOPED_TRACE(name);
    write("a.csv", bytes);
    expect_success("recon scan -o a.h5 --overwrite --verify off --size 8,8,8 --sample a.csv");
    EXPECT_EQ(stored("cycle"), "2");
    EXPECT_EQ(stored("capacity_Ah"), "2.5");
    EXPECT_EQ(stored("first_capacity_Ah").substr(0, 1), "3");
  };
  for (const Stand& stand : stands) expect(stand.name, stand.text);
  expect("UTF-16, little", utf16(stands[1].text, false));
  expect("UTF-16, big", utf16(stands[6].text, true));
  expect("UTF-8 with its mark", "\xEF\xBB\xBF" + stands[2].text);
}

TEST_F(Sample, ThatMayMeanTwoThingsIsRefused) {
  make_scan();
  const auto refuse = [&](const std::string& text, const std::vector<std::string>& words) {
    write("a.txt", text);
    expect_failure("recon scan -o a.h5 --sample a.txt", 3, words);
  };
  const std::string names = "Cyc#\tAmp-hr\tState\n";
  refuse(names + "1\t2,500\tD\n", {"a.txt", "commas", "thousands"});
  refuse(names + "1\t2,51\tD\n2\t2.51\tD\n", {"points", "commas"});
  refuse("Cyc#,Amp-hr,State\n1,2,5,D\n", {"line 2", "4 columns"});
  refuse("Cyc#\tCapacity\tState\n1\t2.5\tD\n", {"line 1", "Capacity", "unit"});
  refuse(names + "1.5\t2.5\tD\n", {"line 2", "whole number"});
  refuse(names + "1\t1.061,5\tD\n2\t1,5,5\tD\n", {"a.txt"});
  EXPECT_FALSE(has("a.h5"));
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
