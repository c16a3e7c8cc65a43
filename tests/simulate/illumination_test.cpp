// Polychromatic beams: the few integrals give what every energy's own would, and objects harden the beam.
#include "simulate/illumination.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "simulate/cell_18650.hpp"
#include "simulate/phantom.hpp"
#include "simulate/presets.hpp"

namespace feldspar::simulate {
namespace {

/// The signal through one ray.
double arriving(const Illumination& light, geometry::Vec3 from, geometry::Vec3 to) {
  std::vector<float> integrals;
  for (const auto& object : light.objects)
    integrals.push_back(static_cast<float>(object->line_integral(from, to)));
  std::vector<float> share(1);
  arriving_shares(light, integrals, share);
  return share.front();
}

TEST(illumination, one_energy_is_beers_law) {
  const Phantom head = shepp_logan(20, 0.1);
  const Illumination light = monochromatic({std::shared_ptr<const Object>{}, &head});
  for (const double z : {-10.0, 0.0, 3.0, 40.0})
    EXPECT_NEAR(
        arriving(light, {-100, 2, z}, {100, 5, z}) / std::exp(-head.line_integral({-100, 2, z}, {100, 5, z})),
        1, 1e-6);  // single precision: p times 6e-8, and the exponential's 2e-7
}

TEST(illumination, exponentials_hold_from_nothing_to_everything_absorbed) {
  const Illumination light = monochromatic(std::make_shared<Phantom>(uniform_cylinder(1, 1, 1)));
  for (const float p : {-1.0F, 0.0F, 1e-6F, 0.3F, 7.0F, 40.0F, 86.0F}) {
    std::vector<float> share(1);
    arriving_shares(light, std::vector{p}, share);
    EXPECT_NEAR(share.front() / std::exp(-static_cast<double>(p)), 1, 3e-7) << p;
  }
  std::vector<float> share(1);
  arriving_shares(light, std::vector{1000.0F}, share);
  EXPECT_LT(share.front(), 1e-37F);
}

TEST(illumination, three_integrals_do_the_work_of_one_an_energy) {
  VirtualScan scan = preset("mj1-80s");
  const TubeBeam beam;
  const Illumination light = put_before(beam, scan);
  ASSERT_EQ(light.objects.size(), 3U);
  const Spectrum spectrum = detected_spectrum(beam);
  for (const double y : {0.0, 4.0, 9.05}) {
    const geometry::Vec3 from{-100, y, 1}, to{100, y, 2};
    double exact = 0;
    for (std::size_t n = 0; n < spectrum.kev.size(); ++n) {
      std::vector<double> table;
      for (const Substance& substance : scan.composition.substances)
        table.push_back(attenuation(substance, spectrum.kev[n]));
      exact += spectrum.weights[n] * std::exp(-scan.composition.object(table)->line_integral(from, to));
    }
    EXPECT_NEAR(std::log(arriving(light, from, to) / exact), 0, 2e-3) << y;
  }
}

TEST(illumination, cylinder_hardens_the_beam_by_more_than_a_tenth) {
  VirtualScan scan = preset("cylinder");
  const Illumination light = put_before({}, scan);
  const auto mean_attenuation = [&](double y) {
    const double chord = 2 * std::sqrt(18 * 18 - y * y);
    return -std::log(arriving(light, {-100, y, 0}, {100, y, 0})) / chord;
  };
  EXPECT_LT(mean_attenuation(0), 0.9 * mean_attenuation(17));
}

TEST(illumination, presets_of_many_energies_say_what_they_were_taken_with) {
  VirtualScan scan = preset("mj1-160s");
  const double photons = scan.detector.photons;
  (void)put_before(parse_beam("160kV,1mmCu"), scan);
  EXPECT_EQ(scan.notes.voltage_kv, 160);
  EXPECT_EQ(scan.notes.filter_mm, 1);
  EXPECT_EQ(scan.notes.filter_material, "Cu");
  EXPECT_LT(scan.detector.photons, 0.4 * photons);
}

TEST(illumination, substances_of_the_cell_attenuate_as_its_table_at_91_kev) {
  const AttenuationTable table = attenuations_at_91_kev();
  const std::vector<Substance> substances = cell_substances();
  ASSERT_EQ(substances.size(), table.size());
  for (std::size_t n = 0; n < table.size(); ++n)
    EXPECT_NEAR(attenuation(substances[n], 91), table[n], 0.12 * table[n]) << n;
}

}  // namespace
}  // namespace feldspar::simulate
