#include "io/tiff/open_tiffs.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <new>
#include <utility>

namespace feldspar::io {
namespace {

constexpr std::size_t most_files = 256;
constexpr std::size_t most_blocks = 4096;  // of a layout that is kept: 32 KiB

std::size_t files_to_keep() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
  return std::min<std::size_t>(most_files, files.rlim_cur / 4);
}

}  // namespace

OpenTiffs& OpenTiffs::all() {
  static OpenTiffs tiffs;
  return tiffs;
}

OpenTiffs::OpenTiffs() : most_(files_to_keep()) {}

std::unique_ptr<OpenTiff> OpenTiffs::take(const std::filesystem::path& path, TiffPage page) {
  if (auto kept = take_kept(path.native(), page)) {
    if (kept->page == page) return kept;
    kept->file.show(page.directory);
    kept->layout = read_layout(kept->file, page);
    kept->page = page;
    return kept;
  }
  auto opened = std::unique_ptr<OpenTiff>(
      new OpenTiff{TiffHandle(path, TiffHandle::Mode::read, page.directory), page, {}});
  opened->layout = read_layout(opened->file, page);
  return opened;
}

/// Awake, with this page's layout where there is a choice; null when there is none or it is no longer what it
/// was.
std::unique_ptr<OpenTiff> OpenTiffs::take_kept(const std::string& path, TiffPage page) {
  std::unique_ptr<OpenTiff> found;
  {
    const std::scoped_lock lock(access_);
    const auto [first, end] = kept_.equal_range(path);
    if (first == end) return nullptr;
    auto best = std::find_if(first, end, [&](const auto& kept) { return kept.second.tiff->page == page; });
    if (best == end) best = first;
    found = std::move(best->second.tiff);
    kept_.erase(best);
  }
  if (!found->file.wake()) return nullptr;
  return found;
}

void OpenTiffs::keep(std::unique_ptr<OpenTiff> tiff) noexcept {
  tiff->file.rest();
  if (most_ == 0 || !tiff->file.is_settled() || tiff->layout.blocks.size() > most_blocks) return;
  std::unique_ptr<OpenTiff> oldest;  // closed when the others may go on
  const std::scoped_lock lock(access_);
  try {
    if (kept_.size() >= most_) {
      const auto first =
          std::ranges::min_element(kept_, {}, [](const auto& kept) { return kept.second.turn; });
      oldest = std::move(first->second.tiff);
      kept_.erase(first);
    }
    std::string path = tiff->file.path().native();
    kept_.emplace(std::move(path), Kept{std::move(tiff), turn_++});
  } catch (const std::bad_alloc&) {  // then it is opened again
  }
}

}  // namespace feldspar::io
