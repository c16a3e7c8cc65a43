// A cylindrical lithium-ion cell of format 18650 with a wound electrode pair, after the LG INR18650 MJ1.
//
// Everything stands upright: what lies where in the plan (rings around the axis, and the layers of the roll)
// has its own list of materials over the height. Overlaps are decided by priority: a roll layer within its
// own extent in z replaces what its ring holds there, and in a ring the part named last replaces the ones
// before. So every place has one material, and line integrals are exact (banded_chord.hpp, winding.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "simulate/banded_chord.hpp"
#include "simulate/object.hpp"
#include "simulate/substance.hpp"
#include "simulate/winding.hpp"

namespace feldspar::simulate {

enum class Material : std::uint8_t {
  nothing,  ///< air and the gas in the cell
  steel,
  copper,
  aluminium,
  nickel,
  cathode,  ///< NMC811 coating
  anode,    ///< graphite and silicon oxide coating
  separator,
  electrolyte,
  plastic,  ///< polypropylene
};
constexpr int material_count = 10;

/// 1/mm by material. The cell's integrals are linear in this table: with 1 for one material and 0 for the
/// others they are that material's path lengths, which is what a polychromatic beam needs.
using AttenuationTable = std::array<double, material_count>;

/// At 91 keV, the effective energy behind the cell of a 205 kV beam filtered by 0.5 mm of aluminium and
/// absorbed in 0.6 mm of CsI (xraylib's coefficients).
[[nodiscard]] AttenuationTable attenuations_at_91_kev();

/// What the materials are, in the order of Material, with the coatings' pores filled: at 91 keV within 12 %
/// of attenuations_at_91_kev().
[[nodiscard]] std::vector<Substance> cell_substances();

constexpr double cell_height = 65;  ///< mm

/// What may vary, in mm; the cap, the extents of the layers and their overhang are fixed. Thicknesses of
/// coatings are of one side.
struct CellDesign {
  double can_radius = 9.15;
  double can_wall = 0.22;
  double can_bottom = 0.3;
  double roll_radius = 8.86;
  double wound_length = 635;  ///< of the separator's middle; the radius of the roll's hole follows from it
  double copper = 0.012;
  double anode = 0.0867;
  double aluminium = 0.016;
  double cathode = 0.0662;
  double separator = 0.012;
  Buckle buckle{};                     ///< of the innermost windings
  double delamination = 0;             ///< gas gap between the anode's inner face and the separator
  double delaminated_from_turn = 1.2;  ///< counted from the roll's start
  double delaminated_to_turn = 3.1;
};

/// After about a thousand cycles: anode coatings 5 % thicker, the core buckled inwards by 0.3 mm, and 50 um
/// of delamination there.
[[nodiscard]] CellDesign aged_design();

/// A layer of the roll as wound.
enum class Layer : std::uint8_t {
  none,  ///< nothing wound here: what the ring holds
  separator,
  cathode,
  aluminium,
  anode,
  copper,
  gap,            ///< delaminated
  aluminium_tab,  ///< takes the room of the cathode's outer coating over 4 mm at mid-length, and leads up
  nickel_tab,     ///< takes the room of the anode's outer coating over 4 mm at its outer end, and leads down
};
constexpr int layer_count = 9;

/// The cell around the origin, its axis on z, the cap up.
class Cell18650 : public Object {
 public:
  /// Throws Error(usage) when the roll does not fit the can or the buckle folds the layers over.
  explicit Cell18650(const CellDesign& design = {}, const AttenuationTable& table = attenuations_at_91_kev());

  [[nodiscard]] double attenuation_at(geometry::Vec3 point) const override;
  [[nodiscard]] double line_integral(geometry::Vec3 from, geometry::Vec3 to) const override;

  /// Rows share the cuts of the plan; integrals differ from line_integral()'s by rounding only.
  void line_integrals(const ColumnOfRays& rays, std::span<double> integrals) const override;

  [[nodiscard]] Material material_at(geometry::Vec3 point) const;
  [[nodiscard]] Layer layer_at(double x, double y) const;
  [[nodiscard]] const Winding& winding() const { return winding_; }

 private:
  /// A kind of layer between two numbers of turns.
  struct Stretch {
    Layer layer;
    double first_turn, last_turn;
  };
  /// A place in the pitch: what fills it along the roll, the later stretches taking over from the earlier.
  using LayerPlan = std::vector<Stretch>;

  void plan_roll(const CellDesign& design);
  void plan_bands(const CellDesign& design, const AttenuationTable& table);
  [[nodiscard]] int ring_at(double radius) const;
  [[nodiscard]] int profile_at(double x, double y) const;
  [[nodiscard]] PlanChord cut(const PlanPath& path, double begin, double end) const;

  Winding winding_;
  std::vector<LayerPlan> layers_;      ///< one a thickness of the winding
  std::vector<double> stretch_turns_;  ///< where stretches begin or end, in turns
  std::vector<double> radii_;          ///< outer radii of the rings, rising
  Bands bands_;                        ///< profile = ring * layer_count + layer
  std::vector<Material> materials_;    ///< as bands_.attenuations
};

}  // namespace feldspar::simulate
