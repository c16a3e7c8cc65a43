// The part of a ray of Joseph's method that has all four neighbours in every plane.
// Included only by simd_kernels.cpp, inside its namespace for the instruction set.

/// Four neighbours' voxels from `line` + `index` on, weighed.
inline Floats weigh_neighbours(const float* line, Ints index, std::ptrdiff_t a_stride,
                               std::ptrdiff_t b_stride, Floats s, Floats t) {
  const auto take = [&](const float* from) {
    Floats value;
    for (int lane = 0; lane < lanes; ++lane) value[lane] = from[index[lane]];
    return value;
  };
  const Floats a = take(line), b = take(line + a_stride), c = take(line + b_stride),
               d = take(line + b_stride + a_stride);
  const Floats low = multiply_add(s, b - a, a), high = multiply_add(s, d - c, c);
  return multiply_add(t, high - low, low);
}

/// Narrows the planes to those in which the ray is between four voxels, with the roundings of
/// sum_along_ray().
inline void narrow_to_inside(RayRun& run) {
  const auto inside = [&](int p) {
    const Floats plane = broadcast(static_cast<float>(p));
    const float a = multiply_add(plane, run.a1, broadcast(run.a0))[0],
                b = multiply_add(plane, run.b1, broadcast(run.b0))[0];
    return a >= 0 && a < static_cast<float>(run.a_last) && b >= static_cast<float>(run.b_first) &&
           b < static_cast<float>(run.b_last);
  };
  // Places rise or fall steadily, however they are rounded: between two planes inside all are.
  while (run.first < run.end && !inside(run.first)) ++run.first;
  while (run.first < run.end && !inside(run.end - 1)) --run.end;
}

float sum_along_ray(RayRun& run) {
  narrow_to_inside(run);
  Floats sum{};
  Ints lane{};
  for (int n = 0; n < lanes; ++n) lane[n] = n;
  for (int p = run.first; p < run.end; p += lanes) {
    const int left = run.end - p;
    const Ints ahead = left < lanes ? (lane < left ? lane : Ints{} + (left - 1)) : lane;
    const Floats plane = __builtin_convertvector(ahead + p, Floats);
    const Floats a = multiply_add(plane, run.a1, broadcast(run.a0)),
                 b = multiply_add(plane, run.b1, broadcast(run.b0));
    const Ints i = __builtin_convertvector(a, Ints), j = __builtin_convertvector(b, Ints);
    const float* const line = run.voxels + (p - run.plane_first) * run.plane_stride + i[0] * run.a_stride +
                              (j[0] - run.b_first) * run.b_stride;
    const Ints index = ahead * static_cast<int>(run.plane_stride) +
                       (i - i[0]) * static_cast<int>(run.a_stride) +
                       (j - j[0]) * static_cast<int>(run.b_stride);
    const Floats value =
        weigh_neighbours(line, index, run.a_stride, run.b_stride, a - __builtin_convertvector(i, Floats),
                         b - __builtin_convertvector(j, Floats));
    sum += left < lanes ? (lane < left ? value : Floats{}) : value;
  }
  float total = 0;
  for (int n = 0; n < lanes; ++n) total += sum[n];
  return total;
}
