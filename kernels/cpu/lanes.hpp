// As many floats as one register of the instruction set being compiled for, and the one operation that
// differs between them: reading a line of samples at evenly spaced places without a gather.
// Included only by simd_kernels.cpp, inside its namespace for the instruction set.

#if defined(__AVX512F__) && defined(__AVX512DQ__)
constexpr int lanes = 16;
#elif defined(__AVX2__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif

typedef float Floats __attribute__((vector_size(lanes * sizeof(float))));
typedef int Ints __attribute__((vector_size(lanes * sizeof(int))));

inline Floats load(const float* p) {
  Floats value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}
inline void store(float* p, Floats value) { __builtin_memcpy(p, &value, sizeof value); }
inline Floats broadcast(float value) { return value - Floats{}; }

/// a * b + c, rounded once where the instruction set can. Never left to the compiler, which is told not to
/// contract: it could round one sum differently in two loops, and a volume would depend on its slabs.
inline Floats multiply_add(Floats a, Floats b, Floats c) {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__FP_FAST_FMAF)
  for (int lane = 0; lane < lanes; ++lane) c[lane] = __builtin_fmaf(a[lane], b[lane], c[lane]);
  return c;
#else
  return a * b + c;
#endif
}
/// The same of one number for all lanes.
inline Floats multiply_add(Floats a, float b, Floats c) { return multiply_add(a, broadcast(b), c); }
inline Floats multiply_add(Floats a, Floats b, float c) { return multiply_add(a, b, broadcast(c)); }

/// Lane number times `step`.
inline Floats ramp(float step) {
  Floats value;
  for (int lane = 0; lane < lanes; ++lane) value[lane] = static_cast<float>(lane) * step;
  return value;
}

/// The largest step at which `lanes` samples still fall within two registers: they begin less than one
/// sample in, span (lanes - 1) * step, and linear interpolation reads one beyond.
constexpr double narrow_step = (2.0 * lanes - 2.01) / (lanes - 1);
/// The largest step at which each lane's sample is one of `lanes`, and the one behind it one of those behind.
constexpr double tight_step = (lanes - 1.01) / (lanes - 1);

#if defined(__AVX512F__) && defined(__AVX512DQ__)
/// t - floor(t).
inline __m512 fraction_of(Floats t) { return _mm512_sub_ps(t, _mm512_cvtepi32_ps(_mm512_cvttps_epi32(t))); }

/// sum + line linearly interpolated at t >= 0, where t < lanes in every lane.
inline Floats add_tight(Floats sum, const float* line, Floats t) {
  const __m512i index = _mm512_cvttps_epi32(t);
  const __m512 a = _mm512_permutexvar_ps(index, _mm512_loadu_ps(line)),
               b = _mm512_permutexvar_ps(index, _mm512_loadu_ps(line + 1));
  return _mm512_fmadd_ps(fraction_of(t), _mm512_sub_ps(b, a), _mm512_add_ps(sum, a));
}
/// The same where t < 2 * lanes - 1.
inline Floats add_interpolated(Floats sum, const float* line, Floats t) {
  const __m512i index = _mm512_cvttps_epi32(t);
  const __m512 fraction = fraction_of(t);
  const __m512 low = _mm512_loadu_ps(line), high = _mm512_loadu_ps(line + 16);
  const __m512 a = _mm512_permutex2var_ps(low, index, high);
  const __m512 b = _mm512_permutex2var_ps(low, _mm512_add_epi32(index, _mm512_set1_epi32(1)), high);
  return _mm512_fmadd_ps(fraction, _mm512_sub_ps(b, a), _mm512_add_ps(sum, a));
}
/// The same for any t >= 0.
inline Floats add_gathered(Floats sum, const float* line, Floats t) {
  const __m512i index = _mm512_cvttps_epi32(t);
  const __m512 fraction = fraction_of(t);
  const __m512 a = _mm512_i32gather_ps(index, line, 4), b = _mm512_i32gather_ps(index, line + 1, 4);
  return _mm512_fmadd_ps(fraction, _mm512_sub_ps(b, a), _mm512_add_ps(sum, a));
}
#elif defined(__AVX2__)
inline Floats add_tight(Floats sum, const float* line, Floats t) {
  const __m256i index = _mm256_cvttps_epi32(t);
  const __m256 fraction = _mm256_sub_ps(t, _mm256_cvtepi32_ps(index));
  const __m256 a = _mm256_permutevar8x32_ps(_mm256_loadu_ps(line), index),
               b = _mm256_permutevar8x32_ps(_mm256_loadu_ps(line + 1), index);
  return _mm256_fmadd_ps(fraction, _mm256_sub_ps(b, a), _mm256_add_ps(sum, a));
}
inline __m256 pick(const float* line, __m256i index, __m256i upper) {
  return _mm256_blendv_ps(_mm256_permutevar8x32_ps(_mm256_loadu_ps(line), index),
                          _mm256_permutevar8x32_ps(_mm256_loadu_ps(line + 8), index),
                          _mm256_castsi256_ps(upper));
}
inline Floats add_interpolated(Floats sum, const float* line, Floats t) {
  const __m256i index = _mm256_cvttps_epi32(t);
  const __m256 fraction = _mm256_sub_ps(t, _mm256_cvtepi32_ps(index));
  const __m256i upper = _mm256_slli_epi32(index, 28);  // bit 3 of the index becomes the sign
  const __m256 a = pick(line, index, upper), b = pick(line + 1, index, upper);
  return _mm256_fmadd_ps(fraction, _mm256_sub_ps(b, a), _mm256_add_ps(sum, a));
}
inline Floats add_gathered(Floats sum, const float* line, Floats t) {
  const __m256i index = _mm256_cvttps_epi32(t);
  const __m256 fraction = _mm256_sub_ps(t, _mm256_cvtepi32_ps(index));
  const __m256 a = _mm256_i32gather_ps(line, index, 4), b = _mm256_i32gather_ps(line + 1, index, 4);
  return _mm256_fmadd_ps(fraction, _mm256_sub_ps(b, a), _mm256_add_ps(sum, a));
}
#else
inline Floats add_gathered(Floats sum, const float* line, Floats t) {
  for (int lane = 0; lane < lanes; ++lane) {
    const int index = static_cast<int>(t[lane]);
    sum[lane] += line[index] + (t[lane] - static_cast<float>(index)) * (line[index + 1] - line[index]);
  }
  return sum;
}
inline Floats add_interpolated(Floats sum, const float* line, Floats t) { return add_gathered(sum, line, t); }
inline Floats add_tight(Floats sum, const float* line, Floats t) { return add_gathered(sum, line, t); }
#endif
