// Reconstructs a scan (a Nikon folder, a .txrm, an NXtomo file ...) as `feldspar recon` does, and says
// whether the volume can be trusted.
//   reconstruct SCAN OUT.h5
#include <cstdio>
#include <exception>
#include <feldspar/base/error.hpp>
#include <feldspar/run/reconstruct.hpp>

int main(int count, char** words) {
  if (count != 3) return std::fputs("usage: reconstruct SCAN OUT.h5\n", stderr), 2;
  feldspar::run::Request request;
  request.scan = words[1];
  request.output = words[2];
  request.axis_offset = feldspar::run::From::search;  // --axis-offset auto
  request.cut_to_object = true;                       // --roi auto
  const auto progress = [] {
    return [](double done, std::string_view stage) {
      std::fprintf(stderr, "\r%3.0f %% %-24.*s", 100 * done, static_cast<int>(stage.size()), stage.data());
      return true;  // false stops the run
    };
  };
  try {
    const auto made = feldspar::run::reconstruct(request, {.overwrite = true, .watch = progress});
    const auto& plan = made.work->plan;
    std::printf("\naxis %+.4f mm (%s), %d x %d x %d voxels of %.4f mm\n", plan.axis.offset,
                plan.axis_from.c_str(), plan.grid.nx, plan.grid.ny, plan.grid.nz, plan.grid.spacing.x);
    std::printf("%s %s\n", made.verdict->word(), made.verdict->reasons().c_str());
    return made.verdict->failed() ? 9 : 0;
  } catch (const feldspar::Error& error) {
    std::fprintf(stderr, "\n%s\n", error.what());
    return static_cast<int>(error.kind());
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "\n%s\n", error.what()), 1;
  }
}
