#include "cli/batch/batch_files.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "cli/batch/batch_task.hpp"
#include "io/hdf5/volume_file.hpp"

namespace feldspar::cli {
namespace {

namespace fs = std::filesystem;

/// Files that options of `recon` name.
void add_inputs(const BatchJob& job, std::vector<fs::path>& inputs) {
  inputs.push_back(job.scan);
  const toml::table options = toml::parse(job.config);
  for (const char* key : {"like", "context", "sample", "transform"})
    if (const auto name = options[key].value<std::string>()) inputs.emplace_back(*name);
}

}  // namespace

io::RunFiles files_of(const Batch& batch) {
  io::RunFiles files{.inputs = {batch.file},
                     .outputs = {{batch.folder, io::Output::Kind::folder}},
                     .overwrite = false,
                     .resume = true};
  std::set<fs::path> made{batch.folder};
  for (const BatchJob& job : batch.jobs) {
    add_inputs(job, files.inputs);
    std::error_code ignored;
    for (fs::path folder = job.output.parent_path();
         !fs::exists(folder, ignored) && made.insert(folder).second; folder = folder.parent_path())
      files.outputs.push_back({folder, io::Output::Kind::shelf});
  }
  for (const BatchTask& task : tasks_of(batch))
    std::ranges::move(io::volume_outputs(task.output()), std::back_inserter(files.outputs));
  return files;
}

}  // namespace feldspar::cli
