// /entry/reconstruction/plan: its text, and a dataset for each list of numbers.
#include "io/hdf5/plan_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "io/hdf5/input_file.hpp"
#include "io/hdf5/layout.hpp"
#include "io/hdf5/output_file.hpp"
#include "io/hdf5/text.hpp"

namespace feldspar::io {
namespace {

using namespace hdf5;

constexpr const char* place = "/entry/reconstruction/plan";
constexpr std::size_t most_numbers = std::size_t{1} << 31;

}  // namespace

const std::vector<double>* StoredPlan::find(const std::string& name) const {
  const auto found = std::ranges::find(numbers, name, &StoredNumbers::name);
  return found == numbers.end() ? nullptr : &found->values;
}

void hdf5::put_plan(hid_t reconstruction, const StoredPlan& plan) {
  if (plan.text.empty()) return;
  const Group group = make_group(reconstruction, "plan", "NXcollection");
  put_text(group, "text", plan.text);
  for (const StoredNumbers& list : plan.numbers) {
    const hsize_t count = list.values.size();
    const Space space(H5Screate_simple(1, &count, nullptr), "describing numbers");
    Dataset set(H5Dcreate2(group, list.name.c_str(), list.single ? H5T_IEEE_F32LE : H5T_IEEE_F64LE, space,
                           H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                "making numbers");
    check(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, list.values.data()),
          "writing numbers");
    set.close("closing numbers");
  }
}

void write_plan(const std::filesystem::path& path, const StoredPlan& plan) {
  PartialFile partial(path, false);
  silence();
  try {
    OutputFile file = OutputFile::create(partial);
    {
      put_root_attributes(file);
      const Group entry = make_group(file, layout::entry, "NXentry");
      put_plan(make_group(entry, "reconstruction", "NXprocess"), plan);
    }
    file.check();
    file.close();
  } catch (const Failure& failure) {
    throw Error(ErrorKind::io,
                fmt::format("{}: cannot be written: {}", path.string(),
                            partial.error() != 0 ? std::strerror(partial.error()) : failure.what()));
  }
  partial.publish();
}

std::optional<StoredPlan> read_plan(const std::filesystem::path& path) {
  if (!looks_like_hdf5(path)) return std::nullopt;
  std::optional<StoredPlan> plan;
  const InputFile file(path);
  file.guarded([&] {
    const std::string text = file.text(std::string(place) + "/text");
    if (text.empty()) return;
    plan.emplace(StoredPlan{text, {}});
    for (const std::string& name : file.members(place))
      if (name != "text")
        plan->numbers.push_back({name, file.numbers(fmt::format("{}/{}", place, name), most_numbers)});
  });
  return plan;
}

}  // namespace feldspar::io
