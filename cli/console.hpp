// What the commands share of a terminal: messages, a progress bar, and Ctrl-C as a polite request to stop.
#pragma once

#include <string>

#include "base/progress.hpp"
#include "base/remedy.hpp"

namespace feldspar::cli {

/// Quiet: warnings and errors only, and no progress. Verbose: everything that is logged.
enum class Verbosity { quiet, normal, verbose };

/// `text`, and what to do about it in words of this program: "...; give --axis-offset auto, or ...".
[[nodiscard]] std::string with_flags(std::string text, const Remedies& remedies);

/// From now on messages go to stderr one a line, above the progress bar where one is drawn.
void set_verbosity(Verbosity verbosity);

/// Before anything else: streams that are closed stay out of the way of files, who stops reading ends
/// nothing, and control characters in what std::cout is given are written as printable() does.
void open_console();

/// Writes what std::cout still holds. False when not all of it could ever be written.
[[nodiscard]] bool results_arrived();

/// From now on SIGINT, SIGTERM and SIGHUP ask the process to stop (base/stop.hpp); a second SIGINT ends it.
void catch_interrupts();
[[nodiscard]] bool interrupted() noexcept;

/// A monitor that draws a bar with the time left on a terminal, and prints a plain line every 10 % (and at
/// most every few seconds) into a log. It catches interrupts, and cancels when interrupted.
[[nodiscard]] ProgressMonitor console_progress();

}  // namespace feldspar::cli
