#include "io/hdf5/frame_stack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <type_traits>

namespace feldspar::io::hdf5 {
namespace {

constexpr hsize_t most_pixels = 1 << 16, most_frames = 1'000'000;

/// How many of `frames`, from its start, grow by one and the same step; `step` receives it.
std::size_t even_run(std::span<const int> frames, int& step) {
  step = 1;
  if (frames.size() < 2 || frames[1] <= frames[0]) return 1;
  step = frames[1] - frames[0];
  std::size_t count = 2;
  while (count < frames.size() && frames[count] - frames[count - 1] == step) ++count;
  return count;
}

/// Strictly growing frames from the start of `frames`, which one selection can deliver in their order.
std::span<const int> growing_run(std::span<const int> frames) {
  std::size_t count = 1;
  while (count < frames.size() && frames[count] > frames[count - 1]) ++count;
  return frames.first(count);
}

/// Refuses frames that the file cannot hold, before anybody makes room for them: no compression used for
/// projections comes near the limit. Virtual and external frames are elsewhere.
void check_storage(const InputFile& file, const std::string& dataset, hid_t data, double claimed) {
  constexpr double most_compression = 10000;
  const Properties creation(H5Dget_create_plist(data), "asking how frames are stored");
  const H5D_layout_t layout = H5Pget_layout(creation);
  if (layout == H5D_VIRTUAL || (layout == H5D_CONTIGUOUS && H5Pget_external_count(creation) > 0)) return;
  const hsize_t held = H5Dget_storage_size(data);
  if (claimed > most_compression * static_cast<double>(held))
    file.refuse(
        ErrorKind::bad_file,
        fmt::format("{} claims {:.0f} bytes of pixels, but the file holds {} of them; it is incomplete "
                    "or damaged: copy it again",
                    dataset, claimed, held));
}

template <class Count>
void turn_rows(Count* frame, int columns, int rows) {
  const auto width = static_cast<std::ptrdiff_t>(columns);
  for (int low = 0, high = rows - 1; low < high; ++low, --high)
    std::swap_ranges(frame + low * width, frame + (low + 1) * width, frame + high * width);
}

}  // namespace

FrameStack::FrameStack(const InputFile& file, const std::string& dataset, FrameOrder order)
    : data_(file.open(dataset, order.frame, storage_)), order_(order) {
  const Space space(H5Dget_space(data_), "asking for the frames' size");
  dimensions_ = H5Sget_simple_extent_ndims(space);
  if (dimensions_ != 2 && dimensions_ != 3)
    file.refuse(
        ErrorKind::bad_file,
        fmt::format("{} has {} dimensions, but frames x rows x columns were expected", dataset, dimensions_));
  std::array<hsize_t, 3> stored{1, 1, 1};
  if (dimensions_ == 2) order_ = {.frame = 2, .row = 0, .column = 1};
  check(H5Sget_simple_extent_dims(space, stored.data(), nullptr), "asking for the frames' size");
  const hsize_t frames = stored[order_.frame], rows = stored[order_.row], columns = stored[order_.column];
  if (frames < 1 || frames > most_frames || rows < 1 || rows > most_pixels || columns < 1 ||
      columns > most_pixels)
    file.refuse(ErrorKind::bad_file, fmt::format("{} holds {} frames of {} x {} pixels, which is no scan",
                                                 dataset, frames, columns, rows));
  size_ = {static_cast<int>(frames), static_cast<int>(rows), static_cast<int>(columns)};

  const Type type(H5Dget_type(data_), "asking for the frames' type");
  const H5T_class_t kind = H5Tget_class(type);
  if (kind != H5T_INTEGER && kind != H5T_FLOAT)
    file.refuse(ErrorKind::bad_file, fmt::format("{} holds no numbers", dataset));
  check_storage(file, dataset, data_,
                static_cast<double>(frames) * static_cast<double>(rows) * static_cast<double>(columns) *
                    static_cast<double>(H5Tget_size(type)));
  if (kind == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE && H5Tget_size(type) <= 2) {
    type_ = CountType::uint16;
    highest_ = H5Tget_size(type) == 1 ? 255.0f : 65535.0f;
  }
}

std::vector<std::filesystem::path> FrameStack::files() const {
  std::vector<std::filesystem::path> files{file_of(data_)};
  files.insert(files.end(), storage_.files.begin(), storage_.files.end());
  return files;
}

std::vector<int> FrameStack::there() const {
  std::vector<bool> lost(static_cast<std::size_t>(frames()), false);
  for (const Gap& gap : storage_.gaps)
    for (const int frame : gap.indices) lost[static_cast<std::size_t>(frame)] = true;
  std::vector<int> frames;
  for (int frame = 0; frame < this->frames(); ++frame)
    if (!lost[static_cast<std::size_t>(frame)]) frames.push_back(frame);
  return frames;
}

std::string FrameStack::losses() const {
  std::string text;
  for (const Gap& gap : storage_.gaps)
    text += fmt::format("{}frame{} {}, because {}", text.empty() ? "" : "; ",
                        gap.indices.size() > 1 ? "s" : "", listed(gap.indices), gap.why);
  return text;
}

Space FrameStack::select(std::span<const int> frames, const geometry::PixelWindow& window) const {
  Space space(H5Dget_space(data_), "asking for the frames' size");
  std::array<hsize_t, 3> start{}, stride{1, 1, 1}, count{1, 1, 1};
  start[order_.row] = static_cast<hsize_t>(size_[1] - window.rows.end);
  count[order_.row] = static_cast<hsize_t>(window.rows.count());
  start[order_.column] = static_cast<hsize_t>(window.columns.first);
  count[order_.column] = static_cast<hsize_t>(window.columns.count());
  for (bool first = true; !frames.empty(); first = false) {
    int step = 1;
    const std::size_t run = even_run(frames, step);
    start[order_.frame] = static_cast<hsize_t>(frames.front());
    stride[order_.frame] = static_cast<hsize_t>(step);
    count[order_.frame] = run;
    check(H5Sselect_hyperslab(space, first ? H5S_SELECT_SET : H5S_SELECT_OR, start.data(), stride.data(),
                              count.data(), nullptr),
          "choosing pixels");
    frames = frames.subspan(run);
  }
  return space;
}

template <class Count>
void FrameStack::read_as(std::span<const int> frames, const geometry::PixelWindow& window,
                         Count* counts) const {
  const hid_t type = std::is_same_v<Count, float> ? H5T_NATIVE_FLOAT : H5T_NATIVE_UINT16;
  const int rows = window.rows.count(), columns = window.columns.count();
  const auto pixels = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  const hsize_t values = pixels * frames.size();
  const Space memory(H5Screate_simple(1, &values, nullptr), "describing pixels");
  const Space chosen = select(frames, window);
  const bool as_delivered = order_.frame == 0 && order_.row == 1;
  if (as_delivered || dimensions_ == 2) {
    check(H5Dread(data_, type, memory, chosen, H5P_DEFAULT, counts), "reading pixels");
    for (std::size_t n = 0; n < frames.size(); ++n) turn_rows(counts + n * pixels, columns, rows);
    return;
  }
  std::vector<Count> stored(values);
  check(H5Dread(data_, type, memory, chosen, H5P_DEFAULT, stored.data()), "reading pixels");
  std::array<std::size_t, 3> count{}, step{};  // by dimension of the file; steps in what is delivered
  count[order_.frame] = frames.size(), step[order_.frame] = pixels;
  count[order_.row] = static_cast<std::size_t>(rows), step[order_.row] = static_cast<std::size_t>(columns);
  count[order_.column] = static_cast<std::size_t>(columns), step[order_.column] = 1;
  const Count* from = stored.data();
  for (std::size_t a = 0; a < count[0]; ++a)
    for (std::size_t b = 0; b < count[1]; ++b)
      for (std::size_t c = 0; c < count[2]; ++c) counts[a * step[0] + b * step[1] + c * step[2]] = *from++;
  for (std::size_t n = 0; n < frames.size(); ++n) turn_rows(counts + n * pixels, columns, rows);
}

void FrameStack::read(std::span<const int> frames, const geometry::PixelWindow& window, CountType type,
                      void* counts) const {
  expects(window.columns.first >= 0 && window.columns.end <= columns() && window.rows.first >= 0 &&
              window.rows.end <= rows(),
          "FrameStack::read: window outside the detector");
  if (window.columns.empty() || window.rows.empty()) return;
  const auto pixels =
      static_cast<std::size_t>(window.columns.count()) * static_cast<std::size_t>(window.rows.count());
  auto* out = static_cast<std::byte*>(counts);
  while (!frames.empty()) {
    const std::span<const int> run = growing_run(frames);
    expects(run.front() >= 0 && run.back() < this->frames(), "FrameStack::read: no such frame");
    if (type == CountType::uint16)
      read_as(run, window, reinterpret_cast<std::uint16_t*>(out));
    else
      read_as(run, window, reinterpret_cast<float*>(out));
    out += run.size() * pixels * bytes_of(type);
    frames = frames.subspan(run.size());
  }
}

ReferenceFrames FrameStack::as_references(const std::string& kind, bool open_beam) const {
  return {.kind = kind,
          .open_beam = open_beam,
          .columns = columns(),
          .rows = rows(),
          .read =
              [this](std::span<const int> frames, float* counts) {
                read(frames, {{0, columns()}, {0, rows()}}, CountType::float32, counts);
              },
          .name = [](int frame) { return fmt::format("frame {}", frame); },
          .source = files().front().string()};
}

std::vector<std::filesystem::path> files_of(const InputFile& file, const FrameStack& frames) {
  std::vector<std::filesystem::path> files{file.path()};
  for (const std::filesystem::path& each : frames.files()) {
    std::error_code error;
    const bool known = std::any_of(files.begin(), files.end(), [&](const std::filesystem::path& other) {
      return std::filesystem::equivalent(each, other, error);
    });
    if (!known && std::filesystem::exists(each, error)) files.push_back(each);
  }
  return files;
}

}  // namespace feldspar::io::hdf5
