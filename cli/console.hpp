// What the commands share of a terminal: a progress bar, and Ctrl-C as a polite request to stop.
#pragma once

#include "base/progress.hpp"

namespace feldspar::cli {

/// From now on SIGINT and SIGTERM set a flag instead of ending the process; a second one ends it at once.
void catch_interrupts();
[[nodiscard]] bool interrupted() noexcept;

/// A monitor that draws a bar with the time left on a terminal, and prints a plain line every 10 % (and at
/// most every few seconds) into a log. It cancels when interrupted.
[[nodiscard]] ProgressMonitor console_progress();

}  // namespace feldspar::cli
