// The faults of the campaign.
#include <algorithm>

#include "tests/recon/verify/campaign.hpp"

namespace feldspar::testing {
namespace {

using geometry::CircularScan;
using Voxels = std::vector<float>;

void move(CircularScan& scan, const std::function<geometry::ViewShift(double share)>& by) {
  for (std::size_t n = 0; n < scan.angles.size(); ++n)
    scan.shifts.push_back(by(double(n) / double(scan.angles.size())));
}
void forget_shifts(StoredScan& scan) { scan.claimed().shifts.clear(); }

std::size_t slice(const geometry::VolumeGrid& grid) { return std::size_t(grid.nx) * std::size_t(grid.ny); }

std::vector<Fault> of_views() {
  return {{.name = "two views 90 degrees apart swapped", .scan = [](auto& s) { s.swap_views(50, 140); }},
          {.name = "two views 10 degrees apart swapped", .scan = [](auto& s) { s.swap_views(50, 60); }},
          {.name = "two neighbours swapped",
           .scan = [](auto& s) { s.swap_views(50, 51); },
           .not_seen_of = "cell beads block",
           .why = "noise moves a view by as much"},
          {.name = "one view three times", .scan = [](auto& s) { s.repeat_view(80, 2); }},
          {.name = "a view from elsewhere in the scan", .scan = [](auto& s) { s.copy_view(200, 31); }},
          {.name = "five views lost", .scan = [](auto& s) { s.lose_view(120, 5); }},
          {.name = "two views lost", .scan = [](auto& s) { s.lose_view(120, 2); }},
          {.name = "ten black views",
           .scan =
               [](auto& s) {
                 for (int n = 100; n < 110; ++n) s.dim_view(n, 1e-4f);
               }},
          {.name = "three dimmed views",
           .scan =
               [](auto& s) {
                 for (int n = 60; n < 63; ++n) s.dim_view(n, 0.7f);
               }},
          {.name = "one view 10 % brighter", .scan = [](auto& s) { s.dim_view(77, 1.1f); }},
          {.name = "a view without object", .scan = [](auto& s) { s.blank_view(90); }},
          {.name = "the first view black", .scan = [](auto& s) { s.dim_view(0, 1e-4f); }}};
}

std::vector<Fault> of_angles() {
  return {{.name = "wrong sense",
           .scan =
               [](auto& s) {
                 for (double& angle : s.claimed().angles) angle = -angle;
               }},
          {.name = "angles stretched by 1 %",
           .scan =
               [](auto& s) {
                 for (double& angle : s.claimed().angles) angle *= 1.01;
               }},
          {.name = "angles shortened by 2 %",
           .scan =
               [](auto& s) {
                 for (double& angle : s.claimed().angles) angle *= 0.98;
               }},
          {.name = "half of the angles 2 degrees off",
           .scan =
               [](auto& s) {
                 for (std::size_t n = 180; n < s.claimed().angles.size(); ++n) s.claimed().angles[n] += 0.035;
               }},
          {.name = "a hesitating table, 3 degrees", .scan = [](auto& s) {
             for (std::size_t n = 0; n < s.claimed().angles.size(); ++n)
               s.claimed().angles[n] += 0.026 * std::sin(s.claimed().angles[n]);
           }}};
}

std::vector<Fault> of_motion() {
  return {
      {.name = "moved by 2 voxels half-way",
       .truth = [](auto& t) { move(t, [](double s) {
                                return geometry::ViewShift{s > 0.5 ? 2.4 : 0, 0};
                              }); },
       .scan = forget_shifts},
      {.name = "moved by 3 voxels slowly",
       .truth = [](auto& t) { move(t, [](double s) {
                                return geometry::ViewShift{3.6 * s, 0};
                              }); },
       .scan = forget_shifts},
      {.name = "sank by 2 voxels half-way",
       .truth = [](auto& t) { move(t, [](double s) {
                                return geometry::ViewShift{0, s > 0.5 ? 2.4 : 0};
                              }); },
       .scan = forget_shifts,
       .not_seen_of = "cell block",
       .why = "hardly anything changes along the axis"},
      {.name = "to and fro by 3 voxels",
       .truth =
           [](auto& t) {
             move(t, [](double s) { return geometry::ViewShift{1.8 * std::sin(12.6 * s), 0}; });
           },
       .scan = forget_shifts}};
}

std::vector<Fault> of_geometry() {
  return {{.name = "axis 1 column off",
           .scan = [](auto& s) { s.claimed().axis.offset += 0.4; },
           .not_seen_of = "cell",
           .why = "nearly round about its axis"},
          {.name = "axis 4 columns off", .scan = [](auto& s) { s.claimed().axis.offset -= 1.6; }},
          {.name = "axis rolled by 1 degree",
           .scan = [](auto& s) { s.claimed().axis.roll += 0.01745; },
           .not_seen_of = "cell",
           .why = "nearly round about its axis"},
          {.name = "source 5 % further",
           .scan = [](auto& s) { s.claimed().source_object_distance *= 1.05; },
           .not_seen_of = "all",
           .why = "object, voxels and attenuation scale together"},
          {.name = "detector 2 % nearer",
           .scan = [](auto& s) { s.claimed().source_detector_distance *= 0.98; },
           .not_seen_of = "all",
           .why = "the fan is too narrow"},
          {.name = "white level 5 % off",
           .scan = [](auto& s) { s.claimed_references().white[0] *= 1.05f; },
           .not_seen_of = "beads",
           .why = "the beads' cylinder comes so near the edges that they may not be air: the verdict says "
                  "that it cannot tell"}};
}

std::vector<Fault> of_volumes() {
  return {{.name = "a voxel is no number", .volume = [](Voxels& v, const auto&) { v[12345] = NAN; }},
          {.name = "16 slices of zeros",
           .volume = [](Voxels& v,
                        const auto& g) { std::fill_n(v.begin() + long(16 * slice(g)), 16 * slice(g), 0.f); }},
          {.name = "16 slices 2 % too bright",
           .volume =
               [](Voxels& v, const auto& g) {
                 for (std::size_t n = 16 * slice(g); n < 32 * slice(g); ++n) v[n] *= 1.02f;
               }},
          {.name = "16 slices turned by 180 degrees",
           .volume =
               [](Voxels& v, const auto& g) {
                 for (std::size_t k = 16; k < 32; ++k)
                   std::reverse(v.begin() + long(k * slice(g)), v.begin() + long((k + 1) * slice(g)));
               }},
          {.name = "all voxels 5 % too bright",
           .volume =
               [](Voxels& v, const auto&) {
                 for (float& value : v) value *= 1.05f;
               }},
          {.name = "the volume one slice too high", .volume = [](Voxels& v, const auto& g) {
             std::copy_backward(v.begin(), v.end() - long(slice(g)), v.end());
           }}};
}

}  // namespace

std::vector<Fault> faults() {
  std::vector<Fault> all;
  for (const auto& kind : {of_views(), of_angles(), of_motion(), of_geometry(), of_volumes()})
    all.insert(all.end(), kind.begin(), kind.end());
  return all;
}

}  // namespace feldspar::testing
