// The ramp filter of detector rows: weight, Fourier transform, multiply, transform back. 2 x lanes rows go
// together, two as the real and imaginary part of one complex row and `lanes` of those side by side in each
// register. The spectrum is real and even, so the pair never has to be told apart, and it is stored in the
// order that the decimating transform leaves behind, so nothing is ever put back in order.
// Included only by simd_kernels.cpp, inside its namespace for the instruction set.

struct Complex {
  Floats re, im;
};

/// Floats from one Complex of a row to the next: `lanes` real parts, then `lanes` imaginary ones.
constexpr std::ptrdiff_t complex_stride = std::ptrdiff_t{2} * lanes;

inline Complex read(const float* data, std::ptrdiff_t n) {
  return {load(data + complex_stride * n), load(data + complex_stride * n + lanes)};
}
inline void write(float* data, std::ptrdiff_t n, Complex value) {
  store(data + complex_stride * n, value.re);
  store(data + complex_stride * n + lanes, value.im);
}
inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
inline Complex times(Complex a, float re, float im) {
  return {multiply_add(a.re, re, -(a.im * im)), multiply_add(a.re, im, a.im * re)};
}
inline Complex times_i(Complex a) { return {-a.im, a.re}; }

/// The transform of length 2, which is its own reverse.
inline void transform_pair(float* data) {
  const Complex a = read(data, 0), b = read(data, 1);
  write(data, 0, a + b);
  write(data, 1, a - b);
}

/// Decimation in frequency, radix 4, recursive so that sub-transforms stay in cache. Block s of a stage
/// holds the frequencies s, s + 4, s + 8 ... `twiddles` of a stage of length n: for k < n/4 the real and
/// imaginary parts of w^k, w^2k, w^3k with w = exp(-2 pi i/n); those of the next stage (n/4) follow.
void forward(float* data, int length, const float* twiddles) {
  if (length == 1) return;
  if (length == 2) return transform_pair(data);
  const int quarter = length / 4;
  const float* w = twiddles;
  for (int k = 0; k < quarter; ++k, w += 6) {
    const Complex a = read(data, k), b = read(data, k + quarter), c = read(data, k + 2 * quarter),
                  d = read(data, k + 3 * quarter);
    const Complex sum = a + c, difference = a - c, other = b + d, turned = times_i(d - b);
    write(data, k, sum + other);
    write(data, k + quarter, times(difference + turned, w[0], w[1]));
    write(data, k + 2 * quarter, times(sum - other, w[2], w[3]));
    write(data, k + 3 * quarter, times(difference - turned, w[4], w[5]));
  }
  for (int s = 0; s < 4; ++s) forward(data + complex_stride * s * quarter, quarter, w);
}

/// The exact reverse of forward, without its factor `length`.
void backward(float* data, int length, const float* twiddles) {
  if (length == 1) return;
  if (length == 2) return transform_pair(data);
  const int quarter = length / 4;
  const float* w = twiddles;
  for (int s = 0; s < 4; ++s)
    backward(data + complex_stride * s * quarter, quarter, w + std::ptrdiff_t{6} * quarter);
  for (int k = 0; k < quarter; ++k, w += 6) {
    const Complex p = read(data, k), q = times(read(data, k + quarter), w[0], -w[1]),
                  r = times(read(data, k + 2 * quarter), w[2], -w[3]),
                  s = times(read(data, k + 3 * quarter), w[4], -w[5]);
    const Complex sum = p + r, other = p - r, even = q + s, odd = times_i(q - s);
    write(data, k, sum + even);
    write(data, k + quarter, other + odd);
    write(data, k + 2 * quarter, sum - even);
    write(data, k + 3 * quarter, other - odd);
  }
}

inline Floats square_root(Floats x) {
  for (int lane = 0; lane < lanes; ++lane) x[lane] = __builtin_sqrtf(x[lane]);
  return x;
}

/// The FDK weights of one column for `lanes` rows that are two apart, beginning with `row`.
inline Floats pixel_weights(const RowBlock& block, int column, int row) {
  Floats across = Floats{}, squares = Floats{};
  const Floats rows = ramp(2.0f) + static_cast<float>(row);
  for (int axis = 0; axis < 3; ++axis) {
    const float first = block.ray[axis] + static_cast<float>(column) * block.column_step[axis];
    const Floats r = multiply_add(rows, block.row_step[axis], broadcast(first));
    across = multiply_add(r, block.to_axis[axis], across);
    squares = multiply_add(r, r, squares);
  }
  const float redundancy = block.column_weights ? block.column_weights[column] : 1.0f;
  return (block.scale * redundancy) * across / square_root(squares);
}

void filter_rows(const RowFilterPlan& plan, const RowBlock& block) {
  float* data = block.scratch;
  const auto row_of = [&](int lane, int part) {
    const int row = 2 * lane + part;
    return row < block.row_count ? block.rows + row * block.row_stride : nullptr;
  };
  for (int part = 0; part < 2; ++part)
    for (int lane = 0; lane < lanes; ++lane) {
      const float* row = row_of(lane, part);
      float* to = data + std::ptrdiff_t{part} * lanes + lane;
      for (int column = 0; column < plan.columns; ++column)
        to[complex_stride * column] = row ? row[column] : 0.0f;
    }
  for (int column = 0; column < plan.columns; ++column) {
    const Complex value = read(data, column);
    write(data, column,
          {value.re * pixel_weights(block, column, block.first_row),
           value.im * pixel_weights(block, column, block.first_row + 1)});
  }
  for (int column = plan.columns; column < plan.length; ++column) write(data, column, {Floats{}, Floats{}});

  forward(data, plan.length, plan.twiddles);
  for (int k = 0; k < plan.length; ++k) {
    const Complex value = read(data, k);
    write(data, k, {value.re * plan.response[k], value.im * plan.response[k]});
  }
  backward(data, plan.length, plan.twiddles);

  for (int part = 0; part < 2; ++part)
    for (int lane = 0; lane < lanes; ++lane) {
      float* row = row_of(lane, part);
      if (!row) continue;
      const float* from = data + std::ptrdiff_t{part} * lanes + lane;
      for (int column = 0; column < plan.columns; ++column) row[column] = from[complex_stride * column];
    }
}
