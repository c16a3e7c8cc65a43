# What the scripts share: where things are, how a step runs, and how the project is configured and built.
# Sourced, never run.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
log_folder=$root/build/log

say() { printf '%s\n' "$*"; }

# die MESSAGE [EXIT CODE]: the last line on the terminal is the reason.
die() {
  printf 'failed: %s\n' "$1" >&2
  exit "${2:-1}"
}

# Compilers that run at one time: one a processor, and one for each 1.5 GiB of memory.
jobs_at_once() {
  local processors memory
  processors=$(nproc)
  memory=$(awk '/^MemAvailable:/ {print int($2 / 1572864)}' /proc/meminfo 2>/dev/null || true)
  [ -n "$memory" ] && [ "$memory" -ge 1 ] || memory=1
  echo $((processors < memory ? processors : memory))
}

# run_step NAME COMMAND...: runs the command with its output in a log. On a terminal the newest line is
# shown while it runs; into a file a line is printed now and then. On failure the log's end is printed, and
# its last error and its path come last.
run_step() {
  local name=$1 started=$SECONDS log shown=$SECONDS pid code=0
  shift
  mkdir -p "$log_folder"
  log=$log_folder/${name// /_}.log
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  trap 'kill "$pid" 2>/dev/null; printf "\n"; die "$name was stopped (log: $log)" 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    if [ -t 1 ]; then
      printf '\r\033[K%s: %s' "$name" "$(tail -n 1 "$log" | tr -d '\r\033' | cut -c "1-$(($(columns) - ${#name} - 3))")"
    elif [ $((SECONDS - shown)) -ge 20 ]; then
      shown=$SECONDS
      say "$name: $((SECONDS - started)) s, $(tail -n 1 "$log" | cut -c 1-100)"
    fi
    sleep 0.1
  done
  wait "$pid" || code=$?
  trap - INT TERM
  [ -t 1 ] && printf '\r\033[K'
  if [ "$code" -ne 0 ]; then
    tail -n 40 "$log" >&2
    die "$name: $(reason_in "$log") (log: $log)" "$code"
  fi
  say "$name: done in $((SECONDS - started)) s"
}

columns() { tput cols 2>/dev/null || echo 100; }

# The line of a log that says why: a compiler's or linker's error, CMake's with its message, apt's, or the last.
reason_in() {
  awk '/(^|[ :])(fatal )?[Ee]rror: |undefined reference|^E: / && !/^ninja: / {line = $0; exit}
       /^CMake Error/ && !cmake {cmake = $0; next}
       cmake && !message && NF {message = $0}
       NF {last = $0}
       END {sub(/^ +/, " ", message); print substr(line ? line : cmake ? cmake message : last, 1, 300)}' "$1"
}

# configure_preset PRESET: configures build/PRESET as CMakePresets.json says, afresh when that or the tools changed.
configure_preset() {
  local preset=$1 folder=$root/build/$1 options=() wanted
  if command -v ccache >/dev/null; then
    options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_CUDA_COMPILER_LAUNCHER=ccache)
  fi
  wanted="$root $(cksum <"$root/CMakePresets.json") ${options[*]} ${CXX:-} ${CUDACXX:-}"
  wanted+=" $(command -v nvcc || find /usr/local/cuda/bin/nvcc 2>/dev/null || true)"
  if [ ! -f "$folder/build.ninja" ] || [ "$(cat "$folder/configured_with" 2>/dev/null)" != "$wanted" ]; then
    run_step "configure $preset" cmake --fresh -S "$root" --preset "$preset" "${options[@]}"
    printf '%s\n' "$wanted" >"$folder/configured_with"
  fi
}

# build_preset PRESET TARGET...: configures build/PRESET where needed, and builds.
build_preset() {
  configure_preset "$1"
  run_step "build $1" ninja -C "$root/build/$1" -j "$(jobs_at_once)" "${@:2}"
}

# skip REASON: ends a check that cannot be made here, visibly and with a code of its own.
skip() {
  say "skipped: $1"
  exit 77
}

# llvm_tool NAME: the path of the clang-format or clang-tidy that decides; nothing where it is not installed. Another
# version would lay out other lines and find other faults, so it decides nothing.
llvm_version=14
llvm_tool() {
  local path
  for path in "$1-$llvm_version" "$1"; do
    path=$(command -v "$path") || continue
    ! "$path" --version | grep -q "version $llvm_version\." || { printf '%s\n' "$path"; return; }
  done
}
