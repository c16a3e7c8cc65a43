#include "cli/batch/batch_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/log.hpp"
#include "cli/batch/batch_scans.hpp"
#include "io/stack/toml_text.hpp"
#include "run/options.hpp"
#include "run/share.hpp"

namespace feldspar::cli {
namespace {

namespace fs = std::filesystem;

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
    if constexpr (std::is_same_v<T, std::string>)
      if (found->find('\0') != std::string::npos) refuse(key, "has a character of code 0 in it");
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
      if (!text || text->find('\0') != std::string::npos) refuse(key, "must be a list of texts");
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
  [[nodiscard]] const std::string& where() const { return where_; }

 private:
  toml::table values_;
  std::string where_;
};

/// Options of `recon` that are no part of what is wanted of a reconstruction.
constexpr const char* of_the_command[] = {"overwrite", "save-config", "rings-map"};

void check_options(const Table& table, const CLI::App& recon) {
  static const std::set<std::string_view> ours{"scan",   "output",  "config", "slabs",
                                               "resume", "dry-run", "json",   "help"};
  for (const auto& [key, value] : table.values()) {
    if (ours.count(key.str()) > 0) table.refuse(key.str(), "is set by the batch itself");
    if (!recon.get_option_no_throw("--" + std::string(key.str())))
      table.refuse(key.str(), "is neither a key of a job nor an option of `feldspar recon`");
  }
  toml::table wanted = table.values();
  for (const char* key : of_the_command) wanted.erase(key);
  std::ostringstream text;
  text << wanted;
  run::Request request;
  run::apply_toml(request, text.str(), table.where());
}

std::string as_text(const toml::table& table) {
  std::ostringstream text;
  text << table << '\n';
  return text.str();
}

/// Nothing for a name that is no UTF-8, which TOML cannot hold: recon is given the scan beside the file as
/// well.
std::string scan_line(const fs::path& scan) {
  std::string line = run::toml_line("scan", scan.string());
  try {
    (void)toml::parse(line);
  } catch (const toml::parse_error&) {
    line.clear();
  }
  return line;
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
    find_places(*list);
    int number = 0;
    for (const auto& job : *list) {
      ++number;
      if (!job.is_table()) table.refuse("job", "must be tables, as [[job]]");
      add_jobs(Table(*job.as_table(), fmt::format("{}: job {}", batch_.file.string(), number)));
    }
    check_outputs(table);
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

  /// Where volumes go, which are not to be taken for scans. A job may put its volume into its scan's folder.
  void find_places(const toml::array& jobs) {
    places_ = {batch_.file, batch_.folder, {output_}};
    for (const auto& job : jobs) {
      const auto output = job.is_table() ? (*job.as_table())["output"].value<std::string>() : std::nullopt;
      if (!output) continue;
      const fs::path folder = (base() / *output).lexically_normal().parent_path();
      const std::string scan = (*job.as_table())["scan"].value_or(std::string());
      if ((base() / scan / ".").lexically_normal() != folder / "") places_.output_folders.push_back(folder);
    }
  }

  /// The scans of a job; says which matches are none.
  [[nodiscard]] std::vector<fs::path> scans_of(const Table& table, const std::string& scan) const {
    fs::path pattern = (base() / scan).lexically_normal();
    if (!pattern.has_filename()) pattern = pattern.parent_path();
    const auto was_made = [&](const fs::path& path, const fs::path& from) {
      const std::string name = name_of(from);
      std::error_code ignored;
      return path == (output_ / (name + ".h5")).lexically_normal() &&
             fs::exists(batch_.folder / (name + ".log"), ignored);
    };
    const MatchingScans matching = scans_matching(pattern, places_, was_made);
    if (!matching.left_out.empty())
      log_info(fmt::format(
          "{}: '{}' also matches {} file{} or folder{} that batches and reconstructions made, as "
          "{}: left out",
          table.where(), scan, matching.left_out.size(), matching.left_out.size() == 1 ? "" : "s",
          matching.left_out.size() == 1 ? "" : "s", matching.left_out.front().filename().string()));
    if (matching.scans.empty())
      table.refuse("scan", fmt::format("'{}' matches no file{}", scan,
                                       matching.left_out.empty() ? "" : " but what reconstructions made"));
    return matching.scans;
  }

  static std::string name_of(const fs::path& scan) {
    std::error_code unreadable;
    return (fs::is_directory(scan, unreadable) ? scan.filename() : scan.stem()).string();
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
    const auto scans = scans_of(table, scan);
    if (scans.size() > 1 && !(name.empty() && output.empty()))
      table.refuse(name.empty() ? "output" : "name",
                   fmt::format("cannot serve the {} scans that match", scans.size()));
    toml::table options = settings_;
    for (const auto& [key, value] : table.values()) options.insert_or_assign(key, value);
    for (const auto& path : scans) {
      BatchJob job;
      job.scan = path;
      job.name = name.empty() ? name_of(job.scan) : name;
      job.output = (output.empty() ? output_ / (job.name + ".h5") : base() / output).lexically_normal();
      job.shares = shares;
      if (const auto memory = options["memory"].value<std::string>()) job.memory = *memory;
      if (const auto device = options["device"].value<std::string>()) job.device = *device;
      job.config = scan_line(job.scan) + as_text(options);
      add(std::move(job), table);
    }
  }

  /// Its tasks must not meet those of other jobs either: one may be called as another's part.
  void add(BatchJob job, const Table& table) {
    for (int share = 0; share <= (job.shares > 1 ? job.shares : 0); ++share) {
      const bool whole = share == 0;
      const fs::path name = whole ? fs::path(job.name)
                                  : run::part_path(job.name + ".h5", {share, job.shares}).stem(),
                     output = whole ? job.output : run::part_path(job.output, {share, job.shares});
      if (!names_.insert(name.string()).second)
        table.refuse("name", fmt::format("'{}' is taken by another job; give each its own", name.string()));
      if (!outputs_.insert(output).second)
        table.refuse("output",
                     fmt::format("'{}' is that of another job; give each its own", output.string()));
    }
    batch_.jobs.push_back(std::move(job));
  }

  /// No volume may take the place of a scan.
  void check_outputs(const Table& table) const {
    std::set<fs::path> scans;
    std::error_code ignored;
    for (const BatchJob& job : batch_.jobs) scans.insert(fs::weakly_canonical(job.scan, ignored));
    for (const fs::path& output : outputs_)
      if (scans.count(fs::weakly_canonical(output, ignored)) > 0)
        table.refuse("output",
                     fmt::format("would put a volume in the place of the scan {}; give another folder "
                                 "with output = \"...\" above the jobs",
                                 output.string()));
  }

  Batch& batch_;
  const CLI::App& recon_;
  fs::path output_;
  BatchPlaces places_;
  toml::table settings_;
  std::set<std::string> names_;
  std::set<fs::path> outputs_;
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
