// Every option: what it takes comes back to the last bit, and what it cannot take is refused without a file
// being opened.
#include "run/options.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::run {
namespace {

/// Values that each option takes and those that it does not; of names of files any is taken.
struct Values {
  std::vector<std::string> good, bad;
};

const std::map<std::string, Values>& values() {
  static const std::map<std::string, Values> all{
      {"scan", {{"a.xtekct"}, {}}},
      {"white-level", {{"60000", "1.5e4"}, {"0", "-1", "nan", "inf", "x", "60000,5", "0x10"}}},
      {"angles", {{"auto", "nominal", "file"}, {"measured", "Auto", "1"}}},
      {"pixel-size", {{"6.5um", "0.2mm"}, {"6.5", "0mm", "-1um", "nan", "um"}}},
      {"reverse-rotation", {{"true", "false"}, {"yes", "2"}}},
      {"allow-missing", {{"true", "false"}, {"yes", "2"}}},
      {"views", {{"0:10:2", "5:", ":7", "1:9"}, {"7", "a:b", "3:2", "0:4:0", "-1:4", "1:2:3:4", "0:1e3"}}},
      {"sample", {{"s.toml"}, {}}},
      {"voxel-size", {{"36um", "0.1mm", "0.0371234567890123mm"}, {"36", "0um", "-36um", "36 parsec", "nan"}}},
      {"size",
       {{"512,512,400", "1,1,1"}, {"512", "512,512", "0,1,1", "1.5,2,2", "a,b,c", "1,2,3,4", "1,2,-3"}}},
      {"center", {{"0,0,4.5mm", "1um,-2mm,0.123456789mm"}, {"0,0", "0,0,1", "x,y,z", "1mm"}}},
      {"like", {{"v.h5"}, {}}},
      {"transform",
       {{"1.0167,0,0,12.5deg,0.1mm,0,-1.2mm"}, {"1", "absent.toml", "0,0,0,0,0,0,0", "1,0,0,9,0,0,0"}}},
      {"roi", {{"full", "auto"}, {"on", "object"}}},
      {"axis-offset",
       {{"checked", "metadata", "auto", "0.12mm", "1.5px", "0"},
        {"1.5", "Auto", "12", "nanmm", "1.5 columns"}}},
      {"axis-roll", {{"0.1deg", "0.01rad", "0", "0.12345678901234deg"}, {"0.1", "auto", "1mm"}}},
      {"motion", {{"off", "auto"}, {"on", "1"}}},
      {"correct", {{"off", "auto", "zingers", "bad-pixels,rings"}, {"on", "ring", "rings,,drift"}}},
      {"rings", {{"gain", "sorting", "all", "wavelet"}, {"off", "fourier"}}},
      {"hardening",
       {{"file", "auto", "off", "0.75,0.25", "0.1,0.2,0.30000000000000004"},
        {"on", "1,,2", "a", "1;2", "1,2,3,4,5,6,7,8,9"}}},
      {"scatter",
       {{"off", "constant:0.02", "kernel:0.1"},
        {"on", "constant", "constant:1", "constant:-0.1", "kernel:x"}}},
      {"truncation", {{"auto", "off"}, {"on", "outline"}}},
      {"outline",
       {{"cylinder:18.3mm@-5mm,0mm", "cylinder:2cm"},
        {"cylinder:18", "box:1mm", "cylinder:-1mm", "cylinder:1mm@2mm", "18mm"}}},
      {"context", {{"w.h5"}, {}}},
      {"context-at",
       {{"5mm,0mm,0mm", "5mm,0,0,12deg"}, {"5,0,0", "5mm", "1mm,2mm,3mm,4", "1mm,2mm,3mm,4deg,5"}}},
      {"window", {{"ram-lak", "shepp-logan", "cosine", "hamming", "hann"}, {"ramlak", "hanning", "none"}}},
      {"cutoff", {{"1", "0.5"}, {"0", "1.1", "-1", "nan", "0,5"}}},
      {"fast", {{"off", "auto", "2", "16"}, {"on", "0", "17", "2.5", "-1"}}},
      {"output", {{"o.h5"}, {}}},
      {"slabs", {{"3/16", "1/2"}, {"0/3", "4/3", "3", "a/3", "1/0", "1.5/3", "/", "-1/3"}}},
      {"type", {{"float32", "uint16"}, {"float64", "uint8", "int16"}}},
      {"range", {{"0,1", "-0.05,0.20000000000000001"}, {"1", "1,0", "0,0", "a,b", "0,1,2", "nan,1"}}},
      {"compress", {{"0", "9"}, {"10", "-1", "1.5", "fast"}}},
      {"no-hash", {{"true", "false"}, {"yes", "2"}}},
      {"verify", {{"on", "off"}, {"auto", "yes"}}},
      {"device", {{"cpu", "cuda:0,cuda:2"}, {}}},
      {"memory", {{"4GiB", "500MB"}, {"8", "-1GiB", "nan", "GiB", "4 parsec"}}},
      {"gpu-memory", {{"20GiB"}, {"8", "0GiB", "x"}}},
      {"threads", {{"1", "64"}, {"0", "-1", "1.5", "many"}}}};
  return all;
}

TEST(Options, EveryOneIsTriedHere) {
  for (const Option& option : options()) EXPECT_EQ(values().count(option.name), 1U) << option.name;
  EXPECT_EQ(values().size(), options().size());
}

TEST(Options, WhatIsSaidComesBackToTheLastBit) {
  for (const Option& option : options())
    for (const std::string& text : values().at(option.name).good) {
      Request request, again;
      option.set(request, text, "--x");
      const std::string said = option.text(request);
      if (said.empty()) continue;
      option.set(again, said, "--x");
      EXPECT_EQ(option.text(again), said) << option.name << " " << text;
    }
}

TEST(Options, WrongValuesAreRefusedWithTheirName) {
  for (const Option& option : options())
    for (const std::string& text : values().at(option.name).bad)
      testing::expect_error(ErrorKind::usage, {fmt::format("--{}", option.name)}, [&] {
        Request request;
        option.set(request, text, fmt::format("--{}", option.name));
        ADD_FAILURE() << option.name << " takes " << text;
      });
}

TEST(Options, DefaultsSayThemselves) {
  const Request usual;
  Request again;
  apply_toml(again, to_toml(usual, true), "x.toml");
  EXPECT_EQ(to_toml(again, true), to_toml(usual, true));
  EXPECT_NE(to_toml(usual).find("window = 'ram-lak'"), std::string::npos) << to_toml(usual);
}

TEST(Options, TomlNamesFileAndKey) {
  Request request;
  testing::expect_error(ErrorKind::usage, {"x.toml", "voxel-syze"},
                        [&] { apply_toml(request, "voxel-syze = '1um'", "x.toml"); });
  testing::expect_error(ErrorKind::usage, {"x.toml: voxel-size", "unit"},
                        [&] { apply_toml(request, "voxel-size = 36", "x.toml"); });
  testing::expect_error(ErrorKind::usage, {"x.toml: window"},
                        [&] { apply_toml(request, "window = ['hann']", "x.toml"); });
}

TEST(Options, ChoicesThatExcludeEachOtherAreRefused) {
  const auto said = [](const std::string& toml) {
    Request request;
    apply_toml(request, toml, "x.toml");
    validate(request);
  };
  for (const auto& [toml, word] : std::vector<std::pair<std::string, std::string>>{
           {"like = 'v.h5'\nsize = '1,2,3'", "like"},
           {"like = 'v.h5'\nroi = 'auto'", "like"},
           {"roi = 'auto'\ncenter = '0,0,0'", "roi"},
           {"roi = 'auto'\ntransform = '1,0,0,0,0,0,0'", "transform"},
           {"correct = 'off'\nrings = 'sorting'", "rings"},
           {"truncation = 'off'\noutline = 'cylinder:1mm'", "truncation"},
           {"context-at = '0,0,0'", "context"}})
    testing::expect_error(ErrorKind::usage, {word}, [&] { said(toml); });
  for (const char* toml : {"transform = '1,0,0,0,0,0,0'\noutline = 'cylinder:1mm'",
                           "transform = '1,9deg,0,0,0,0,0'\nfast = '4'"})
    testing::expect_error(ErrorKind::unsupported, {"transform"}, [&] { said(toml); });
}

}  // namespace
}  // namespace feldspar::run
