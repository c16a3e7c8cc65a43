// Every search and check before and after the reconstruction ends when the process is asked to stop.
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>

#include "base/stop.hpp"
#include "recon/find/axis_choice.hpp"
#include "recon/find/object_extent.hpp"
#include "recon/measure/inspection.hpp"
#include "tests/recon/verify/trusting.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/resources.hpp"

namespace feldspar::testing {
namespace {

std::atomic<int> until_stop{0};  ///< how often it is asked before it stops

class StopRequest : public ::testing::TestWithParam<int> {
 protected:
  StopRequest() : scan_(VirtualScan(good_scan(60), engine_part()), 0), trial_(scan_), views_(60) {
    std::iota(views_.begin(), views_.end(), 0);
    until_stop = GetParam();
    set_stop_request([]() noexcept { return until_stop-- <= 0; });
  }
  ~StopRequest() override { set_stop_request(nullptr); }

  StoredScan scan_;
  Trial trial_;
  std::vector<int> views_;
};

TEST_P(StopRequest, EndsTheVerification) {
  expect_error(ErrorKind::cancelled, {"stopped"}, [&] { (void)trial_.verdict(); });
}

TEST_P(StopRequest, EndsTheInspection) {
  expect_error(ErrorKind::cancelled, {"stopped"},
               [&] { (void)recon::inspect(scan_, views_, all_resources()); });
}

TEST_P(StopRequest, EndsTheSearchForTheObject) {
  expect_error(ErrorKind::cancelled, {"stopped"},
               [&] { (void)recon::find_object(scan_, scan_.scan(), views_, all_resources()); });
}

TEST_P(StopRequest, EndsTheSearchForTheAxis) {
  expect_error(ErrorKind::cancelled, {"stopped"},
               [&] { (void)recon::choose_axis(scan_, scan_.scan(), views_, all_resources()); });
}

INSTANTIATE_TEST_SUITE_P(AtOnceAndLater, StopRequest, ::testing::Values(0, 3));

}  // namespace
}  // namespace feldspar::testing
