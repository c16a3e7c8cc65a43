// The way to stop a process that is deep in its work: asked for in one place, noticed everywhere.
#pragma once

namespace feldspar {

/// Who is asked whether the process is to stop, as a program knows by its signals; null for nobody.
using StopRequest = bool (*)() noexcept;
/// Replaces who is asked.
void set_stop_request(StopRequest asked) noexcept;

/// Throws Error(cancelled) when the process is to stop. Every parallel loop, every Progress and every reader
/// of much asks this, so that no work goes on for long. Thread-safe.
void stop_if_requested();

}  // namespace feldspar
