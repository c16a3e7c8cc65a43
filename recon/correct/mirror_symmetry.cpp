#include "recon/correct/mirror_symmetry.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <vector>

#include "recon/correct/block_waves.hpp"

namespace feldspar::recon {
namespace {

constexpr int block = 8, block_step = 4, tile = 16;  // pixels
constexpr int scales = 4;                            // coarse and fine, along columns and rows
constexpr double furthest_mirror = 1.2;              // columns from where the scan says
constexpr double least_gain = 2e-4;                  // line integral: smaller errors are not worth correcting
constexpr double sigmas = 8;                         // that the gain must stand out by
constexpr int rows_in_search = 256;
constexpr std::size_t block_pixels = std::size_t{block} * block;

/// Weights of the four pixels around a place that lies `part` behind the second.
std::array<double, 4> catmull_rom(double part) {
  const double p = part, q = p * p, c = q * p;
  return {0.5 * (-p + 2 * q - c), 0.5 * (2 - 5 * q + 3 * c), 0.5 * (p + 4 * q - 3 * c), 0.5 * (c - q)};
}

struct Place {
  int first;    ///< of the four pixels
  double part;  ///< behind the second
};

/// Of a position along a side of `size` pixels; false when it lies beside it.
bool place(double position, int size, Place& result) {
  constexpr double rounding = 1e-3;
  if (!(position > -rounding && position < size - 1 + rounding)) return false;
  double whole = std::floor(position), part = position - whole;
  if (part > 1 - rounding) whole += 1, part = 0;
  if (part < rounding) part = 0;
  result = {static_cast<int>(whole) - 1, part};
  return true;
}

/// Variances of the waves of a tile, of one pixel.
struct Tile {
  std::array<double, scales> broken{}, noise{};  ///< of mean less mirror image, and of its noise
  double whole = 0;                              ///< of mean and mirror image, with all that is the object's
  int blocks = 0;
};

int scale_of(int across, int along) { return (across >= block / 2 ? 1 : 0) + (along >= block / 2 ? 2 : 0); }

/// Rows of the mean and of what the mirror makes of it.
class TileRow {
 public:
  TileRow(const MeanOfTurn& turn, const Mirror& mirror, int first)
      : turn_(turn),
        mirror_(mirror),
        rows_{first, std::min(turn.mean.ny, first + tile + block - block_step)},
        mean_(turn.mean.nx, rows_.count(), 1),
        noise_(turn.mean.nx, rows_.count(), 1) {
    reflect(mirror, turn.mean, rows_, mean_.view());
    reflect(mirror, turn.noise, rows_, noise_.view());
  }

  [[nodiscard]] std::vector<Tile> measure() {
    const int columns = turn_.mean.nx;
    std::vector<Tile> tiles(static_cast<std::size_t>((columns + tile - 1) / tile));
    for (int row = rows_.first; row + block <= rows_.end; row += block_step)
      for (int column = 0; column + block <= columns; column += block_step)
        add_block(column, row, tiles[static_cast<std::size_t>(column / tile)]);
    constexpr int waves = (block / 2 - 1) * (block / 2 - 1), fine = block / 2 * (block / 2 - 1),
                  finest = block / 2 * (block / 2);
    constexpr std::array<int, scales> count{waves, fine, fine, finest};
    for (Tile& t : tiles) {
      if (t.blocks == 0) continue;
      for (std::size_t n = 0; n < scales; ++n)
        t.broken[n] /= count[n] * t.blocks, t.noise[n] /= count[n] * t.blocks;
      t.whole /= (block - 1) * (block - 1) * t.blocks;
    }
    return tiles;
  }

 private:
  void add_block(int column, int row, Tile& sum) {
    std::array<float, block_pixels> broken{}, whole{}, noise{};
    for (int r = 0; r < block; ++r)
      for (int c = 0; c < block; ++c) {
        const std::size_t n = std::size_t{block} * r + c;
        const float here = turn_.mean(column + c, row + r, 0),
                    there = mean_(column + c, row + r - rows_.first, 0);
        broken[n] = here - there, whole[n] = here + there;
        noise[n] = turn_.noise(column + c, row + r, 0) - noise_(column + c, row + r - rows_.first, 0);
      }
    waves_.forward(broken.data(), block, broken.data());
    if (!std::isfinite(broken[0])) return;
    waves_.forward(whole.data(), block, whole.data());
    waves_.forward(noise.data(), block, noise.data());
    const geometry::DetectorPoint image = mirror_.of(column + block / 2, row + block / 2);
    ++sum.blocks;
    for (int along = 1; along < block; ++along)
      for (int across = 1; across < block; ++across) {
        const std::size_t n = std::size_t{block} * along + across;
        const double kept = response(image.column, across) * response(image.row, along);
        const auto scale = static_cast<std::size_t>(scale_of(across, along));
        sum.broken[scale] += broken[n] * broken[n] / (1 + kept);
        sum.noise[scale] += noise[n] * noise[n] / (1 + kept);
        sum.whole += whole[n] * whole[n] / (1 + kept);
      }
  }
  static double response(double position, int wave) {
    return interpolation_response(position - std::floor(position), std::numbers::pi * wave / block);
  }

  const MeanOfTurn& turn_;
  const Mirror& mirror_;
  geometry::Range rows_;
  Array3<float> mean_, noise_;  ///< mirror images
  BlockWaves waves_{block, block};
};

/// Tiles with blocks in them, of every `stride`-th row of tiles.
std::vector<Tile> tiles_of(const MeanOfTurn& turn, const Mirror& mirror, int stride, ThreadPool& pool) {
  const int lines = (turn.mean.ny + tile * stride - 1) / (tile * stride);
  std::vector<std::vector<Tile>> rows(static_cast<std::size_t>(lines));
  pool.for_each(lines, [&](std::ptrdiff_t line, int) {
    rows[static_cast<std::size_t>(line)] =
        TileRow(turn, mirror, static_cast<int>(line) * tile * stride).measure();
  });
  std::vector<Tile> tiles;
  for (const auto& row : rows)
    std::ranges::copy_if(row, std::back_inserter(tiles), [](const Tile& t) { return t.blocks > 0; });
  return tiles;
}

/// How much of what is there breaks the symmetry, from 0 to 1.
double broken_share(const std::vector<Tile>& tiles) {
  double sum = 0;
  for (const Tile& t : tiles) {
    double broken = 0;
    for (const double value : t.broken) broken += value / scales;
    sum += broken / (broken + t.whole + least_gain * least_gain);
  }
  return tiles.empty() ? 0 : sum / static_cast<double>(tiles.size());
}

void find_mirror(const MeanOfTurn& turn, Mirror& mirror, ThreadPool& pool) {
  const int stride = std::max(1, turn.mean.ny / rows_in_search);
  double best = std::numeric_limits<double>::infinity();
  const auto search = [&](double middle, double reach, double step) {
    Mirror trial = mirror;
    for (int n = -static_cast<int>(std::lround(reach / step)); n <= std::lround(reach / step); ++n) {
      trial.shift = middle + n * step;
      const double share = broken_share(tiles_of(turn, trial, stride, pool));
      if (share < best) best = share, mirror.shift = trial.shift;
    }
  };
  search(0, furthest_mirror, 0.1);
  search(mirror.shift, 0.1, 0.02);
}

/// Weighted by how little of the object shows.
struct Weighted {
  double variance = 0, noise = 0, freedoms = 0;
};
Weighted weigh(const std::vector<Tile>& tiles, std::size_t scale) {
  double sum = 0, squares = 0, blocks = 0;
  Weighted result;
  for (const Tile& t : tiles) {
    const double weight = t.blocks / std::pow(t.whole + least_gain * least_gain, 2);
    result.variance += weight * (t.broken[scale] - t.noise[scale]), result.noise += weight * t.noise[scale];
    sum += weight, squares += weight * weight / t.blocks, blocks += t.blocks;
  }
  if (!(sum > 0)) return {};
  result.variance /= sum, result.noise /= sum;
  // Blocks overlap, each stands for step x step pixels; and every pixel is met twice, once in the mirror.
  const double independent = sum * sum / squares * (block_step * block_step) / (block * block) / 2;
  result.freedoms = independent * (block - 1) * (block - 1) / scales;
  return result;
}

}  // namespace

Mirror::Mirror(const geometry::CircularScan& scan) {
  geometry::CircularScan one = scan;
  one.angles = {0}, one.shifts.clear();
  view_ = geometry::make_views(one).front();
  const geometry::Vec3 beam = view_.is_parallel() ? view_.direction : view_.source;
  normal_ = geometry::normalised(geometry::cross({0, 0, 1}, beam));
}

geometry::DetectorPoint Mirror::of(int column, int row) const {
  const geometry::Vec3 pixel =
      view_.pixel_origin + (column - shift) * view_.column_step + row * view_.row_step;
  geometry::DetectorPoint image = geometry::project(view_, pixel - (2 * dot(normal_, pixel)) * normal_);
  image.column += shift;
  return image;
}

void reflect(const Mirror& mirror, View3<const float> map, geometry::Range rows, View3<float> result) {
  for (int row = rows.first; row < rows.end; ++row)
    for (int column = 0; column < map.nx; ++column) {
      const geometry::DetectorPoint image = mirror.of(column, row);
      float& value = result(column, row - rows.first, 0);
      value = std::numeric_limits<float>::quiet_NaN();
      Place across{}, along{};
      if (!place(image.column, map.nx, across) || !place(image.row, map.ny, along)) continue;
      const std::array<double, 4> x = catmull_rom(across.part), y = catmull_rom(along.part);
      double sum = 0;
      for (int j = 0; j < 4; ++j) {
        if (y[static_cast<std::size_t>(j)] == 0) continue;
        const float* const line = map.row(std::clamp(along.first + j, 0, map.ny - 1), 0);
        for (int i = 0; i < 4; ++i)
          sum += y[static_cast<std::size_t>(j)] * x[static_cast<std::size_t>(i)] *
                 line[std::clamp(across.first + i, 0, map.nx - 1)];
      }
      value = static_cast<float>(sum);
    }
}

double interpolation_response(double part, double radians) {
  const std::array<double, 4> weights = catmull_rom(part);
  std::complex<double> sum = 0;
  for (std::size_t n = 0; n < weights.size(); ++n)
    sum += weights[n] * std::polar(1.0, radians * static_cast<double>(n));
  return std::norm(sum);
}

Asymmetry measure_asymmetry(const MeanOfTurn& turn, Mirror& mirror, ThreadPool& pool) {
  find_mirror(turn, mirror, pool);
  const std::vector<Tile> tiles = tiles_of(turn, mirror, 1, pool);
  Asymmetry result;
  double least = std::numeric_limits<double>::infinity();
  bool certain = !tiles.empty();
  for (std::size_t scale = 0; scale < scales; ++scale) {
    const Weighted seen = weigh(tiles, scale);
    result.noise += seen.noise / scales;
    least = std::min(least, seen.variance);
    certain = certain && seen.freedoms > 0 &&
              seen.variance > sigmas / 2 * std::sqrt(2 / seen.freedoms) * seen.noise;
  }
  if (certain && least > least_gain * least_gain) result.variance = least;
  return result;
}

}  // namespace feldspar::recon
