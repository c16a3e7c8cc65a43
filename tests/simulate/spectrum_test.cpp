// The tube's spectrum against published figures, its filters, and how it is typed.
#include "simulate/spectrum.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/support/errors.hpp"

namespace feldspar::simulate {
namespace {

double mean_energy(const Spectrum& spectrum) {
  return std::inner_product(spectrum.kev.begin(), spectrum.kev.end(), spectrum.weights.begin(), 0.0);
}

TEST(spectrum, attenuation_agrees_with_nist) {
  // NIST XCOM / XAAMDI with coherent scattering: mu/rho at 100 keV in cm2/g; the tabulations agree to 1 %.
  EXPECT_NEAR(attenuation({"Fe", 10}, 100), 0.3717, 0.004);
  EXPECT_NEAR(attenuation({"Cu", 10}, 100), 0.4584, 0.005);
  EXPECT_NEAR(attenuation({"Al", 10}, 100), 0.1704, 0.002);
}

TEST(spectrum, shares_of_the_signal_add_up_to_one) {
  const Spectrum spectrum = detected_spectrum({.voltage_kv = 205});
  EXPECT_NEAR(std::accumulate(spectrum.weights.begin(), spectrum.weights.end(), 0.0), 1, 1e-12);
  EXPECT_NEAR(spectrum.photons, 1, 1e-12);
  EXPECT_LT(spectrum.kev.back(), 205);
}

TEST(spectrum, k_lines_appear_above_the_edge_only) {
  const auto peak = [](double kv) {
    const Spectrum s = detected_spectrum({.voltage_kv = kv}, static_cast<int>(kv - 10));  // bins of 1 keV
    const auto at = [&](double kev) { return s.weights[static_cast<std::size_t>(kev - 10)]; };
    return at(59.3) / (0.5 * (at(55.5) + at(63.5)));
  };
  EXPECT_GT(peak(150), 2);
  EXPECT_NEAR(peak(69), 1, 0.5);
}

TEST(spectrum, a_filter_hardens_and_dims_the_beam) {
  const Spectrum open = detected_spectrum({.voltage_kv = 205});
  const Spectrum filtered = detected_spectrum(parse_beam("205kV,1mmCu"));
  EXPECT_GT(mean_energy(filtered), mean_energy(open) + 15);
  EXPECT_LT(filtered.photons, 0.5);
  EXPECT_GT(filtered.photons, 0.1);
}

TEST(spectrum, bins_of_five_kev_give_the_same_hardening_as_fine_ones) {
  const Substance steel{"Fe", 7.85};
  const Spectrum coarse = detected_spectrum({}), fine = detected_spectrum({}, 400);
  for (const double mm : {0.1, 1.0, 5.0})
    EXPECT_NEAR(
        -std::log(transmission_through(coarse, steel, mm)) / -std::log(transmission_through(fine, steel, mm)),
        1, 0.02);  // the steepest bins, 10 to 20 keV, hold 2 % of the signal
}

TEST(spectrum, what_is_typed_is_understood_or_refused_with_an_example) {
  const TubeBeam beam = parse_beam("160kV,0.5mmAl,0.1mmSn");
  EXPECT_EQ(beam.voltage_kv, 160);
  ASSERT_EQ(beam.filters.size(), 2U);
  EXPECT_EQ(beam.filters[1].substance.formula, "Sn");
  EXPECT_NEAR(beam.filters[1].substance.density, 7.31, 0.1);
  for (const char* wrong : {"", "205", "205kV,", "205kV,Cu", "205kV,1mmQq", "205kV,-1mmCu", "1mmCu"})
    testing::expect_error(ErrorKind::usage, {"write", "Cu"}, [&] { (void)parse_beam(wrong); });
  testing::expect_error(ErrorKind::usage, {"5 kV", "20 and 450"},
                        [] { (void)detected_spectrum(parse_beam("5kV")); });
  testing::expect_error(ErrorKind::usage, {"60 kV", "thinner"},
                        [] { (void)detected_spectrum(parse_beam("60kV,90mmCu")); });
}

}  // namespace
}  // namespace feldspar::simulate
