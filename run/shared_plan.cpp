#include "run/shared_plan.hpp"

#include <fmt/format.h>

#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/stop.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::run {
namespace {

namespace fs = std::filesystem;

fs::path plan_of(fs::path volume) { return volume += ".plan"; }

std::string mark_of(const std::string& id) { return fmt::format("# of {}\n", id); }

/// The plan that a run left at `path`, of whatever request; what cannot be read is none.
std::optional<io::StoredPlan> plan_at(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return std::nullopt;
  try {
    auto stored = io::read_plan(path);
    if (stored && stored->text.starts_with(mark_of("").substr(0, 5))) return stored;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
  }
  return std::nullopt;
}

/// The same if it is of this id.
std::optional<io::StoredPlan> plan_at(const fs::path& path, const std::string& id) {
  auto stored = plan_at(path);
  if (stored && !stored->text.starts_with(mark_of(id))) stored.reset();
  return stored;
}

void refuse_foreign(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(path, ignored)) && !plan_at(path))
    throw Error(
        ErrorKind::io,
        fmt::format(
            "{}: is there and is no plan that an earlier run left; remove it or choose another output",
            path.string()));
}

}  // namespace

SharedPlan::SharedPlan(const Request& request, std::string id)
    : path_(plan_of(request.output)), id_(std::move(id)), shared_(!request.share.is_whole()) {
  refuse_foreign(path_);
}

std::vector<io::Output> SharedPlan::outputs(const fs::path& volume) {
  const fs::path path = plan_of(volume);
  return {{path, io::Output::Kind::side_file},
          {path.string().append(".partial"), io::Output::Kind::side_file}};
}

std::optional<Plan> SharedPlan::read() const {
  const auto stored = plan_at(path_, id_);
  return stored ? std::optional(restore(*stored, path_)) : std::nullopt;
}

bool SharedPlan::offer(const Plan& plan) const {
  if (shared_ && plan_at(path_, id_)) return false;
  io::StoredPlan stored = store(plan);
  stored.text.insert(0, mark_of(id_));
  refuse_foreign(path_);
  std::error_code ignored;
  fs::remove(path_, ignored);
  try {
    io::write_plan(path_, stored);
    return true;
  } catch (const Error&) {
    constexpr int most_waits = 200;
    for (int n = 0; shared_ && n < most_waits; ++n) {  // another share is writing it
      if (plan_at(path_, id_)) return false;
      stop_if_requested();
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    throw;
  }
}

void SharedPlan::forget() const noexcept {
  try {
    std::error_code ignored;
    if (plan_at(path_, id_)) fs::remove(path_, ignored);
  } catch (const std::exception&) {
    return;  // it stays, which costs nothing
  }
}

void SharedPlan::forget(const fs::path& volume, const fs::path& part) noexcept {
  try {
    std::error_code ignored;
    if (!fs::exists(plan_of(volume), ignored)) return;
    const std::string identity = io::VolumeReader(part).text("reconstruction/identity");
    if (plan_at(plan_of(volume), identity.substr(0, identity.find(' '))))
      fs::remove(plan_of(volume), ignored);
  } catch (const std::exception&) {
    return;  // it stays, which costs nothing
  }
}

}  // namespace feldspar::run
