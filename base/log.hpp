// Messages to people. The library never writes to stdout; messages go to stderr unless a program
// takes them over with set_log_sink.
#pragma once

#include <functional>
#include <string_view>

#include "base/remedy.hpp"

namespace feldspar {

/// How much a message matters, in ascending order.
enum class LogLevel { debug, info, warning, error };

/// Takes a message, one line without its end, and what to do about it.
using LogSink = std::function<void(LogLevel, std::string_view, const Remedies&)>;

/// Replaces where messages go; an empty function restores stderr. Messages below `threshold` are dropped.
void set_log_sink(LogSink sink);
/// The least level that goes out.
void set_log_threshold(LogLevel threshold);

/// Thread-safe; one call is one line.
void log(LogLevel level, std::string_view message, const Remedies& remedies = {});
/// A message of that level.
inline void log_info(std::string_view message) { log(LogLevel::info, message); }
/// A message of that level.
inline void log_warning(std::string_view message) { log(LogLevel::warning, message); }

}  // namespace feldspar
