// A libcufft.so.11 for ASTRA where only version 12 is installed: cuFFT is too large to carry, and the five
// functions that ASTRA calls have not changed. Built by scripts/bundle --peers; no part of the program.
#include <dlfcn.h>
#include <stddef.h>

#define FAILED 5  // CUFFT_INTERNAL_ERROR

static void *find(const char *name) {
  static void *library;
  if (!library) library = dlopen("libcufft.so.12", RTLD_NOW | RTLD_GLOBAL);
  return library ? dlsym(library, name) : NULL;
}

#define FORWARD(name, parameters, arguments)      \
  int name parameters {                           \
    int(*const target) parameters = find(#name);  \
    return target ? target arguments : FAILED;    \
  }

FORWARD(cufftPlan1d, (int *plan, int size, int type, int batch), (plan, size, type, batch))
FORWARD(cufftDestroy, (int plan), (plan))
FORWARD(cufftSetStream, (int plan, void *stream), (plan, stream))
FORWARD(cufftExecR2C, (int plan, float *in, void *out), (plan, in, out))
FORWARD(cufftExecC2R, (int plan, void *in, float *out), (plan, in, out))
