// Counts to line integrals, as kernels/attenuation.hpp defines them, in a form that vectorises.
// Included only by simd_kernels.cpp, inside its namespace for the instruction set.

/// Natural logarithm of positive, normal numbers to about one unit in the last place: exponent and mantissa
/// apart, the mantissa in [sqrt(1/2), sqrt(2)) by the polynomial of the Cephes library's logf (Moshier).
inline Floats logarithm(Floats x) {
  Ints bits = (Ints)x;
  const Ints exponent = (bits - 0x3f3504f3) >> 23;  // so that the mantissa begins at sqrt(1/2)
  const Floats m = (Floats)(bits - (exponent << 23)) - 1.0f;
  const Floats e = __builtin_convertvector(exponent, Floats);
  Floats y = multiply_add(m, broadcast(7.0376836292e-2f), broadcast(-1.1514610310e-1f));
  constexpr float coefficients[] = {1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f, -1.6668057665e-1f,
                                    2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f};
  for (const float coefficient : coefficients) y = multiply_add(y, m, coefficient);
  const Floats square = m * m;
  y = multiply_add(y * m, square, multiply_add(e, -2.12194440e-4f, -0.5f * square));
  return multiply_add(e, 0.693359375f, m + y);
}

inline int count_true(Ints mask) {
  int count = 0;
  for (int lane = 0; lane < lanes; ++lane) count -= mask[lane];
  return count;
}

template <class Count>
inline void line_integrals(const PixelRun& run, const Count* counts, PixelTally& tally) {
  // Whole registers, the last of them filled up with harmless pixels.
  for (std::ptrdiff_t first = 0; first < run.count; first += lanes) {
    const int used = run.count - first < lanes ? static_cast<int>(run.count - first) : lanes;
    Floats value = broadcast(2.0f), white = broadcast(run.white ? 4.0f : run.white_value),
           dark = broadcast(run.dark ? 0.0f : run.dark_value);
    Ints real{};
    if (used == lanes) {
      for (int lane = 0; lane < lanes; ++lane) value[lane] = static_cast<float>(counts[first + lane]);
      if (run.white) white = load(run.white + first);
      if (run.dark) dark = load(run.dark + first);
      real = real - 1;
    } else {
      for (int lane = 0; lane < used; ++lane) {
        value[lane] = static_cast<float>(counts[first + lane]);
        if (run.white) white[lane] = run.white[first + lane];
        if (run.dark) dark[lane] = run.dark[first + lane];
        real[lane] = -1;
      }
    }
    const Floats beam = white - dark, signal = value - dark;
    const Ints finite = (value - value) == 0.0f, alive = beam > 1.0f, lit = signal >= 1.0f;
    const Ints valid = finite & alive;
    const Floats raised = lit & valid ? signal : broadcast(1.0f);
    const Floats safe_beam = alive ? beam : broadcast(1.0f);
    const Floats result = valid ? -logarithm(raised / safe_beam) : broadcast(0.0f);
    if (used == lanes) {
      store(run.line_integrals + first, result);
    } else {
      for (int lane = 0; lane < used; ++lane) run.line_integrals[first + lane] = result[lane];
    }
    tally.not_finite += count_true(real & ~finite);
    tally.dead += count_true(real & finite & ~alive);
    tally.floored += count_true(real & valid & ~lit);
    if (run.saturation > 0) tally.saturated += count_true(real & (value >= run.saturation));
  }
}

void line_integrals_u16(const PixelRun& run, const std::uint16_t* counts, PixelTally& tally) {
  line_integrals(run, counts, tally);
}
void line_integrals_f32(const PixelRun& run, const float* counts, PixelTally& tally) {
  line_integrals(run, counts, tally);
}
