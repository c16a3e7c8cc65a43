// A polychromatic beam through an object: which line integrals it takes, and how energies combine them.
//
// Between 10 and 450 keV a material's attenuation over energy is very nearly a combination of
// photo-absorption and scattering, the same curves for all materials. So the integral at any energy is a
// combination of the integrals at a few, and an object of ten materials costs three integrals a ray, not ten.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "simulate/object.hpp"
#include "simulate/spectrum.hpp"
#include "simulate/substance.hpp"

namespace feldspar::simulate {

/// The same shape for any attenuations, 1/mm, one a material.
using ObjectOfTable = std::function<std::shared_ptr<const Object>(const std::vector<double>& table)>;

/// What an object is made of, and the object of any attenuations of those materials.
struct Composition {
  std::vector<Substance> substances;
  ObjectOfTable object;
};

constexpr int most_integrals = 3;

struct Illumination {
  /// Signal that arrives of this kind of beam: weight * exp(-sum of shares[k] * integral of objects[k]).
  struct Bin {
    float weight = 1;
    std::array<float, most_integrals> shares{};
  };
  std::vector<std::shared_ptr<const Object>> objects;  ///< 1 to most_integrals
  std::vector<Bin> bins;                               ///< weights sum to 1
};

/// One energy: the object as it is.
[[nodiscard]] Illumination monochromatic(std::shared_ptr<const Object> object);

/// The object in a beam of this spectrum. Of the materials of an 18650 cell, attenuations combine to within
/// 0.5 % from 20 keV on. Throws what attenuation() throws, and Error(usage) for materials whose energies do
/// not combine (an absorption edge within the beam's energies) to within 5 % where a thousandth of the signal
/// or more lies.
[[nodiscard]] Illumination polychromatic(const Spectrum& spectrum, const Composition& composition);

/// The share of the beam that arrives on each ray, from its integrals through illumination.objects: integral
/// k of ray r is integrals[k * shares.size() + r].
void arriving_shares(const Illumination& illumination, std::span<const float> integrals,
                     std::span<float> shares);

}  // namespace feldspar::simulate
