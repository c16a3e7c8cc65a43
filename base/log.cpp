#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <utility>

#include "base/text.hpp"

namespace feldspar {
namespace {

std::mutex& guard() {
  static std::mutex mutex;
  return mutex;
}

struct State {
  LogSink sink;
  LogLevel threshold = LogLevel::info;
};

State& state() {
  static State instance;
  return instance;
}

void to_stderr(LogLevel level, std::string_view message) {
  static const auto logger = [] {
    auto made =
        std::make_shared<spdlog::logger>("feldspar", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::debug);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  switch (level) {
    case LogLevel::debug: logger->debug("{}", message); break;
    case LogLevel::info: logger->info("{}", message); break;
    case LogLevel::warning: logger->warn("warning: {}", message); break;
    case LogLevel::error: logger->error("error: {}", message); break;
  }
}

}  // namespace

void set_log_sink(LogSink sink) {
  const std::scoped_lock lock(guard());
  state().sink = std::move(sink);
}

void set_log_threshold(LogLevel threshold) {
  const std::scoped_lock lock(guard());
  state().threshold = threshold;
}

void log(LogLevel level, std::string_view message, const Remedies& remedies) {
  const std::scoped_lock lock(guard());
  if (level < state().threshold) return;
  const std::string shown = printable(message);  // names and texts of files may hold a terminal's commands
  if (state().sink)
    state().sink(level, shown, remedies);
  else
    to_stderr(level, shown);
}

}  // namespace feldspar
