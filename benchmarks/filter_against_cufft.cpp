// The CUDA backend's row filter judged by NVIDIA's cuFFT at every supported length: speed on one device, and
// how far the two differ. cuFFT is looked for when the benchmark starts, so that nothing has to carry it
// along.
//   filter_against_cufft_benchmark [DEVICE]      prints a table, then one line of JSON
// Exit code 1: they differ by more than rounding; 77: no device, or no cuFFT to judge by.
#include <cufft.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/resources.hpp"
#include "kernels/filter.hpp"

void scale_spectra(cufftComplex* spectra, const float* response, int bins, int rows);

namespace {

using namespace feldspar;
using kernels::cuda::check;

/// The functions of cuFFT, of whichever version can be loaded.
class Cufft {
 public:
  /// Null where there is none.
  [[nodiscard]] static const Cufft* load() {
    static Cufft loaded;
    for (const char* const name : {"libcufft.so.12", "libcufft.so.11", "libcufft.so.10", "libcufft.so"})
      if (void* const library = dlopen(name, RTLD_NOW)) {
        loaded.find(library, "cufftPlanMany", loaded.plan_many_);
        loaded.find(library, "cufftDestroy", loaded.destroy_);
        loaded.find(library, "cufftExecR2C", loaded.forward_);
        loaded.find(library, "cufftExecC2R", loaded.backward_);
        return &loaded;
      }
    return nullptr;
  }

  [[nodiscard]] cufftHandle plan(int length, int rows, cufftType type) const {
    cufftHandle handle{};
    succeeded(plan_many_(&handle, 1, &length, nullptr, 1, 0, nullptr, 1, 0, type, rows), "cufftPlanMany");
    return handle;
  }
  void destroy(cufftHandle handle) const { (void)destroy_(handle); }
  void forward(cufftHandle handle, float* rows, cufftComplex* spectra) const {
    succeeded(forward_(handle, rows, spectra), "cufftExecR2C");
  }
  void backward(cufftHandle handle, cufftComplex* spectra, float* rows) const {
    succeeded(backward_(handle, spectra, rows), "cufftExecC2R");
  }

 private:
  template <class Function>
  static void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (!function) throw Error(ErrorKind::device, fmt::format("cuFFT has no function {}", name));
  }
  static void succeeded(cufftResult result, const char* call) {
    if (result != CUFFT_SUCCESS)
      throw Error(ErrorKind::device, fmt::format("{} failed with code {}", call, static_cast<int>(result)));
  }

  decltype(&cufftPlanMany) plan_many_ = nullptr;
  decltype(&cufftDestroy) destroy_ = nullptr;
  decltype(&cufftExecR2C) forward_ = nullptr;
  decltype(&cufftExecC2R) backward_ = nullptr;
};

/// Memory of the device with a copy of `values`, or so many zeros.
class OnDevice {
 public:
  OnDevice(const kernels::cuda::Queue& queue, const std::vector<float>& values)
      : OnDevice(queue, values.size()) {
    check(cudaMemcpy(memory_.data(), values.data(), memory_.bytes(), cudaMemcpyHostToDevice), "cudaMemcpy");
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");  // a queue does not wait for the default stream
  }
  OnDevice(const kernels::cuda::Queue& queue, std::size_t floats)
      : memory_(queue, floats * sizeof(float), "a row filter") {
    check(cudaMemset(memory_.data(), 0, memory_.bytes()), "cudaMemset");
  }
  [[nodiscard]] float* data() const { return memory_.as<float>(); }

 private:
  kernels::cuda::DeviceMemory memory_;
};

/// cuFFT's filter of rows: pad, transform, multiply, transform back, in single precision.
class CufftFilter {
 public:
  CufftFilter(const Cufft& cufft, const kernels::cuda::Queue& queue, int columns, int rows)
      : cufft_(cufft),
        columns_(columns),
        rows_(rows),
        length_(kernels::ramp_length(columns)),
        padded_(queue, static_cast<std::size_t>(length_) * rows),
        spectra_(queue, static_cast<std::size_t>(length_ + 2) * rows),
        response_(queue, scaled_response(length_)),
        forward_(cufft.plan(length_, rows, CUFFT_R2C)),
        backward_(cufft.plan(length_, rows, CUFFT_C2R)) {}
  CufftFilter(const CufftFilter&) = delete;
  CufftFilter& operator=(const CufftFilter&) = delete;
  ~CufftFilter() { cufft_.destroy(forward_), cufft_.destroy(backward_); }

  /// In place, and waits.
  void apply(float* rows) const {
    const std::size_t row = sizeof(float) * columns_, stride = sizeof(float) * length_;
    auto* const spectra = reinterpret_cast<cufftComplex*>(spectra_.data());
    check(cudaMemset2DAsync(padded_.data() + columns_, stride, 0, stride - row, rows_), "cudaMemset2DAsync");
    check(cudaMemcpy2DAsync(padded_.data(), stride, rows, row, row, rows_, cudaMemcpyDeviceToDevice),
          "cudaMemcpy2DAsync");
    cufft_.forward(forward_, padded_.data(), spectra);
    scale_spectra(spectra, response_.data(), length_ / 2 + 1, rows_);
    check(cudaGetLastError(), "the kernel between the transforms");
    cufft_.backward(backward_, spectra, padded_.data());
    check(cudaMemcpy2DAsync(rows, row, padded_.data(), stride, row, rows_, cudaMemcpyDeviceToDevice),
          "cudaMemcpy2DAsync");
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  }

 private:
  static std::vector<float> scaled_response(int length) {
    std::vector<float> scaled;
    for (const double r : kernels::ramp_response(length, {}))
      scaled.push_back(static_cast<float>(r / length));
    return scaled;
  }

  const Cufft& cufft_;
  int columns_, rows_, length_;
  OnDevice padded_, spectra_, response_;
  cufftHandle forward_, backward_;
};

std::vector<float> ripples(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t n = 0; n < count; ++n) values[n] = 1 + std::sin(0.37f * static_cast<float>(n % 9973));
  return values;
}

/// Root mean square difference over root mean square; infinite when a value is not finite.
double difference(const std::vector<float>& values, const std::vector<float>& judge) {
  double error = 0, power = 0;
  for (std::size_t n = 0; n < values.size(); ++n) {
    error += std::pow(double{values[n]} - judge[n], 2);
    power += std::pow(double{judge[n]}, 2);
  }
  const double relative = std::sqrt(error / power);
  return std::isfinite(relative) ? relative : std::numeric_limits<double>::infinity();
}

/// The least of five runs, in seconds.
template <class Run>
double seconds_of(Run run) {
  double least = std::numeric_limits<double>::infinity();
  for (int n = 0; n < 5; ++n) {
    const auto start = std::chrono::steady_clock::now();
    run();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

struct Result {
  int columns, length;
  double mpixel, cufft_mpixel, difference;
};

Result judge(const Cufft& cufft, int device, int columns) {
  const int rows = std::max(64, (1 << 24) / columns);
  const std::vector<float> input = ripples(static_cast<std::size_t>(rows) * columns);
  std::vector<float> fused(input.size()), judged(input.size());
  const double pixels = 1e-6 * columns * rows;
  const auto backend = kernels::open_cuda(device);
  const kernels::cuda::Queue queue(device, 0);  // makes the device the thread's current one
  const OnDevice stack(queue, input);
  const auto download = [&](std::vector<float>& to) {
    check(cudaMemcpy(to.data(), stack.data(), to.size() * sizeof(float), cudaMemcpyDeviceToHost),
          "cudaMemcpy");
  };

  const auto filter = backend->make_filter({.columns = columns, .ramp = {}});
  const std::vector<kernels::FdkWeight> one{
      {.ray = {0, 1, 0}, .column_step = {}, .row_step = {}, .to_axis = {0, 1, 0}, .scale = 1}};
  const auto run_fused = [&] {
    filter->apply(one, {}, 0, {stack.data(), columns, rows, 1});
    backend->wait();
  };
  run_fused();
  download(fused);
  Result result{columns, kernels::ramp_length(columns), pixels / seconds_of(run_fused), 0, 0};

  const CufftFilter reference(cufft, queue, columns, rows);
  const auto run_cufft = [&] { reference.apply(stack.data()); };
  check(cudaMemcpy(stack.data(), input.data(), input.size() * sizeof(float), cudaMemcpyHostToDevice),
        "cudaMemcpy");
  run_cufft();
  download(judged);
  result.cufft_mpixel = pixels / seconds_of(run_cufft);
  result.difference = difference(fused, judged);
  return result;
}

int run(int device) {
  const std::vector<kernels::DeviceInfo> devices = kernels::cuda_devices();
  if (device < 0 || static_cast<std::size_t>(device) >= devices.size() ||
      !devices[static_cast<std::size_t>(device)].unavailable.empty()) {
    fmt::print("needs a CUDA device: {}\n",
               devices.front().unavailable.empty() ? "there is no such one" : devices.front().unavailable);
    return 77;
  }
  const Cufft* const cufft = Cufft::load();
  if (!cufft) {
    fmt::print("needs cuFFT: libcufft.so is not where libraries are looked for (LD_LIBRARY_PATH)\n");
    return 77;
  }
  fmt::print("Ramp filter of rows on cuda:{}: Mpixel/s, and their difference over the values, RMS\n", device);
  fmt::print("{:>8}{:>8}{:>11}{:>11}{:>8}{:>13}\n", "columns", "length", "feldspar", "cuFFT", "ratio",
             "difference");
  std::string json;
  bool agrees = true;
  for (const int columns : {64, 256, 512, 1000, 1024, 2000, 2048, 4000, 8192, 16384, 32768}) {
    const Result r = judge(*cufft, device, columns);
    fmt::print("{:>8}{:>8}{:>11.0f}{:>11.0f}{:>8.2f}{:>13.2e}\n", r.columns, r.length, r.mpixel,
               r.cufft_mpixel, r.mpixel / r.cufft_mpixel, r.difference);
    json += fmt::format(
        R"({}{{"columns":{},"length":{},"mpixel_per_s":{:.1f},"cufft_mpixel_per_s":{:.1f},"difference":{:.3e}}})",
        json.empty() ? "" : ",", r.columns, r.length, r.mpixel, r.cufft_mpixel, r.difference);
    // Each rounds by up to 2^-24 in every of 2 log2(length) stages and in the product with the response; the
    // ripples' steady part, which the ramp takes away, is some ten times what is left.
    agrees = agrees && r.difference <= 10 * 2 * (2 * std::log2(r.length) + 1) * 0x1p-24;
  }
  fmt::print("{{\"case\":\"filter against cuFFT\",\"device\":\"cuda:{}\",\"agrees\":{},\"lengths\":[{}]}}\n",
             device, agrees, json);
  return agrees ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
  return run(argc > 1 ? std::atoi(argv[1]) : 0);
} catch (const std::exception& error) {
  fmt::print(stderr, "filter_against_cufft_benchmark: {}\n", error.what());
  return 1;
}
