// Names and pages give every image a place; what is absent or damaged leaves its place empty.
#include "io/stack/projections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/error.hpp"
#include "io/numbered_names.hpp"

namespace feldspar::io::stack {
namespace {

namespace fs = std::filesystem;

/// Of one that cannot be used.
const Remedies without_its_view{{"allow-missing", "", "to leave its view out, give"}};
/// Of projections that a name stands for and that are not there.
const Remedies without_them{{"allow-missing", "", "to leave those views out, give"}};

/// The images that names stand for, before any of them is opened.
struct Places {
  struct File {
    fs::path path;
    int index = 0;
  };
  std::vector<File> files;
  std::string missing;   ///< absent between others
  std::string doubt;     ///< why absent ones could not be seen
  long long first = -1;  ///< the number in the first name of a pattern; -1 when there is none
  long long step = 1;
};

class Finder {
 public:
  Finder(const StackDescription& stack, const fs::path& description, bool allow_missing)
      : stack_(stack), description_(description), allow_missing_(allow_missing) {}

  Projections find() {
    const Places places = look_at_names();
    look_at_pages(places);
    accept_what_is_stated(places);
    choose_usable();
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what, const Remedies& remedies = {}) const {
    throw Error(ErrorKind::bad_file, fmt::format("{}: {}", description_.string(), what), remedies);
  }
  [[nodiscard]] Places look_at_names();
  void add_pattern(const std::string& name, Places& places);
  void look_at_pages(const Places& places);
  void add_pages(const Places& places, const std::vector<std::optional<TiffPages>>& found);
  void accept_what_is_stated(const Places& places);
  void count_from_the_first(const Places& places, int absent);
  [[nodiscard]] std::optional<TiffInfo> look_at(const StackImage& image);
  void choose_usable();

  const StackDescription& stack_;
  const fs::path& description_;
  bool allow_missing_;
  Projections result_;
  std::string cut_;  ///< why pages at the end cannot be reached
  std::size_t unusable_ = 0;
  std::string complaint_;  ///< about the first of those
  ErrorKind kind_ = ErrorKind::bad_file;
};

void Finder::add_pattern(const std::string& name, Places& places) {
  const fs::path path = description_.parent_path() / name;
  const std::vector<std::string> names = files_like(path);
  if (names.empty()) refuse_absent(name, stack_.projections_field, description_);
  const NameSeries series = series_of(names);
  if (!series.conflict.empty())
    refuse(fmt::format(
        "{} = \"{}\" stands for {} files that {}; list the files in their order, or give a pattern "
        "that fits no others",
        stack_.projections_field, name, names.size(), series.conflict));
  if (!series.strays.empty())
    result_.findings.push_back({"files.ignored",
                                fmt::format("{} = \"{}\" also stands for files whose names are unlike those "
                                            "of the others, and which are left out: {}",
                                            stack_.projections_field, name, format_names(series.strays)),
                                stack_.projections_field});
  if (!series.missing.empty()) places.missing += (places.missing.empty() ? "" : ", ") + series.missing;
  if (places.doubt.empty()) places.doubt = series.doubt;
  places.first = places.files.empty() ? series.first : -1;
  if (series.step != 1) places.step = series.step;
  const int base = places.files.empty() ? 0 : places.files.back().index + 1;
  for (const NameSeries::Member& member : series.members)
    places.files.push_back({path.parent_path() / names[member.name], base + member.index});
}

Places Finder::look_at_names() {
  Places places;
  for (const std::string& name : stack_.projections) {
    if (is_pattern(fs::path(name)))
      add_pattern(name, places);
    else
      places.files.push_back(
          {description_.parent_path() / name, places.files.empty() ? 0 : places.files.back().index + 1});
  }
  return places;
}

/// Files of one image each keep the places of their names; pages are counted.
void Finder::look_at_pages(const Places& places) {
  std::vector<std::optional<TiffPages>> found;
  bool many = false;
  std::string unreadable;
  for (const Places::File& file : places.files) {
    try {
      found.emplace_back(tiff_pages(file.path));
      many = many || found.back()->pages.size() > 1 || found.back()->stated > 1 ||
             (places.files.size() == 1 && !found.back()->damage.empty());
    } catch (const Error& error) {
      if (!allow_missing_ || places.files.size() == 1)
        throw Error(error, error.what(), places.files.size() == 1 ? Remedies{} : without_its_view);
      if (unreadable.empty()) unreadable = error.what();
      found.emplace_back();
    }
  }
  if (!many) {
    for (const Places::File& file : places.files)
      result_.images.push_back({file.path, the_only_image, file.index});
    result_.planned = places.files.back().index + 1;
    return;
  }
  if (!unreadable.empty() || !places.missing.empty())
    refuse(fmt::format("lacks files of many pages, so the views behind have no angles: {}",
                       unreadable.empty() ? places.missing : unreadable));
  add_pages(places, found);
}

void Finder::add_pages(const Places& places, const std::vector<std::optional<TiffPages>>& found) {
  for (std::size_t n = 0; n < found.size(); ++n) {
    const TiffPages& pages = *found[n];
    if (!pages.damage.empty() && !allow_missing_)
      throw Error(ErrorKind::bad_file, pages.damage,
                  {{"allow-missing", "", "to leave the lost views out, give"}});
    const bool open_end = !pages.damage.empty() && pages.stated == 0;
    if (open_end && n + 1 < found.size())
      refuse(fmt::format("the views behind have no angles: {}", pages.damage));
    if (!pages.damage.empty()) cut_ = pages.damage;
    result_.open_end = open_end;
    int place = result_.planned;
    for (const TiffPage page : pages.pages) result_.images.push_back({places.files[n].path, page, place++});
    result_.planned = std::max(place, result_.planned + static_cast<int>(pages.stated));
  }
}

/// What is absent may be known by the number that is stated, and is an error unless allowed.
void Finder::accept_what_is_stated(const Places& places) {
  const bool is_all = stack_.count > 0 && stack_.count_may_differ_by == 0 && cut_.empty() &&
                      result_.images.size() == static_cast<std::size_t>(stack_.count);
  if (is_all) {
    for (std::size_t n = 0; n < result_.images.size(); ++n) result_.images[n].index = static_cast<int>(n);
    result_.planned = stack_.count;
    if (!places.missing.empty())
      result_.findings.push_back(
          {"views.gaps",
           fmt::format(
               "the names of the projections have gaps ({}), but as many are there as images.count states",
               places.missing),
           "images.count"});
    return;
  }
  const char* const field = stack_.projections_field;
  if (!places.missing.empty() && !allow_missing_)
    refuse(fmt::format("of the projections that {} (\"{}\"{}) stands for are missing: {}; if none is "
                       "missing, state images.count or list the files",
                       field, stack_.projections.front(), stack_.projections.size() > 1 ? ", ..." : "",
                       places.missing),
           without_them);
  if (!places.doubt.empty() && stack_.angle_source != AngleSource::file)
    refuse(
        fmt::format("whether projections are missing cannot be told, because {}; state images.count, or list "
                    "the files",
                    places.doubt));
  if (places.step != 1) {
    const std::string counts = fmt::format("the names of the projections count in steps of {}", places.step);
    if (stack_.angle_source == AngleSource::step && stack_.count == 0)
      refuse(counts +
             ", so that it is not known whether angles.step is from one to the next; state images.count");
    result_.findings.push_back(
        {"views.numbering", counts + ": none between them is taken to be missing", "images.count"});
  }
  const int seen = result_.planned;
  if (stack_.count > 0 && std::abs(seen - stack_.count) > stack_.count_may_differ_by)
    result_.planned = stack_.count;
  if ((seen != result_.planned && !allow_missing_) || seen > result_.planned)
    refuse(fmt::format("{} images are stated, but {} stands for {}", stack_.count, field,
                       result_.images.size()));
  if (result_.open_end && stack_.count == 0 && stack_.angle_source != AngleSource::file &&
      stack_.angle_source != AngleSource::step)
    refuse(
        fmt::format("how many views there were is not known, so those that are left have no angles; state "
                    "images.count: {}",
                    cut_));
  if (result_.open_end && (stack_.count > 0 || stack_.angle_source != AngleSource::file))
    result_.open_end = false;
  count_from_the_first(places, result_.planned - seen);
}

/// Projections are numbered from 0 or 1: those before the first may be the absent ones.
void Finder::count_from_the_first(const Places& places, int absent) {
  if (places.first <= 1 || places.step != 1) return;
  if (absent == 0) {
    if (stack_.count == 0)
      result_.findings.push_back({"views.numbering",
                                  fmt::format("the numbers of the projections begin at {}: if some before it "
                                              "are missing, state images.count",
                                              places.first),
                                  "images.count"});
    return;
  }
  if (places.first - absent > 1 || places.first < absent)
    refuse(fmt::format(
        "{} images are stated, and the first is number {}: which are missing cannot be told; list "
        "the files",
        stack_.count, places.first));
  for (StackImage& image : result_.images) image.index += absent;
}

std::optional<TiffInfo> Finder::look_at(const StackImage& image) {
  try {
    const TiffInfo info = read_tiff_info(image.path, image.page);
    if (allow_missing_) check_tiff_pixels(image.path, image.page);
    return info;
  } catch (const Error& error) {
    if (!allow_missing_) throw Error(error, error.what(), without_its_view);
    if (++unusable_ == 1) complaint_ = error.what(), kind_ = error.kind();
    return std::nullopt;
  }
}

/// The images that are as most of them are.
void Finder::choose_usable() {
  std::vector<std::optional<TiffInfo>> infos;
  for (StackImage& image : result_.images) image.page.unstated = stack_.pixels;
  for (const StackImage& image : result_.images) infos.push_back(look_at(image));
  std::size_t most = 0;
  for (std::size_t n = 0; n < infos.size() && 2 * most < infos.size(); ++n) {
    const auto alike =
        static_cast<std::size_t>(infos[n] ? std::count(infos.begin(), infos.end(), infos[n]) : 0);
    if (alike > most) most = alike, result_.info = *infos[n];
  }
  if (most == 0) throw Error(kind_, fmt::format("{} (no projection can be used)", complaint_));
  const auto model =
      static_cast<std::size_t>(std::find(infos.begin(), infos.end(), result_.info) - infos.begin());
  const std::string model_name = result_.images[model].path.filename().string();
  std::vector<StackImage> usable;
  for (std::size_t n = 0; n < infos.size(); ++n) {
    if (infos[n] == result_.info) usable.push_back(result_.images[n]);
    if (!infos[n] || infos[n] == result_.info) continue;
    const bool size = infos[n]->columns != result_.info.columns || infos[n]->rows != result_.info.rows;
    const std::string what =
        size ? fmt::format("{}: has {} x {} pixels, but {} has {} x {}", result_.images[n].path.string(),
                           infos[n]->columns, infos[n]->rows, model_name, result_.info.columns,
                           result_.info.rows)
             : fmt::format("{}: its pixels are of another type than those of {}",
                           result_.images[n].path.string(), model_name);
    if (!allow_missing_) throw Error(ErrorKind::bad_file, what, without_its_view);
    if (++unusable_ == 1) complaint_ = what;
  }
  if (unusable_ > 0)
    result_.findings.push_back(
        {"views.unusable", fmt::format("{} projections cannot be used and are left out (the first: {})",
                                       unusable_, complaint_)});
  if (!cut_.empty()) result_.findings.push_back({"views.cut", cut_ + "; the views behind are left out"});
  if (!result_.open_end && result_.planned > static_cast<int>(result_.images.size()))
    result_.findings.push_back(
        {"views.missing",
         fmt::format("{} of {} projections are missing and are left out",
                     result_.planned - static_cast<int>(result_.images.size()), result_.planned)});
  result_.images = std::move(usable);
}

}  // namespace

Projections find_projections(const StackDescription& stack, const fs::path& description, bool allow_missing) {
  return Finder(stack, description, allow_missing).find();
}

}  // namespace feldspar::io::stack
