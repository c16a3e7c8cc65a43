// The cosine waves that a block of pixels is made of.
#pragma once

#include <vector>

namespace feldspar::recon {

/// The orthonormal discrete cosine transform (II) of blocks of rows x columns values, columns fastest; the
/// first coefficient is the mean times the root of their number.
class BlockWaves {
 public:
  /// For blocks of that many pixels.
  BlockWaves(int rows, int columns);

  /// Coefficients of the values, whose rows lie `stride` apart; both may be the same memory when that is the
  /// number of columns.
  void forward(const float* values, int stride, float* coefficients);
  /// The values of coefficients.
  void inverse(const float* coefficients, float* values);

  const int rows;     ///< of a block
  const int columns;  ///< of a block

 private:
  std::vector<float> along_, across_;  ///< wave by place
  std::vector<float> half_done_;
};

}  // namespace feldspar::recon
