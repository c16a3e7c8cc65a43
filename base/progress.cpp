#include "base/progress.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/stop.hpp"

namespace feldspar {

void Progress::expect(double total) {
  const std::scoped_lock lock(mutex_);
  total_ = total;
  done_ = 0;
  shown_ = 0;
}

void Progress::advance(double work, std::string_view stage) {
  const std::scoped_lock lock(mutex_);
  done_ += work;
  if (total_ > 0) shown_ = std::max(shown_, std::clamp(done_ / total_, 0.0, 1.0));
  if (monitor_ && !monitor_(shown_, stage)) throw Error(ErrorKind::cancelled, "stopped by the user");
  stop_if_requested();
}

}  // namespace feldspar
