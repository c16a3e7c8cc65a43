// Marks functions that run on the host and on a CUDA device. Headers in this folder are C++17, include
// no CUDA header and allocate nothing, so that tests without a GPU can run the kernels' own arithmetic.
#pragma once

#ifdef __CUDACC__
#define FELDSPAR_HOST_DEVICE __host__ __device__
#else
#define FELDSPAR_HOST_DEVICE
#endif

#ifdef __CUDA_ARCH__
#define FELDSPAR_UNROLL _Pragma("unroll")  ///< before loops over arrays that must stay in registers
#else
#define FELDSPAR_UNROLL
#endif
