// The messages of the HDF5 library.
#include "io/hdf5/handle.hpp"

#include <fmt/format.h>

#include <atomic>
#include <string_view>

namespace feldspar::io::hdf5 {
namespace {

/// The walk goes upward, so the first error met is the innermost.
herr_t keep_first(unsigned, const H5E_error2_t* error, void* text) {
  auto& first = *static_cast<std::string*>(text);
  if (first.empty() && error->desc) first = error->desc;
  return 0;
}

/// What the system said, where the library quotes it among the details of a read or write.
std::string quoted_in(const std::string& reason) {
  constexpr std::string_view mark = "error message = '";
  const std::size_t start = reason.find(mark);
  if (start == std::string::npos) return reason;
  const std::size_t end = reason.find('\'', start + mark.size());
  return reason.substr(start + mark.size(), end - start - mark.size());
}

std::atomic<long> closings_that_failed{0};

}  // namespace

long failed_closings() noexcept { return closings_that_failed; }
void note_failed_closing() noexcept { ++closings_that_failed; }

void silence() noexcept {
  // A file that could not be closed stays in the library's tables, and its own clean-up at the end of the
  // process would crash on it.
  static const bool no_clean_up = H5dont_atexit() >= 0;
  (void)no_clean_up;
  thread_local const bool silent = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  (void)silent;
}

void fail(const std::string& what) {
  std::string reason;
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
  (void)H5Eclear2(H5E_DEFAULT);
  throw Failure(reason.empty() ? what : what + ": " + quoted_in(reason));
}

std::filesystem::path file_of(hid_t object) {
  const ssize_t length = check(H5Fget_name(object, nullptr, 0), "asking for a file's name");
  std::string name(static_cast<std::size_t>(length) + 1, '\0');
  check(H5Fget_name(object, name.data(), name.size()), "asking for a file's name");
  name.resize(static_cast<std::size_t>(length));
  return name;
}

Dataset open_dataset(hid_t place, const char* name, const char* what) {
  // External files lie beside the file that names them, not where the program happens to run.
  const Properties access(H5Pcreate(H5P_DATASET_ACCESS), what);
  check(H5Pset_efile_prefix(access, "${ORIGIN}"), what);
  // Of numbered sources the library stops at the first that is missing, so that the rest would not be missed.
  constexpr hsize_t widest_gap = 1000;
  check(H5Pset_virtual_printf_gap(access, widest_gap), what);
  Dataset dataset(H5Dopen2(place, name, access), what);
  const Properties creation(H5Dget_create_plist(dataset), what);
  const H5D_layout_t layout = H5Pget_layout(creation);
  const hsize_t held = H5Dget_storage_size(dataset);
  const bool never_written = layout == H5D_CONTIGUOUS && held == 0;
  const bool in_one_piece =
      layout == H5D_COMPACT || (layout == H5D_CONTIGUOUS && H5Pget_external_count(creation) == 0);
  if (never_written || !in_one_piece) return dataset;
  const Type type(H5Dget_type(dataset), what);
  const Space space(H5Dget_space(dataset), what);
  const double needed = static_cast<double>(check(H5Sget_simple_extent_npoints(space), what)) *
                        static_cast<double>(H5Tget_size(type));
  if (static_cast<double>(held) < needed)
    throw Failure(fmt::format("{}: {} is damaged: it holds {} bytes of the {:.0f} that its values need", what,
                              name, held, needed));
  return dataset;
}

}  // namespace feldspar::io::hdf5
