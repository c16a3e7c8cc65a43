// What the corrections that are on by default do to good scans, which is nothing, and how much they take away
// of faults that are planted. docs/corrections.md has the table that it prints.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "recon/correct/find_corrections.hpp"
#include "tests/recon/correct/scenes.hpp"
#include "tests/recon/reconstruct.hpp"
#include "tests/support/resources.hpp"

namespace feldspar {
namespace {

using testing::RecordedScan;
using testing::Scene;

/// A volume with the voxels that no edge of the object is within two voxels of.
class Bench {
 public:
  explicit Bench(const Scene& scene) : scene_(scene), grid_(grid_of(scene)) {
    const auto at = [&](int i, int j, int k) {
      const geometry::Vec3 p = grid_.centre_of(i, j, k);
      double sum = 0;
      for (const testing::Body& body : scene.bodies) sum += inside(body, p) ? body.value : 0;
      return sum;
    };
    std::vector<float> truth(grid_.voxels());
    for (int k = 0, n = 0; k < grid_.nz; ++k)
      for (int j = 0; j < grid_.ny; ++j)
        for (int i = 0; i < grid_.nx; ++i, ++n)
          truth[static_cast<std::size_t>(n)] = static_cast<float>(at(i, j, k));
    for (int k = 2; k < grid_.nz - 2; ++k)
      for (int j = 2; j < grid_.ny - 2; ++j)
        for (int i = 2; i < grid_.nx - 2; ++i)
          if (is_even(truth, i, j, k)) inner_.push_back(index(i, j, k));
  }

  [[nodiscard]] std::shared_ptr<const recon::Corrections> find(const RecordedScan& scan,
                                                               const std::string& which) const {
    return std::make_shared<recon::Corrections>(
        recon::find_corrections(scan, scan.scan(), recon::prepare_fdk(scan.scan()).view_indices,
                                recon::parse_corrections(which), testing::all_resources()));
  }

  [[nodiscard]] std::vector<float> reconstruct(const RecordedScan& scan,
                                               std::shared_ptr<const recon::Corrections> corrections) const {
    const recon::FdkSetup setup = recon::prepare_fdk(scan.scan());
    const auto backend = kernels::open_backend("cpu", {.threads = 2});
    const recon::FdkOptions options{.grid = grid_,
                                    .ramp = {},
                                    .projector = {},
                                    .corrections = std::move(corrections),
                                    .memory = testing::plenty};
    const recon::SlabPlan plan =
        plan_slabs(setup, grid_, testing::plenty, costs_on(*backend, scan, setup, options));
    testing::VolumeInMemory volume(grid_.nx, grid_.ny, grid_.nz);
    Progress progress;
    (void)reconstruct_fdk({scan, setup, options}, plan, volume, *backend, progress);
    return volume.values;
  }

  /// Root mean square and largest difference in % of the body's attenuation.
  [[nodiscard]] std::pair<double, double> difference(const std::vector<float>& a,
                                                     const std::vector<float>& b) const {
    double squares = 0, largest = 0;
    for (const std::size_t n : inner_) {
      const double d = static_cast<double>(a[n]) - static_cast<double>(b[n]);
      squares += d * d, largest = std::max(largest, std::abs(d));
    }
    return {100 * std::sqrt(squares / static_cast<double>(inner_.size())) / scene_.value,
            100 * largest / scene_.value};
  }

 private:
  static geometry::VolumeGrid grid_of(const Scene& scene) {
    const auto& d = scene.scan.detector;
    const geometry::FieldOfView seen = geometry::field_of_view(scene.scan);
    const int across = 2 * static_cast<int>(seen.outer_radius / 0.1 / std::numbers::sqrt2);
    return geometry::centred_grid(across, across, static_cast<int>(0.8 * d.rows), 0.1);
  }
  static bool inside(const testing::Body& body, geometry::Vec3 p) {
    p = p - body.centre;
    const double c = std::cos(body.turn), s = std::sin(body.turn);
    const geometry::Vec3 q{(c * p.x + s * p.y) / body.half.x, (-s * p.x + c * p.y) / body.half.y,
                           p.z / body.half.z};
    return body.cylinder ? q.x * q.x + q.y * q.y < 1 && std::abs(q.z) < 1 : dot(q, q) < 1;
  }
  [[nodiscard]] std::size_t index(int i, int j, int k) const {
    return (static_cast<std::size_t>(k) * static_cast<std::size_t>(grid_.ny) + static_cast<std::size_t>(j)) *
               static_cast<std::size_t>(grid_.nx) +
           static_cast<std::size_t>(i);
  }
  [[nodiscard]] bool is_even(const std::vector<float>& truth, int i, int j, int k) const {
    const float own = truth[index(i, j, k)];
    if (!(own > 0)) return false;
    for (int c = -2; c <= 2; ++c)
      for (int b = -2; b <= 2; ++b)
        for (int a = -2; a <= 2; ++a)
          if (std::abs(truth[index(i + a, j + b, k + c)] - own) > 1e-6f) return false;
    return true;
  }

  const Scene& scene_;
  geometry::VolumeGrid grid_;
  std::vector<std::size_t> inner_;
};

struct Fault {
  std::string name, finds;  ///< the correction that takes it away
  std::function<double(double count, int view, int column, int row)> change;
};

std::vector<Fault> faults_of(const Scene& scene) {
  const int columns = scene.scan.detector.columns, rows = scene.scan.detector.rows;
  const auto gain = [columns](double size) {
    return [=](double count, int, int column, int row) {
      return count * (1 + size * testing::normal_at(77, static_cast<std::uint64_t>(row * columns + column)));
    };
  };
  const auto stuck = [](auto is_bad) {
    return [is_bad](double count, int, int column, int row) { return is_bad(column, row) ? 30000.0 : count; };
  };
  return {
      {"gain 0.3 %", "rings", gain(0.003)},
      {"gain 1 %", "rings", gain(0.01)},
      {"drift 2 %", "drift",
       [](double count, int view, int, int) { return count * (1 + 0.02 * std::sin(0.05 * view)); }},
      {"pixels", "bad-pixels", stuck([](int column, int row) { return (column * 7 + row * 13) % 307 == 0; })},
      {"2 columns", "bad-pixels", stuck([=](int column, int) { return column / 2 == columns / 6; })},
      {"2 rows", "bad-pixels", stuck([=](int, int row) { return row / 2 == rows / 6; })},
      {"3 x 3", "bad-pixels",
       stuck([=](int column, int row) { return column / 3 == columns / 8 && row / 3 == rows / 7; })}};
}

void print_steps(const recon::Corrections& corrections) {
  if (std::getenv("FELDSPAR_TEST_STEPS") == nullptr) return;
  for (const recon::CorrectionStep& step : corrections.steps) fmt::print("    {}\n", step.text);
}

bool is_wanted(const char* variable, const std::string& name) {
  const char* const wanted = std::getenv(variable);
  return wanted == nullptr || name.find(wanted) != std::string::npos;
}

/// A good scan of the scene, without or with noise.
RecordedScan good_scan(const Scene& scene, bool noisy) {
  const RecordedScan clean(testing::VirtualScan(scene.scan, scene.bodies, 40000));
  return noisy ? with_noise(clean, 11) : clean;
}

TEST(DefaultCorrections, LeaveGoodScansAlone) {
  for (const Scene& scene : testing::scenes()) {
    if (!is_wanted("FELDSPAR_TEST_SCENE", scene.name)) continue;
    const Bench bench(scene);
    for (const bool noisy : {false, true}) {
      const RecordedScan good = good_scan(scene, noisy);

      const auto found = bench.find(good, "auto");

      fmt::print("| {}, {} | {} |\n", scene.name, noisy ? "noise" : "none",
                 found->spec.empty() ? "no bit" : "changed");
      print_steps(*found);
      std::fflush(stdout);
      if (found->spec.empty()) continue;  // no bit changes
      const auto [harm, most] =
          bench.difference(bench.reconstruct(good, found), bench.reconstruct(good, nullptr));
      EXPECT_LT(most, 0.3) << scene.name << (noisy ? " with noise, rms " : " without noise, rms ") << harm;
    }
  }
}

TEST(DefaultCorrections, TakeFaultsAway) {
  for (const Scene& scene : testing::scenes()) {
    if (!is_wanted("FELDSPAR_TEST_SCENE", scene.name)) continue;
    const Bench bench(scene);
    const RecordedScan good = good_scan(scene, true);
    const std::vector<float> before = bench.reconstruct(good, nullptr);
    for (const Fault& fault : faults_of(scene)) {
      if (!is_wanted("FELDSPAR_TEST_FAULT", fault.name)) continue;
      const RecordedScan bad = good.changed(fault.change);

      const auto corrections = bench.find(bad, "auto");

      const double damage = bench.difference(bench.reconstruct(bad, nullptr), before).first;
      const double left = bench.difference(bench.reconstruct(bad, corrections), before).first;
      fmt::print("| {} | {} | {:.2f} | {:.2f} | {:.0f} |\n", scene.name, fault.name, damage, left,
                 100 * (1 - left / damage));
      print_steps(*corrections);
      std::fflush(stdout);
      EXPECT_LT(left, (scene.full_turn || fault.finds != "rings" ? 0.8 : 1.001) * damage)
          << scene.name << ", " << fault.name;
    }
  }
}

}  // namespace
}  // namespace feldspar
