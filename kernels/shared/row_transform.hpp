// The Fourier transform of one complex row that a team of threads shares, in place, radix 4. It decimates in
// frequency, so that a spectrum comes out in a scrambled order, and its reverse takes that order back: what
// only multiplies a spectrum never has to put it in order.
#pragma once

#include "kernels/shared/host_device.hpp"

namespace feldspar::kernels {

struct alignas(8) Complex {
  float re;
  float im;
};

FELDSPAR_HOST_DEVICE inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
FELDSPAR_HOST_DEVICE inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
FELDSPAR_HOST_DEVICE inline Complex operator*(Complex a, Complex b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
FELDSPAR_HOST_DEVICE inline Complex operator*(float a, Complex b) { return {a * b.re, a * b.im}; }
FELDSPAR_HOST_DEVICE inline Complex conjugate(Complex a) { return {a.re, -a.im}; }
FELDSPAR_HOST_DEVICE inline Complex times_i(Complex a) { return {-a.im, a.re}; }

struct Four {
  Complex a, b, c, d;
};

/// The transform of length 4, out[k] = sum of in[n] (-i)^(nk), and its reverse without the factor 1/4.
FELDSPAR_HOST_DEVICE inline Four forward_four(Four x) {
  const Complex even = x.a + x.c, odd = x.a - x.c, other = x.b + x.d, turned = times_i(x.d - x.b);
  return {even + other, odd + turned, even - other, odd - turned};
}
FELDSPAR_HOST_DEVICE inline Four backward_four(Four x) {
  const Complex even = x.a + x.c, odd = x.a - x.c, other = x.b + x.d, turned = times_i(x.b - x.d);
  return {even + other, odd + turned, even - other, odd - turned};
}

/// Where element n of a row is kept. Shared memory serves 16 threads at a time if their 8-byte elements
/// differ modulo 16; this keeps it so for every stage of the transform.
FELDSPAR_HOST_DEVICE inline int place_of(int n) { return n ^ 5 * ((n >> 4) & 3); }

/// A row of `length` elements, a power of two of at least 16. `turns[k]` is exp(-2 pi i k / length) for
/// k < length / 4. A stage of width `quarter` has length / 4 steps, independent of each other; stages go
/// from length / 4 down by fours to middle_width() * 4, then the middle, then back up.
struct RowTransform {
  Complex* row;
  const Complex* turns;
  int length;

  /// 1 where the middle is of length 4, 0 where it is of length 2.
  FELDSPAR_HOST_DEVICE static bool ends_in_fours(int length) {
    for (; length > 4; length /= 4) {
    }
    return length == 4;
  }

  FELDSPAR_HOST_DEVICE Complex& at(int n) const { return row[place_of(n)]; }

  FELDSPAR_HOST_DEVICE void forward(int quarter, int step) const {
    const int k = step & (quarter - 1), first = 4 * (step - k) + k;
    put(first, quarter, turned(forward_four(get(first, quarter)), turn(quarter, k)));
  }
  FELDSPAR_HOST_DEVICE void backward(int quarter, int step) const {
    const int k = step & (quarter - 1), first = 4 * (step - k) + k;
    put(first, quarter, backward_four(turned(get(first, quarter), conjugate(turn(quarter, k)))));
  }

  /// The last stage forward, the product with the spectrum in scrambled order, and the first stage back.
  FELDSPAR_HOST_DEVICE void middle(bool in_fours, const float* response, int step) const {
    const int first = 4 * step;
    Four x = get(first, 1);
    const float* r = response + first;
    if (in_fours) {
      x = forward_four(x);
      x = backward_four({r[0] * x.a, r[1] * x.b, r[2] * x.c, r[3] * x.d});
    } else {
      const Complex a = r[0] * (x.a + x.b), b = r[1] * (x.a - x.b), c = r[2] * (x.c + x.d),
                    d = r[3] * (x.c - x.d);
      x = {a + b, a - b, c + d, c - d};
    }
    put(first, 1, x);
  }

  /// exp(-2 pi i k / (4 quarter)).
  FELDSPAR_HOST_DEVICE Complex turn(int quarter, int k) const {
    const int n = k * (length / (4 * quarter));
    return turns[n];
  }

  FELDSPAR_HOST_DEVICE static Four turned(Four x, Complex w) {
    const Complex square = w * w;
    return {x.a, w * x.b, square * x.c, (square * w) * x.d};
  }

  FELDSPAR_HOST_DEVICE Four get(int first, int quarter) const {
    return {at(first), at(first + quarter), at(first + 2 * quarter), at(first + 3 * quarter)};
  }
  FELDSPAR_HOST_DEVICE void put(int first, int quarter, Four x) const {
    at(first) = x.a;
    at(first + quarter) = x.b;
    at(first + 2 * quarter) = x.c;
    at(first + 3 * quarter) = x.d;
  }
};

/// The frequency, in cycles a row, that ends at position n of the scrambled order.
inline int frequency_at(int n, int length) {
  if (length == 1) return 0;
  if (length == 2) return n;
  const int quarter = length / 4;
  return 4 * frequency_at(n % quarter, quarter) + n / quarter;
}

}  // namespace feldspar::kernels
