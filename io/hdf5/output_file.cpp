#include "io/hdf5/output_file.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include <chrono>
#include <cstring>
#include <new>

#include "io/hdf5/layout.hpp"
#include "io/hdf5/text.hpp"

namespace feldspar::io::hdf5 {
namespace {

/// The driver's view of an open file; the library knows the first member only.
struct Driven {
  H5FD_t known;
  PartialFile* partial;
  haddr_t allocated;
};
PartialFile& partial_of(const H5FD_t* file) { return *reinterpret_cast<const Driven*>(file)->partial; }

hid_t driver();

H5FD_t* open_driven(const char*, unsigned flags, hid_t access, haddr_t) {
  const auto* const partial = static_cast<PartialFile* const*>(H5Pget_driver_info(access));
  auto* const file = new (std::nothrow) Driven{};
  if (!partial || !file) return nullptr;
  file->partial = *partial;
  if ((flags & H5F_ACC_TRUNC) != 0) file->partial->resize(0);
  return &file->known;
}
herr_t close_driven(H5FD_t* file) {
  delete reinterpret_cast<Driven*>(file);
  return 0;
}
herr_t query(const H5FD_t*, unsigned long* flags) {
  if (flags)
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}
haddr_t allocated(const H5FD_t* file, H5FD_mem_t) { return reinterpret_cast<const Driven*>(file)->allocated; }
herr_t allocate(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  reinterpret_cast<Driven*>(file)->allocated = address;
  return 0;
}
haddr_t end_of(const H5FD_t* file, H5FD_mem_t) { return partial_of(file).size(); }
herr_t read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, std::size_t size, void* bytes) {
  return partial_of(file).read(address, bytes, size) ? 0 : -1;
}
herr_t write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, std::size_t size, const void* bytes) {
  partial_of(file).write(address, bytes, size);
  return 0;
}
herr_t truncate(H5FD_t* file, hid_t, hbool_t) {
  const haddr_t wanted = reinterpret_cast<const Driven*>(file)->allocated;
  if (partial_of(file).size() != wanted) partial_of(file).resize(wanted);
  return 0;
}

H5FD_class_t driver_class() {
  H5FD_class_t about{};
#if H5_VERSION_GE(1, 13, 0)
  about.version = H5FD_CLASS_VERSION;
  about.value = H5_VFD_RESERVED + 190;  // any that no registered driver has
#endif
  about.name = "feldspar";
  about.maxaddr = HADDR_MAX;
  about.fc_degree = H5F_CLOSE_SEMI;        // closing the file fails while an object of it is open
  about.fapl_size = sizeof(PartialFile*);  // NOLINT(bugprone-sizeof-expression): the pointer is handed on
  about.open = open_driven, about.close = close_driven;
  about.query = query;
  about.get_eoa = allocated, about.set_eoa = allocate, about.get_eof = end_of;
  about.read = read, about.write = write, about.truncate = truncate;
  for (H5FD_mem_t& kind : about.fl_map) kind = H5FD_MEM_SUPER;
  about.fl_map[H5FD_MEM_DRAW] = about.fl_map[H5FD_MEM_GHEAP] = H5FD_MEM_DRAW;
  return about;
}

hid_t driver() {
  static const H5FD_class_t about = driver_class();
  static const hid_t id = check(H5FDregister(&about), "registering the driver of the file");
  return id;
}

}  // namespace

OutputFile::OutputFile(PartialFile& partial, bool fresh)
    : partial_(&partial), failed_closings_(failed_closings()) {
  const Properties access(H5Pcreate(H5P_FILE_ACCESS), "making file properties");
  hdf5::check(H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST),
              "choosing the oldest format");
  PartialFile* const target = &partial;
  hdf5::check(H5Pset_driver(access, driver(), static_cast<const void*>(&target)),
              "choosing the driver of the file");
  const char* const name = partial.temporary_path().c_str();
  file_ = fresh ? File(H5Fcreate(name, H5F_ACC_TRUNC, H5P_DEFAULT, access), "making the file")
                : File(H5Fopen(name, H5F_ACC_RDWR, access), "opening the file");
}

OutputFile OutputFile::create(PartialFile& partial) { return {partial, true}; }
OutputFile OutputFile::reopen(PartialFile& partial) { return {partial, false}; }

void OutputFile::check() const {
  if (partial_ && partial_->error() != 0) throw Failure(std::strerror(partial_->error()));
}

void OutputFile::close() {
  hdf5::check(H5Fflush(file_, H5F_SCOPE_LOCAL), "writing the last of it");
  file_.close("closing the file");
  check();
  if (failed_closings() != failed_closings_) throw Failure("an object of it could not be closed");
}

void put_root_attributes(hid_t file) {
  put_attribute(file, "NX_class", "NXroot");
  put_attribute(file, "default", layout::entry);
  put_attribute(file, "creator", "feldspar");
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  put_attribute(file, "file_time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now)));
}

void put_verification(PartialFile& partial, const Record& found) {
  OutputFile file = OutputFile::reopen(partial);
  {
    const Group entry(H5Gopen2(file, layout::entry, H5P_DEFAULT), "opening the entry");
    put_record(make_group(entry, layout::verification, "NXcollection"), found);
  }
  file.close();
}

}  // namespace feldspar::io::hdf5
