// Real scans that are not part of the project. Tests that need them are skipped, visibly, without them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace feldspar::testing {

/// The folder named by FELDSPAR_TEST_DATA, by default ../shared/data beside the project.
inline std::filesystem::path test_data() {
  const char* folder = std::getenv("FELDSPAR_TEST_DATA");
  return folder ? std::filesystem::path(folder)
                : std::filesystem::path(FELDSPAR_SOURCE_DIR) / "../shared/data";
}

}  // namespace feldspar::testing

/// Skips the current test unless `relative` exists in the test data.
#define FELDSPAR_NEEDS_DATA(relative)                                                                    \
  if (!std::filesystem::exists(feldspar::testing::test_data() / (relative)))                             \
  GTEST_SKIP() << "needs " << (relative) << " in FELDSPAR_TEST_DATA (" << feldspar::testing::test_data() \
               << ")"
