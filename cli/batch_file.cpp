#include "cli/batch_file.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <toml++/toml.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "cli/options.hpp"
#include "io/stack/toml_text.hpp"

namespace feldspar::cli {
namespace {

/// A table of the file, read key by key; what is left in it at the end is a mistake.
class Table {
 public:
  Table(toml::table values, std::string where) : values_(std::move(values)), where_(std::move(where)) {}

  template <class T>
  void take(const char* key, T& value, const char* kind) {
    const toml::node* node = values_.get(key);
    if (!node) return;
    const auto found = node->value_exact<T>();
    if (!found) refuse(key, fmt::format("must be {}", kind));
    value = *found;
    values_.erase(key);
  }
  void take(const char* key, int& value, int lowest) {
    std::int64_t number = value;
    take(key, number, "a whole number");
    if (number < lowest || number > 100000)
      refuse(key, fmt::format("is {}; it goes from {} to 100000", number, lowest));
    value = static_cast<int>(number);
  }
  void take(const char* key, std::vector<std::string>& values) {
    const toml::node* node = values_.get(key);
    if (!node) return;
    const toml::array* list = node->as_array();
    if (!list) refuse(key, "must be a list of texts");
    for (const auto& element : *list) {
      const auto text = element.value_exact<std::string>();
      if (!text) refuse(key, "must be a list of texts");
      values.push_back(*text);
    }
    values_.erase(key);
  }
  Table take_table(const char* key) {
    toml::table values;
    if (const toml::node* node = values_.get(key)) {
      if (!node->is_table()) refuse(key, "must be a table");
      values = *node->as_table();
      values_.erase(key);
    }
    return {std::move(values), fmt::format("{} [{}]", where_, key)};
  }
  void end() const {
    for (const auto& [key, value] : values_) refuse(key.str(), "is not a key that is known here");
  }
  [[noreturn]] void refuse(std::string_view key, const std::string& what) const {
    throw Error(ErrorKind::usage, fmt::format("{}: {} {}; see docs/batch.md", where_, key, what));
  }
  [[nodiscard]] const toml::table& values() const { return values_; }

 private:
  toml::table values_;
  std::string where_;
};

void check_options(const Table& table, const CLI::App& recon) {
  static const std::set<std::string_view> ours{"scan",   "output",  "config", "slabs",
                                               "resume", "dry-run", "json",   "help"};
  for (const auto& [key, value] : table.values()) {
    if (ours.count(key.str()) > 0) table.refuse(key.str(), "is set by the batch itself");
    if (!recon.get_option_no_throw("--" + std::string(key.str())))
      table.refuse(key.str(), "is neither a key of a job nor an option of `feldspar recon`");
  }
}

/// The paths that match a pattern whose last component may have wildcards, sorted.
std::vector<std::filesystem::path> matches(const std::filesystem::path& pattern) {
  const std::string name = pattern.filename().string();
  if (name.find_first_of("*?[") == std::string::npos) return {pattern};
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(pattern.parent_path(), ignored))
    if (::fnmatch(name.c_str(), entry.path().filename().c_str(), FNM_PERIOD) == 0)
      found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string as_text(const toml::table& table) {
  std::ostringstream text;
  text << table << '\n';
  return text.str();
}

class Reader {
 public:
  Reader(Batch& batch, const CLI::App& recon) : batch_(batch), recon_(recon) {}

  void read() {
    Table table = parse();
    std::string output;
    table.take("output", output, "the name of a folder");
    output_ = base() / output;
    Table settings = table.take_table("settings");
    check_options(settings, recon_);
    settings_ = settings.values();
    read_slurm(table.take_table("slurm"));
    const toml::node* jobs = table.values().get("job");
    const toml::array* list = jobs ? jobs->as_array() : nullptr;
    if (!list || list->empty())
      table.refuse("job", "is missing: every scan has a table [[job]] with its scan = \"...\"");
    int number = 0;
    for (const auto& job : *list) {
      ++number;
      if (!job.is_table()) table.refuse("job", "must be tables, as [[job]]");
      add_jobs(Table(*job.as_table(), fmt::format("{}: job {}", batch_.file.string(), number)));
    }
    toml::table rest = table.values();
    rest.erase("job");
    Table(rest, batch_.file.string()).end();
  }

 private:
  [[nodiscard]] std::filesystem::path base() const { return batch_.file.parent_path(); }

  Table parse() const { return {io::stack::read_toml(batch_.file, ErrorKind::usage), batch_.file.string()}; }

  void read_slurm(Table table) {
    SlurmSettings& slurm = batch_.slurm;
    table.take("memory", slurm.memory, "an amount, as \"16GiB\"");
    table.take("time", slurm.time, "a time as Slurm takes it, as \"2:00:00\"");
    table.take("cpus", slurm.cpus, 1);
    table.take("gpus", slurm.gpus, 1);
    table.take("options", slurm.options);
    table.end();
  }

  void add_jobs(Table table) {
    std::string scan, name, output;
    int shares = 1;
    table.take("scan", scan, "the name of a file or folder");
    table.take("name", name, "a text");
    table.take("output", output, "the name of a file");
    table.take("shares", shares, 1);
    if (scan.empty()) table.refuse("scan", "is missing: the file or folder of the scan");
    if (name.find('/') != std::string::npos) table.refuse("name", "must be a name without '/'");
    check_options(table, recon_);
    const auto scans = matches(base() / scan);
    if (scans.empty()) table.refuse("scan", fmt::format("'{}' matches no file", scan));
    if (scans.size() > 1 && !(name.empty() && output.empty()))
      table.refuse(name.empty() ? "output" : "name",
                   fmt::format("cannot serve the {} scans that match", scans.size()));
    toml::table options = settings_;
    for (const auto& [key, value] : table.values()) options.insert_or_assign(key, value);
    for (const auto& path : scans) {
      std::error_code unreadable;
      BatchJob job;
      job.scan = path.lexically_normal();
      if (!job.scan.has_filename()) job.scan = job.scan.parent_path();
      job.name = name.empty() ? (std::filesystem::is_directory(job.scan, unreadable) ? job.scan.filename()
                                                                                     : job.scan.stem())
                                    .string()
                              : name;
      job.output = (output.empty() ? output_ / (job.name + ".h5") : base() / output).lexically_normal();
      job.shares = shares;
      if (const auto memory = options["memory"].value<std::string>()) job.memory = *memory;
      if (const auto device = options["device"].value<std::string>()) job.device = *device;
      job.config = toml_line("scan", job.scan.string()) + as_text(options);
      add(std::move(job), table);
    }
  }

  void add(BatchJob job, const Table& table) {
    if (!names_.insert(job.name).second)
      table.refuse("name", fmt::format("'{}' is taken by another job; give each its own", job.name));
    if (!outputs_.insert(job.output).second)
      table.refuse("output",
                   fmt::format("'{}' is that of another job; give each its own", job.output.string()));
    batch_.jobs.push_back(std::move(job));
  }

  Batch& batch_;
  const CLI::App& recon_;
  std::filesystem::path output_;
  toml::table settings_;
  std::set<std::string> names_;
  std::set<std::filesystem::path> outputs_;
};

}  // namespace

Batch read_batch(const std::filesystem::path& file, const CLI::App& recon) {
  Batch batch;
  batch.file = std::filesystem::absolute(file).lexically_normal();
  batch.folder = batch.file;
  batch.folder.replace_extension(".batch");
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(batch.file, ignored))
    throw Error(ErrorKind::io, fmt::format("{}: there is no such file; docs/batch.md shows what goes into it",
                                           file.string()));
  Reader(batch, recon).read();
  return batch;
}

}  // namespace feldspar::cli
