// The inner loops for one instruction set: compiled once for each, with its flags and its name in
// FELDSPAR_SIMD (see CMakeLists.txt). Everything has internal linkage but the table at the end.
#include "kernels/cpu/simd.hpp"

#include <utility>

#include "kernels/shared/cubic_weights.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define FELDSPAR_TEXT_OF(name) #name
#define FELDSPAR_TEXT(name) FELDSPAR_TEXT_OF(name)
#define FELDSPAR_JOIN_OF(a, b) a##b
#define FELDSPAR_JOIN(a, b) FELDSPAR_JOIN_OF(a, b)

namespace feldspar::kernels::cpu {
namespace {

#include "kernels/cpu/lanes.hpp"

#include "kernels/cpu/column_kernel.hpp"
#include "kernels/cpu/line_integrals.hpp"
#include "kernels/cpu/merge_kernel.hpp"
#include "kernels/cpu/ray_kernel.hpp"
#include "kernels/cpu/row_filter.hpp"
#include "kernels/cpu/tile_transfer.hpp"

}  // namespace

extern const SimdKernels FELDSPAR_JOIN(simd_, FELDSPAR_SIMD);
const SimdKernels FELDSPAR_JOIN(simd_, FELDSPAR_SIMD) = {.name = FELDSPAR_TEXT(FELDSPAR_SIMD),
                                                         .lanes = lanes,
                                                         .load_sums = load_sums,
                                                         .save_sums = save_sums,
                                                         .back_project_tile = back_project_tile,
                                                         .merge_views = merge_views,
                                                         .filter_rows = filter_rows,
                                                         .line_integrals_u16 = line_integrals_u16,
                                                         .line_integrals_f32 = line_integrals_f32,
                                                         .sum_along_ray = sum_along_ray};

}  // namespace feldspar::kernels::cpu
