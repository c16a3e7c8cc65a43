// Messages to people. The library never writes to stdout; messages go to stderr unless a program
// takes them over with set_log_sink. Warnings are also what a run stores in its output (`Findings`).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace feldspar {

/// How much a message matters, in ascending order.
enum class LogLevel { debug, info, warning, error };

/// Takes a message, one line without its end.
using LogSink = std::function<void(LogLevel, std::string_view)>;

/// Replaces where messages go; an empty function restores stderr. Messages below `threshold` are dropped.
void set_log_sink(LogSink sink);
/// The least level that goes out.
void set_log_threshold(LogLevel threshold);

/// Thread-safe; one call is one line.
void log(LogLevel level, std::string_view message);
/// A message of that level.
inline void log_info(std::string_view message) { log(LogLevel::info, message); }
/// A message of that level.
inline void log_warning(std::string_view message) { log(LogLevel::warning, message); }

/// Everything that was ignored, assumed, corrected or contradicted on the way to a result, in order.
using Findings = std::vector<std::string>;

}  // namespace feldspar
