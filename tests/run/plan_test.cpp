// Plans are stored to the last bit, and what is no plan is refused.
#include "run/plan.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "run/options.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/temp_folder.hpp"

namespace feldspar::run {
namespace {

/// With numbers that need all their digits.
Plan awkward() {
  std::mt19937_64 random(7);
  const auto number = [&] { return std::ldexp(static_cast<double>(random()) - 0x1p63, -60); };
  Plan plan;
  apply_toml(plan.request,
             "scan = '/a \"b\"/c.xtekct'\naxis-offset = 'auto'\nhardening = 'auto'\nvoxel-size = "
             "'0.0361mm'\nthreads = 3",
             "x");
  plan.axis = {number(), number(), number()};
  plan.axis_from = "reverse \"rays\"\n";
  plan.axis_uncertainty = std::abs(number());
  plan.motion = "found";
  plan.grid = {7, 8, 9, {number(), number(), number()}, {number(), number(), number()}};
  plan.projector.radius = std::numeric_limits<double>::infinity();
  plan.projector.merging = {3, 32, number()};
  plan.inspection.air_level = number();
  plan.outline = {std::abs(number()), number(), number()};
  plan.context_gain = number();
  plan.context_place = recon::Placement{{number(), number(), number()}, number()};
  plan.polynomial = {0, number(), number()};
  plan.findings = {{"axis.unstated", "one", "axis", {{"axis-offset", "auto"}}},
                   {"motion.found", "two, \xC2\xB5m"}};
  auto corrections = std::make_shared<recon::Corrections>();
  corrections->spec.columns = 5, corrections->spec.rows = 4;
  for (int n = 0; n < 30; ++n) {
    plan.shifts.push_back({number(), number()});
    corrections->spec.view_offset.push_back(static_cast<float>(number()));
    corrections->spec.patches.push_back({n, n % 20, static_cast<float>(number())});
  }
  for (int n = 0; n < 20; ++n) corrections->spec.pixel_offset.push_back(static_cast<float>(number()));
  corrections->spec.bad_pixels = {1, 19};
  corrections->steps = {{"rings: much", true}, {"drift: none", false}};
  plan.corrections = corrections;
  return plan;
}

void expect_same(const Plan& a, const Plan& b) {
  const io::StoredPlan one = store(a), other = store(b);
  EXPECT_EQ(one.text, other.text);
  ASSERT_EQ(one.numbers.size(), other.numbers.size());
  for (const io::StoredNumbers& list : one.numbers) {
    const auto* const found = other.find(list.name);
    ASSERT_TRUE(found) << list.name;
    EXPECT_EQ(*found, list.values) << list.name;
  }
  EXPECT_EQ(fingerprint(a), fingerprint(b));
}

TEST(Plans, ComeBackFromTextAndFileToTheLastBit) {
  const testing::TempFolder folder;
  const Plan plan = awkward();
  const Plan from_text = restore(store(plan), "x");
  expect_same(plan, from_text);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(from_text.axis.offset),
            std::bit_cast<std::uint64_t>(plan.axis.offset));
  EXPECT_EQ(from_text.grid, plan.grid);
  EXPECT_EQ(from_text.corrections->spec.pixel_offset, plan.corrections->spec.pixel_offset);

  io::write_plan(folder / "p", store(plan));
  const auto stored = io::read_plan(folder / "p");
  ASSERT_TRUE(stored);
  expect_same(plan, restore(*stored, folder / "p"));
  testing::expect_error(ErrorKind::io, {"p"}, [&] { io::write_plan(folder / "p", store(plan)); });
}

TEST(Plans, WithoutAnythingFoundComeBackToo) {
  Plan plan;
  plan.grid = {1, 1, 1, {1, 1, 1}, {0, 0, 0}};
  plan.projector.radius = 1;
  expect_same(plan, restore(store(plan), "x"));
}

TEST(Plans, DifferWhereTheirBitsWould) {
  const std::string before = fingerprint(awkward());
  Plan plan = awkward();
  plan.findings.clear(), plan.motion = "elsewhere", plan.request.scan = "other";
  EXPECT_EQ(fingerprint(plan), before);
  plan.axis.offset = std::nextafter(plan.axis.offset, 1);
  EXPECT_NE(fingerprint(plan), before);
  plan = awkward();
  plan.shifts[3].row = std::nextafter(plan.shifts[3].row, 1);
  EXPECT_NE(fingerprint(plan), before);
  plan = awkward();
  plan.request.ramp.cutoff = 0.5;
  EXPECT_NE(fingerprint(plan), before);
}

TEST(Plans, ThatAreNoneAreRefused) {
  const io::StoredPlan good = store(awkward());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"version = 1", "version = 2"},
                                                        {"[plan]", "[plane]"},
                                                        {"size = [ 7, 8, 9 ]", "size = [ 7, 8 ]"},
                                                        {"size = [ 7, 8, 9 ]", "size = [ 7, -8, 9 ]"},
                                                        {"radius_mm = inf", "radius_mm = nan"}}) {
    io::StoredPlan bad = good;
    const std::size_t at = bad.text.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in\n" << bad.text;
    bad.text.replace(at, from.size(), to);
    EXPECT_THROW((void)restore(bad, "volume.h5"), Error) << to;
    try {
      (void)restore(bad, "volume.h5");
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("volume.h5"), std::string::npos) << error.what();
    }
  }
  io::StoredPlan bad = good;
  std::erase_if(bad.numbers, [](const io::StoredNumbers& list) { return list.name == "patch_values"; });
  testing::expect_error(ErrorKind::bad_file, {"volume.h5", "patches"},
                        [&] { (void)restore(bad, "volume.h5"); });
}

}  // namespace
}  // namespace feldspar::run
