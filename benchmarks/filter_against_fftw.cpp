// The row filter judged by FFTW at every supported length: speed on the same threads, and the error of each
// against FFTW in double precision. FFTW (GPL) is linked into this benchmark only.
//   filter_against_fftw_benchmark [THREADS]      prints a table, then one line of JSON
#include <fftw3.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/filter.hpp"

namespace {

using namespace feldspar;

constexpr int rows_together = 16;  ///< that FFTW transforms with one plan

std::vector<float> ripples(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t n = 0; n < count; ++n) values[n] = 1 + std::sin(0.37f * static_cast<float>(n % 9973));
  return values;
}

/// FFTW's filter of rows on one thread: pad, transform, multiply, transform back, in single precision.
class FftwFilter {
 public:
  explicit FftwFilter(int columns) : columns_(columns), length_(kernels::ramp_length(columns)) {
    const int half = length_ / 2 + 1;
    rows_ = fftwf_alloc_real(static_cast<std::size_t>(length_) * rows_together);
    spectra_ = fftwf_alloc_complex(static_cast<std::size_t>(half) * rows_together);
    forward_ = fftwf_plan_many_dft_r2c(1, &length_, rows_together, rows_, nullptr, 1, length_, spectra_,
                                       nullptr, 1, half, FFTW_MEASURE);
    backward_ = fftwf_plan_many_dft_c2r(1, &length_, rows_together, spectra_, nullptr, 1, half, rows_,
                                        nullptr, 1, length_, FFTW_MEASURE);
    for (const double r : kernels::ramp_response(length_, {}))
      response_.push_back(static_cast<float>(r / length_));
  }
  FftwFilter(const FftwFilter&) = delete;
  FftwFilter& operator=(const FftwFilter&) = delete;
  ~FftwFilter() {
    fftwf_destroy_plan(forward_), fftwf_destroy_plan(backward_);
    fftwf_free(rows_), fftwf_free(spectra_);
  }

  /// `count` rows, a multiple of rows_together, in place.
  void apply(float* rows, int count) const {
    for (int first = 0; first < count;
         first += rows_together, rows += std::ptrdiff_t{columns_} * rows_together) {
      for (int row = 0; row < rows_together; ++row) {
        float* const padded = rows_ + std::ptrdiff_t{row} * length_;
        std::memcpy(padded, rows + std::ptrdiff_t{row} * columns_, sizeof(float) * columns_);
        std::memset(padded + columns_, 0, sizeof(float) * (length_ - columns_));
      }
      fftwf_execute(forward_);
      fftwf_complex* spectrum = spectra_;
      for (int row = 0; row < rows_together; ++row)
        for (const float r : response_) (*spectrum)[0] *= r, (*spectrum)[1] *= r, ++spectrum;
      fftwf_execute(backward_);
      for (int row = 0; row < rows_together; ++row)
        std::memcpy(rows + std::ptrdiff_t{row} * columns_, rows_ + std::ptrdiff_t{row} * length_,
                    sizeof(float) * columns_);
    }
  }

 private:
  int columns_, length_;
  float* rows_;
  fftwf_complex* spectra_;
  fftwf_plan forward_, backward_;
  std::vector<float> response_;
};

/// One row, by FFTW in double precision.
std::vector<double> exact_row(const float* row, int columns) {
  const int length = kernels::ramp_length(columns);
  std::vector<double> padded(static_cast<std::size_t>(length));
  std::copy(row, row + columns, padded.begin());
  std::vector<fftw_complex> spectrum(static_cast<std::size_t>(length / 2 + 1));
  const fftw_plan forward = fftw_plan_dft_r2c_1d(length, padded.data(), spectrum.data(), FFTW_ESTIMATE),
                  backward = fftw_plan_dft_c2r_1d(length, spectrum.data(), padded.data(), FFTW_ESTIMATE);
  fftw_execute(forward);
  const std::vector<double> response = kernels::ramp_response(length, {});
  for (std::size_t k = 0; k < response.size(); ++k)
    spectrum[k][0] *= response[k] / length, spectrum[k][1] *= response[k] / length;
  fftw_execute(backward);
  fftw_destroy_plan(forward), fftw_destroy_plan(backward);
  return padded;
}

/// Of the first rows against the exact ones: root mean square error over root mean square.
double error_of(const std::vector<float>& result, const std::vector<float>& input, int columns) {
  double error = 0, power = 0;
  for (int row = 0; row < rows_together; ++row) {
    const std::size_t first = static_cast<std::size_t>(row) * columns;
    const std::vector<double> exact = exact_row(input.data() + first, columns);
    for (std::size_t n = 0; n < static_cast<std::size_t>(columns); ++n) {
      error += (result[first + n] - exact[n]) * (result[first + n] - exact[n]);
      power += exact[n] * exact[n];
    }
  }
  return std::sqrt(error / power);
}

/// The least of five runs, in seconds.
template <class Run>
double seconds_of(Run run) {
  double least = 1e30;
  for (int n = 0; n < 5; ++n) {
    const auto start = std::chrono::steady_clock::now();
    run();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

struct Result {
  int columns, length;
  double mpixel, fftw_mpixel, error, fftw_error;
};

Result judge(int columns, int threads) {
  const int share = std::max(1, (1 << 22) / columns / rows_together / threads) * rows_together;
  const int rows = share * threads;
  const std::vector<float> input = ripples(static_cast<std::size_t>(rows) * columns);
  const double pixels = 1e-6 * columns * rows;
  Result result{columns, kernels::ramp_length(columns), 0, 0, 0, 0};

  const auto backend = kernels::open_backend("cpu", {.threads = threads, .budget = nullptr});
  const auto filter = backend->make_filter({.columns = columns, .ramp = {}});
  const std::vector<kernels::FdkWeight> one{
      {.ray = {0, 1, 0}, .column_step = {}, .row_step = {}, .to_axis = {0, 1, 0}, .scale = 1}};
  std::vector<float> stack = input;
  const kernels::DeviceView3<float> view{stack.data(), columns, rows, 1};
  filter->apply(one, {}, 0, view);
  result.error = error_of(stack, input, columns);
  result.mpixel = pixels / seconds_of([&] { filter->apply(one, {}, 0, view); });

  std::vector<std::unique_ptr<FftwFilter>> filters;
  for (int n = 0; n < threads; ++n) filters.push_back(std::make_unique<FftwFilter>(columns));
  const auto run_fftw = [&] {
    std::vector<std::jthread> workers;
    for (int n = 0; n < threads; ++n)
      workers.emplace_back([&, n] {
        filters[static_cast<std::size_t>(n)]->apply(stack.data() + std::ptrdiff_t{n} * share * columns,
                                                    share);
      });
  };
  stack = input;
  run_fftw();
  result.fftw_error = error_of(stack, input, columns);
  result.fftw_mpixel = pixels / seconds_of(run_fftw);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads =
      argc > 1 ? std::max(1, std::atoi(argv[1])) : static_cast<int>(std::thread::hardware_concurrency());
  fmt::print("Ramp filter of rows, {} threads: Mpixel/s, and error relative to FFTW in double precision\n",
             threads);
  fmt::print("{:>8}{:>8}{:>11}{:>11}{:>8}{:>13}{:>13}\n", "columns", "length", "feldspar", "FFTW", "ratio",
             "error", "error FFTW");
  std::string json;
  for (int columns = 8; columns <= 32768; columns *= 2) {
    const Result r = judge(columns, threads);
    fmt::print("{:>8}{:>8}{:>11.0f}{:>11.0f}{:>8.2f}{:>13.2e}{:>13.2e}\n", r.columns, r.length, r.mpixel,
               r.fftw_mpixel, r.mpixel / r.fftw_mpixel, r.error, r.fftw_error);
    json += fmt::format(
        R"({}{{"columns":{},"length":{},"mpixel_per_s":{:.1f},"fftw_mpixel_per_s":{:.1f},"error":{:.3e},"fftw_error":{:.3e}}})",
        json.empty() ? "" : ",", r.columns, r.length, r.mpixel, r.fftw_mpixel, r.error, r.fftw_error);
  }
  fmt::print("{{\"case\":\"filter against FFTW\",\"threads\":{},\"lengths\":[{}]}}\n", threads, json);
}
