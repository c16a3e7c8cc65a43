// References as the file has them, then their scaling by exposure.
#include "io/zeiss/txrm_references.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <optional>
#include <system_error>

#include "base/error.hpp"
#include "io/reference_frames.hpp"
#include "io/zeiss/compound_layout.hpp"

namespace feldspar::io::zeiss {
namespace {

constexpr int most_references = 10000;
constexpr float level_of_corrected = 60000;  // transmissions become counts of this white level

/// References as they lie in one folder of the file.
struct Found {
  std::vector<float> image;
  std::optional<double> exposure_s;
};

/// The pixels of a reference below `folder`, empty for a file's own images; the type is stated or follows
/// from the size.
std::vector<float> read_image(const CompoundFile& file, const TxrmHeader& header, const std::string& folder,
                              const CompoundFile::Stream& stream) {
  const Values values(file);
  const auto pixels = static_cast<std::size_t>(header.columns) * static_cast<std::size_t>(header.rows);
  const std::string within = folder.empty() ? "" : folder + "/";
  auto type = values.integer(within + "DataType");
  if (!type) type = values.integer(within + "ImageInfo/DataType");
  if (!type && stream.size == 2 * pixels) type = static_cast<int>(PixelType::uint16);
  if (!type && stream.size == 4 * pixels) type = static_cast<int>(PixelType::float32);
  const int width = values.integer(within + "ImageInfo/ImageWidth").value_or(header.columns);
  const int height = values.integer(within + "ImageInfo/ImageHeight").value_or(header.rows);
  const bool wide = type == static_cast<int>(PixelType::float32);
  if (!wide && type != static_cast<int>(PixelType::uint16))
    throw Error(ErrorKind::unsupported,
                fmt::format("{}: {}DataType is {}, but 5 (uint16) or 10 (float32) was expected",
                            file.path().string(), within, type ? name_of_data_type(*type) : "absent"),
                {{"white-level", "", "give the open beam's counts with"}});
  if (width != header.columns || height != header.rows || stream.size != pixels * (wide ? 4 : 2))
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: the reference {} is {} x {} pixels in {} bytes, but the images are {} x {}",
                            file.path().string(), stream.path, width, height, stream.size, header.columns,
                            header.rows),
                {{"white-level", "", "give the open beam's counts with"}});
  const auto raw = file.read_all(stream, stream.size);
  std::vector<float> image(pixels);
  if (wide)
    std::memcpy(image.data(), raw.data(), raw.size());
  else
    for (std::size_t n = 0; n < pixels; ++n) image[n] = cfb::get<std::uint16_t>(raw.data(), 2 * n);
  return image;
}

std::optional<double> exposure_of(const CompoundFile& file, const std::string& folder) {
  const auto value = Values(file).number_of(
      {folder + "/ExpTime", folder + "/ImageInfo/ExpTimes", folder + "/ImageInfo/ExpTime"});
  return value && std::isfinite(*value) && *value > 0 ? value : std::nullopt;
}

std::optional<Found> single_reference(const CompoundFile& file, const TxrmHeader& header) {
  const CompoundFile::Stream* const stream = file.find("ReferenceData/Image");
  if (!stream) return std::nullopt;
  return Found{read_image(file, header, "ReferenceData", *stream), exposure_of(file, "ReferenceData")};
}

/// The mean of the `count` references that `read` reads, the first is 1, without those that are unlike the
/// others.
std::vector<float> mean_of(const TxrmHeader& header, int count,
                           const std::function<std::vector<float>(int number)>& read,
                           const std::function<std::string(int number)>& name, Findings& findings) {
  const auto pixels = static_cast<std::size_t>(header.columns) * static_cast<std::size_t>(header.rows);
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 1);
  const ReferenceFrames frames{.kind = "references",
                               .open_beam = true,
                               .columns = header.columns,
                               .rows = header.rows,
                               .read =
                                   [&](std::span<const int> numbers, float* counts) {
                                     for (const int number : numbers) {
                                       const std::vector<float> image = read(number);
                                       counts = std::copy_n(image.begin(), pixels, counts);
                                     }
                                   },
                               .name = name,
                               .source = header.path.string()};
  return means_of(frames, {all}, findings)[0].counts;
}

std::optional<Found> mean_reference(const CompoundFile& file, const TxrmHeader& header, int& count,
                                    Findings& findings) {
  const auto place = [](int n) { return fmt::format("MultiReferenceData/Image{}", n); };
  for (count = 0; count < most_references && file.find(place(count + 1));) ++count;
  if (count == 0) return std::nullopt;
  const auto read = [&](int n) {
    return read_image(file, header, "MultiReferenceData", *file.find(place(n)));
  };
  return Found{mean_of(header, count, read, place, findings), exposure_of(file, "MultiReferenceData")};
}

bool known_exposures(const TxrmHeader& header) {
  const auto& times = header.exposures_s;
  return !times.empty() && *std::min_element(times.begin(), times.end()) > 0;
}

/// The last part of a name with the separators of Windows or our own.
std::string last_part(const std::string& name) { return name.substr(name.find_last_of("\\/") + 1); }

/// A file of that name beside the scan, in letters of either case; empty when there is none.
std::filesystem::path beside(const std::filesystem::path& scan, const std::string& name) {
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  };
  const std::filesystem::path folder = scan.has_parent_path() ? scan.parent_path() : ".";
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (lower(entry->path().filename().string()) == lower(name) &&
        !std::filesystem::equivalent(entry->path(), scan, error))
      return entry->path();
  return {};
}

/// The mean of the images of the file that the scan names as its reference.
std::optional<Found> external_reference(const TxrmHeader& header, const std::string& name, OpenBeam& beam,
                                        Findings& findings) {
  if (last_part(name).empty()) return std::nullopt;
  const std::filesystem::path path = beside(header.path, last_part(name));
  if (path.empty()) return std::nullopt;
  const CompoundFile other(path);
  if (!looks_like_txrm(other))
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: is named as the reference of {}, but is no Xradia file", path.string(),
                            header.path.filename().string()),
                {{"white-level", "", "give the open beam's counts with"}});
  const TxrmHeader of_reference = read_txrm_header(other);
  TxrmHeader expected = header;
  expected.path = path;
  const int count = std::min(of_reference.taken, most_references);
  const auto read = [&](int n) {
    const CompoundFile::Stream* const stream = other.find(image_stream(n));
    if (!stream)
      throw Error(ErrorKind::bad_file, fmt::format("{}: {} is absent, but {} images were taken",
                                                   path.string(), image_stream(n), of_reference.taken));
    return read_image(other, expected, "", *stream);
  };
  Found found;
  found.image = mean_of(
      expected, count, read, [](int n) { return image_stream(n); }, findings);
  if (known_exposures(of_reference)) found.exposure_s = of_reference.exposures_s.front();
  beam.used = "ImageInfo/ReferenceFile";
  beam.file = path;
  findings.push_back({"references.elsewhere",
                      fmt::format("{}: holds no reference itself; {} of {}, which it names, is used",
                                  header.path.filename().string(),
                                  count > 1 ? fmt::format("the mean of the {} images", count) : "the image",
                                  path.filename().string()),
                      "ImageInfo/ReferenceFile"});
  return found;
}

/// The open beam as it would have been in the first image's exposure.
void scale_reference(const TxrmHeader& header, std::optional<double> reference_s, OpenBeam& beam,
                     Findings& findings) {
  const std::string file = header.path.filename().string();
  if (!known_exposures(header) || !reference_s) {
    findings.push_back({"references.exposure",
                        fmt::format("{}: the exposure of {} is not stated, so its reference is used as it is",
                                    file, reference_s ? "the images" : "the reference"),
                        "ExpTimes"});
    return;
  }
  const double first = header.exposures_s.front(), ratio = first / *reference_s;
  beam.exposures_used = true;
  if (std::abs(ratio - 1) < 1e-6) return;
  for (float& value : beam.white) value = static_cast<float>(static_cast<double>(value) * ratio);
  findings.push_back({"references.scaled",
                      fmt::format("{}: the reference was exposed for {:g} s, the images for {:g} s; its "
                                  "counts are multiplied by {:.5f}",
                                  file, *reference_s, first, ratio),
                      "ExpTimes"});
}

/// Views of other exposures than the first one's are brought to that.
void scale_views(const TxrmHeader& header, OpenBeam& beam, Findings& findings) {
  if (!known_exposures(header)) return;
  const auto& times = header.exposures_s;
  const auto [least, most] = std::minmax_element(times.begin(), times.end());
  if (*most <= *least * (1 + 1e-6)) return;
  beam.exposures_used = true;
  for (const double time : times) beam.factors.push_back(static_cast<float>(times.front() / time));
  findings.push_back({"counts.scaled",
                      fmt::format("{}: the images were exposed for {:g} to {:g} s; their counts are scaled "
                                  "to the first one's {:g} s",
                                  header.path.filename().string(), *least, *most, times.front()),
                      "ExpTimes"});
}

/// Pixels that saw nothing stay as they are: the kernels leave them out. Others must be numbers.
void check_pixels(const TxrmHeader& header, OpenBeam& beam, Findings& findings) {
  std::size_t dark = 0;
  for (float& value : beam.white) {
    if (!std::isfinite(value)) value = 0;
    dark += value <= 0;
  }
  if (dark == beam.white.size())
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: the reference in {} is 0 everywhere", header.path.string(), beam.used),
                {{"white-level", "", "give the open beam's counts with"}});
  if (dark > 0)
    findings.push_back(
        {"references.dead", fmt::format("{}: {} pixels of the reference are 0 and are taken for dead",
                                        header.path.filename().string(), dark)});
}

/// Of images that are divided by their reference already.
OpenBeam corrected_beam(const TxrmHeader& header, double white_level, Findings& findings) {
  OpenBeam beam;
  const bool transmissions = header.data_type == static_cast<int>(PixelType::float32);
  if (!transmissions && !(white_level > 0))
    throw Error(ErrorKind::bad_file,
                fmt::format("{}: OriginalDataRefCorrected is 1 and the images are whole numbers, whose "
                            "level for open beam is not stated",
                            header.path.string()),
                {{"white-level", "", "give it with"}});
  const double level = white_level > 0 ? white_level : 1;
  beam.white = {transmissions ? level_of_corrected : static_cast<float>(level)};
  if (transmissions)
    beam.factors.assign(static_cast<std::size_t>(header.taken),
                        static_cast<float>(level_of_corrected / level));
  findings.push_back({"references.corrected",
                      fmt::format("{}: the images are divided by their reference already "
                                  "(OriginalDataRefCorrected); open beam is taken to be {:g}",
                                  header.path.filename().string(), level),
                      "OriginalDataRefCorrected"});
  return beam;
}

}  // namespace

OpenBeam open_beam(const CompoundFile& file, const TxrmHeader& header, const OpenOptions& options,
                   Findings& findings) {
  const std::string name = header.path.filename().string();
  OpenBeam beam;
  if (header.reference_corrected) return corrected_beam(header, options.white_level, findings);
  if (options.white_level > 0) {
    beam.white = {static_cast<float>(options.white_level)};
    scale_views(header, beam, findings);
    return beam;
  }
  int count = 0;
  std::optional<Found> found = single_reference(file, header);
  beam.used = "ReferenceData";
  if (!found) {
    found = mean_reference(file, header, count, findings);
    beam.used = "MultiReferenceData";
    if (found && count > 1)
      findings.push_back(
          {"flats.averaged",
           fmt::format("{}: has {} references; their mean is used for every view", name, count),
           "MultiReferenceData"});
  } else if (file.find("MultiReferenceData/Image1")) {
    findings.push_back(
        {"field.unused",
         fmt::format("{}: ReferenceData/Image is used for every view, MultiReferenceData is not", name),
         "MultiReferenceData"});
  }
  const std::string other = Values(file).text("ImageInfo/ReferenceFile");
  if (!found) found = external_reference(header, other, beam, findings);
  if (!found) {
    throw Error(
        ErrorKind::bad_file,
        fmt::format("{}: holds no reference of the open beam (ReferenceData/Image){}", header.path.string(),
                    other.empty()
                        ? std::string()
                        : fmt::format(", only its name {}; put {} beside the scan", other, last_part(other))),
        {{"white-level", "", "give the open beam's counts with"}});
  }
  beam.white = std::move(found->image);
  scale_reference(header, found->exposure_s, beam, findings);
  scale_views(header, beam, findings);
  check_pixels(header, beam, findings);
  return beam;
}

}  // namespace feldspar::io::zeiss
