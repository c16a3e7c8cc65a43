#include "io/hdf5/nxtomo_places.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace feldspar::io::hdf5 {
namespace {

/// True when the link exists, wherever it leads.
bool is_named(const InputFile& file, const std::string& object) {
  return file.has(object) || file.why_absent(object) != "is absent";
}

/// Groups of the instrument that have frames, reachable or not; the one called "detector" first.
std::vector<std::string> detectors_of(const InputFile& file, const std::string& entry) {
  const std::string instrument = entry + "/instrument";
  std::vector<std::string> names = file.members(instrument);
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name == "detector"; });
  std::vector<std::string> found;
  for (const std::string& name : names) {
    const std::string group = fmt::format("{}/{}", instrument, name);
    const bool keyed = name == "detector" || file.has(group + "/image_key");
    if (keyed && is_named(file, group + "/data")) found.push_back(group);
  }
  return found;
}

bool is_scan(const InputFile& file, const std::string& group) {
  return file.text(group + "/definition") == "NXtomo" || !detectors_of(file, group).empty();
}

/// An axis of the frames that its name or @axes calls an angle, in the NXdata group of the detector's name.
std::string angle_beside(const InputFile& file, const std::string& entry, const std::string& detector) {
  const std::string data = entry + detector.substr(detector.rfind('/'));
  std::vector<std::string> names = file.attribute(data, "axes");
  names.resize(std::min<std::size_t>(names.size(), 1));
  for (const std::string& name : file.members(data)) names.push_back(name);
  for (const std::string& name : names)
    for (const char* const word : {"theta", "angle", "rot"})
      if (name.find(word) != std::string::npos && file.is_dataset(fmt::format("{}/{}", data, name)))
        return fmt::format("{}/{}", data, name);
  return {};
}

std::string first_of(const InputFile& file, std::initializer_list<std::string> places) {
  for (const std::string& place : places)
    if (file.is_dataset(place)) return place;
  return {};
}

}  // namespace

std::vector<std::string> nxtomo_entries(const InputFile& file) {
  std::vector<std::string> found;
  for (const std::string& name : file.members("/")) {
    const std::string entry = "/" + name;
    if (is_scan(file, entry)) {
      found.push_back(entry);
      continue;
    }
    const auto kind = file.attribute(entry, "NX_class");
    if (kind.empty() || kind[0] != "NXentry") continue;
    for (const std::string& part : file.members(entry)) {
      const std::string sub = fmt::format("{}/{}", entry, part);
      const auto sub_kind = file.attribute(sub, "NX_class");
      if (!sub_kind.empty() && (sub_kind[0] == "NXsubentry" || sub_kind[0] == "NXentry") &&
          is_scan(file, sub))
        found.push_back(sub);
    }
  }
  return found;
}

NxtomoPlaces find_places(const InputFile& file) {
  const std::vector<std::string> entries = nxtomo_entries(file);
  if (entries.empty())
    file.refuse(ErrorKind::unsupported,
                "this HDF5 file holds no NXtomo entry (a group with instrument/detector/data)");
  NxtomoPlaces places{.entry = entries.front(), .detector = {}, .image_key = {}, .angle = {}, .findings = {}};
  if (entries.size() > 1)
    places.findings.push_back(
        {"scan.several",
         fmt::format("{}: holds {} scans; {} is read, {} and what follows is not",
                     file.path().filename().string(), entries.size(), entries[0], entries[1])});
  std::string dead;
  for (const std::string& detector : detectors_of(file, places.entry)) {
    if (file.is_dataset(detector + "/data")) {
      places.detector = detector;
      break;
    }
    dead +=
        fmt::format("{}{}/data {}", dead.empty() ? "" : "; ", detector, file.why_absent(detector + "/data"));
  }
  if (places.detector.empty())
    file.refuse(ErrorKind::bad_file,
                dead.empty() ? fmt::format("{}/instrument/detector/data is absent", places.entry) : dead);
  if (!dead.empty())
    places.findings.push_back(
        {"file.place",
         fmt::format("{}: {}; {} is read instead", file.path().filename().string(), dead, places.detector)});
  const std::string instrument = places.entry + "/instrument";
  places.image_key = first_of(file, {places.detector + "/image_key", instrument + "/image_key/image_key",
                                     instrument + "/image_key", places.entry + "/data/image_key"});
  places.angle =
      first_of(file, {places.entry + "/sample/rotation_angle", places.entry + "/data/rotation_angle"});
  if (places.angle.empty() && is_named(file, places.entry + "/sample/rotation_angle"))
    file.refuse(ErrorKind::bad_file, fmt::format("{0}/sample/rotation_angle {1}", places.entry,
                                                 file.why_absent(places.entry + "/sample/rotation_angle")));
  if (places.angle.empty()) {
    places.angle = angle_beside(file, places.entry, places.detector);
    if (!places.angle.empty())
      places.findings.push_back(
          {"file.place",
           fmt::format("{}: sample/rotation_angle is absent; the angles are taken from {}",
                       file.path().filename().string(), places.angle),
           "sample/rotation_angle"});
  }
  return places;
}

}  // namespace feldspar::io::hdf5
