// What every fuzz target offers, and what they share: a file of the bytes tried, and reading all of a scan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "io/open_scan.hpp"

/// libFuzzer's entry point. Anything that is thrown but feldspar::Error ends the program.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace feldspar::fuzz {

/// Good inputs to begin with.
std::vector<std::string> seeds();

/// A folder of this process, removed when it ends.
const std::filesystem::path& scratch();

std::filesystem::path write_scratch(const std::string& name, const std::uint8_t* data, std::size_t size);
std::string content_of(const std::filesystem::path& path);

/// Opens the scan and reads corners of its first, middle and last view.
void read_scan(const std::filesystem::path& path, const io::OpenOptions& options = {});

/// Runs `work`, which may throw any Error but an internal one: that is a defect, and thrown on.
template <class Work>
void expect_errors_only(Work work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) throw;
  }
}

}  // namespace feldspar::fuzz
