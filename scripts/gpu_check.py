"""Tests and times one device with the programs of a bundle or a build folder; started by scripts/gpu-check.

Every step is a process of its own with a time limit, so that one that hangs or crashes costs only itself. A
step passes, fails, or is skipped with a reason. Only the standard library is needed.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time

SKIPPED = 77  # the exit code for "nothing could be tested", as automake and CTest know it
TESTS = ("cuda_backend_test", "cuda_methods_test", "cuda_merged_test", "cuda_forward_test", "cuda_reconstruction_test")  # all with the label cuda
SANITIZED = ("cuda_backend_test", "cuda_methods_test", "cuda_merged_test")
WHOLE = 2000  # detector and volume of the largest run
RATES = ("kernels_benchmark", "cuda_variants_benchmark")
OTHERS = ("feldspar", "whole_run_benchmark", "filter_against_cufft_benchmark")
SIZES = ((512, 600), (1024, 1600), (2000, 3176))  # of whole runs: detector and volume, views
PEER_BYTES = 1.3  # host memory of the peer's run, relative to projections and volume


class Skip(Exception):
    """Why a step cannot run here."""


class Failure(Exception):
    """Why a step failed, in one line, and the results it has all the same."""

    def __init__(self, reason, results=None):
        super().__init__(reason)
        self.results = results or {}


class Ended(Failure):
    """A program took too long and was ended; what it had written."""

    def __init__(self, reason, text):
        super().__init__(reason)
        self.text = text


class Check:
    """The steps done so far, the time left, and where programs and results lie."""

    def __init__(self, options):
        self.options = options
        self.end = time.monotonic() + options.seconds
        self.steps = []
        self.output = pathlib.Path(options.output)
        self.output.mkdir(parents=True, exist_ok=True)
        self.log = open(self.output / "gpu_check.log", "w", encoding="utf-8")

    def find(self, name):
        """The program of that name; in a bundle or a build folder it lies in a folder or two."""
        root = pathlib.Path(self.options.programs)
        for pattern in (name, f"*/{name}", f"*/*/{name}"):
            for path in sorted(root.glob(pattern)):
                if path.is_file() and os.access(path, os.X_OK):
                    return str(path)
        raise Skip(f"{name} is not in {root}")

    def run(self, command, seconds, silence=None):
        """Runs a command; returns its output and exit code. Its whole group is ended when its seconds are over, or
        when it has written nothing for the seconds of `silence`."""
        limit = min(seconds, self.end - time.monotonic())
        if limit < 1:
            raise Skip("no time was left")
        silence = silence or limit
        self.log.write("$ " + " ".join(command) + "\n")
        self.log.flush()
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=self.log,
                                       start_new_session=True)
            start = heard = time.monotonic()
            written = 0
            while process.poll() is None and time.monotonic() < min(start + limit, heard + silence):
                time.sleep(0.02)
                if os.fstat(output.fileno()).st_size > written:
                    written, heard = os.fstat(output.fileno()).st_size, time.monotonic()
            ended = process.poll() is None
            if ended:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            output.seek(0)
            text = output.read()
            self.log.write(text + "\n")
            self.log.flush()
        if ended:
            raise Ended(f"was ended after {time.monotonic() - start:.0f} s", text)
        return text, process.returncode

    def step(self, name, work):
        """Runs one step and keeps what it says: work() returns its results and a line for the table."""
        start = time.monotonic()
        entry = {"step": name, "status": "passed", "note": "", "results": {}}
        try:
            entry["results"], entry["note"] = work()
        except Skip as reason:
            entry.update(status="skipped", note=str(reason))
        except Failure as reason:
            entry.update(status="failed", note=str(reason), results=reason.results)
        except Exception as reason:  # a mistake of this script must not lose the other steps
            entry.update(status="failed", note=f"{type(reason).__name__}: {reason}")
        entry["seconds"] = round(time.monotonic() - start, 1)
        self.steps.append(entry)
        print(f"{name:<26}{entry['status']:<9}{entry['seconds']:7.1f} s  {entry['note']}", flush=True)
        self.save()
        return entry

    def save(self):
        """After every step, so that a run that is ended leaves what it has."""
        report = {"device": self.options.device, "host": platform.node(), "system": platform.platform(),
                  "processors": os.cpu_count(), "steps": self.steps}
        path = self.output / "gpu_check.json"
        path.with_suffix(".part").write_text(json.dumps(report, indent=1), encoding="utf-8")
        os.replace(path.with_suffix(".part"), path)


def reason_of(text, code):
    """The last line that says something, and how the program ended."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    ended = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"{ended}: {lines[-1].strip()[:100]}" if lines else f"{ended} (see the log)"


def devices(check):
    text, code = check.run([check.find("feldspar"), "devices", "--json"], 60)
    if code != 0:
        raise Failure(reason_of(text, code))
    listed = json.loads(text)
    named = [d for d in listed if d["name"] == check.options.device]
    if not named:
        cuda = [d for d in listed if d["name"].startswith("cuda")]
        raise Skip(cuda[0]["unavailable"] or f"there is no {check.options.device}" if cuda else "a build without CUDA")
    if not named[0]["usable"]:
        raise Skip(named[0]["unavailable"])
    return {"devices": listed}, named[0]["description"]


def driver(check):
    try:
        text, code = check.run(["nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm",
                                "--format=csv,noheader"], 30)
    except FileNotFoundError:
        raise Skip("nvidia-smi is not there") from None
    if code != 0:
        raise Failure(reason_of(text, code))
    return {"nvidia_smi": text.strip()}, text.strip().splitlines()[0]


def where_ended(text):
    """The case that a GoogleTest program was in when it was ended, and how many had passed."""
    begun = re.findall(r"^\[ RUN      \] (\S+)", text, re.MULTILINE)
    done = re.findall(r"^\[ +(?:OK|SKIPPED|FAILED) +\] (\S+) \(", text, re.MULTILINE)
    passed = len(re.findall(r"^\[ +OK \]", text, re.MULTILINE))
    inside = f" in {begun[-1]}" if len(begun) > len(done) else ""
    return f"{inside}; {passed} cases had passed"


def tests(check, name):
    program = check.find(name)
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        try:
            text, code = check.run([program, f"--gtest_output=json:{report}"], 120, check.options.case_seconds)
        except Ended as ended:
            raise Failure(f"{ended}{where_ended(ended.text)}") from None
        if not os.path.exists(report):
            raise Failure(reason_of(text, code))
        with open(report, encoding="utf-8") as file:
            suites = json.load(file)["testsuites"]
    cases = [case for suite in suites for case in suite["testsuite"]]
    failed = [f"{c['classname']}.{c['name']}" for c in cases if c.get("failures")]
    skipped = sum(c.get("result") == "SKIPPED" for c in cases)
    if failed or code != 0:
        raise Failure(f"{len(failed)} of {len(cases)} cases failed: {', '.join(failed)[:120]}")
    if skipped == len(cases):
        raise Skip("every case was skipped")
    if skipped > 1 and check.options.device.startswith("cuda"):  # one case is for machines without a device
        raise Failure(f"{skipped} of {len(cases)} cases were skipped although there is a device")
    return {"cases": len(cases), "skipped": skipped}, f"{len(cases)} cases, {skipped} skipped"


def sanitizer(check, tool, name):
    program = check.find(name)
    try:
        text, code = check.run(["compute-sanitizer", "--tool", tool, "--error-exitcode", "99", program], 60, check.options.case_seconds)
    except FileNotFoundError:
        raise Skip("compute-sanitizer is not on the path") from None
    except Ended as ended:
        if found := re.search(r"^=+ (Error|Invalid|.*[Rr]ace).*", ended.text, re.MULTILINE):
            raise Failure(f"{ended}: {found.group().strip('= ')[:100]}") from None
        raise Skip(f"{ended} without an error{where_ended(ended.text)}") from None
    if refused := re.search(r"^=+ Error: .*\bdevice\b.*\b(not |un)supported\b.*", text,
                             re.MULTILINE | re.IGNORECASE):
        raise Skip(f"compute-sanitizer: {refused.group().strip('= ')[:100]}")
    if code != 0:
        raise Failure(reason_of(text, code))
    return {}, "no errors"


def runs_in(text):
    """The runs in what Google Benchmark wrote as JSON, which may break off anywhere."""
    runs = []
    text = text.partition('"benchmarks": [')[2]
    while (start := text.find("{")) >= 0:
        try:
            run, end = json.JSONDecoder().raw_decode(text, start)
        except ValueError:
            break
        runs.append(run)
        text = text[end:]
    return runs


def benchmarks(check, name):
    ended = None
    # The last part of a benchmark's name is a side or a number of columns: beyond a --size that was made
    # smaller, as for a processor, they take too long.
    wanted = "" if check.options.size >= WHOLE else "(" + "|".join(
        str(side) for side in (128, 256, 512, 1000, 1024) if side <= check.options.size) + ")/"
    try:
        text, code = check.run([check.find(name), f"--benchmark_filter=/{check.options.device}/{wanted}",
                                "--benchmark_format=json", "--benchmark_min_time=0.2"], 120)
    except Ended as reason:
        text, code, ended = reason.text, 0, reason
    rates = {}
    for run in runs_in(text):
        for unit in ("GUPS", "Mpixel"):
            if unit in run:
                rates[run["name"].replace("/real_time", "")] = {unit: run[unit]}
    if ended or code != 0:
        raise Failure(f"{ended or reason_of(text, code)}; {len(rates)} rates until then", rates)
    if not rates:  # Google Benchmark's answer to a filter that nothing matches is no JSON at all
        raise Skip(f"{name} has nothing for {check.options.device}")
    gups = [r["GUPS"] for r in rates.values() if "GUPS" in r]
    return rates, f"{len(rates)} rates" + (f", best {max(gups):.1f} GUPS" if gups else "")


def cufft(check):
    number = check.options.device.partition(":")[2] or "0"
    text, code = check.run([check.find("filter_against_cufft_benchmark"), number], 60)
    if code == SKIPPED:
        raise Skip(text.strip())
    if code != 0:
        raise Failure(reason_of(text, code))
    result = json.loads(text.strip().splitlines()[-1])
    ratios = [r["mpixel_per_s"] / r["cufft_mpixel_per_s"] for r in result["lengths"]]
    worst = max(r["difference"] for r in result["lengths"])
    return result, f"{min(ratios):.1f} to {max(ratios):.1f} times cuFFT's rate, {worst:.1e} apart at most"


def whole_run(check, size, views, merge):
    bytes_needed = 4 * size**3 * 2 + (8 << 30)
    if available_memory() < bytes_needed and size > 1024:
        raise Skip(f"needs {bytes_needed >> 30} GiB of host memory")
    command = [check.find("whole_run_benchmark"), "--device", check.options.device, "--size", str(size),
               "--views", str(views), "--memory", f"{int(available_memory() * 0.8)}B"]
    text, code = check.run(command + (["--merge"] if merge else []), 180)
    if code not in (0, 9):
        raise Failure(reason_of(text, code))
    result = json.loads(text)
    line = (f"{result['total_s']:.2f} s in all ({result['gups_total']:.0f} GUPS), back-projection "
            f"{result['back_projection_s']:.2f} s ({result['gups_back_projection']:.0f} GUPS)")
    if code == 9:
        raise Failure(f"the volume is wrong by {100 * result['worst_deviation']:.1f} %; {line}")
    if merge and result["merged_views"] == 1:
        raise Skip("nothing to merge here")
    return result, line


def peer(check, size, views, ours):
    bytes_needed = int(4 * (size**3 + size**2 * views) * PEER_BYTES)
    if available_memory() < bytes_needed:
        raise Skip(f"needs {bytes_needed >> 30} GiB of host memory")
    here = pathlib.Path(__file__).resolve().parent
    text, code = check.run([sys.executable, str(here / "gpu_check_astra.py"), str(size), str(views),
                            str(here.parent / "peers")], 240)
    if code == SKIPPED:
        raise Skip(reason_of(text, code).partition(": ")[2])
    if code != 0:
        raise Failure(reason_of(text, code))
    result = json.loads(text.strip().splitlines()[-1])
    mine = ours.get("results", {}).get("total_s")
    if mine:
        result["ratio"] = result["seconds"] / mine
    return result, f"ASTRA {result['seconds']:.2f} s" + (f", {result['ratio']:.1f} times ours" if mine else "")


def available_memory():
    for line in open("/proc/meminfo", encoding="ascii"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 8 << 30


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="gpu-check", description="Tests and times one device.")
    parser.add_argument("--output", default=".", help="folder for gpu_check.json and gpu_check.log")
    parser.add_argument("--device", default="cuda:0", help="as `feldspar devices` lists them")
    parser.add_argument("--programs", default=pathlib.Path(__file__).resolve().parent.parent,
                        help="the bundle, or a build folder")
    parser.add_argument("--seconds", type=float, default=530, help="time for all steps")
    parser.add_argument("--case-seconds", type=float, default=30, help="time for each case of a test (default: 30)")
    parser.add_argument("--size", type=int, default=WHOLE, help="of the whole run: detector and volume")
    parser.add_argument("--views", type=int, default=3176, help="of the whole run")
    return parser.parse_args(arguments)


def main(arguments):
    if arguments == ["--list"]:
        print("\n".join(OTHERS + TESTS + RATES))
        return 0
    check = Check(options_of(arguments))
    if check.step("device", lambda: devices(check))["status"] != "passed":
        status = check.steps[0]["status"]
        print("nothing else was tried: there is no device to try it on" if status == "skipped" else "giving up")
        return SKIPPED if status == "skipped" else 1
    check.step("driver", lambda: driver(check))
    for name in TESTS:
        check.step(name, lambda n=name: tests(check, n))
    sizes = [s for s in SIZES if s[0] < check.options.size] + [(check.options.size, check.options.views)]
    runs = {}
    for edge, count in sizes:
        for merge in (False, True):
            name = f"whole run {edge}, {count}" + (" merged" if merge else "")
            runs[name] = check.step(name, lambda e=edge, c=count, m=merge: whole_run(check, e, c, m))
    for name in RATES:
        check.step(name, lambda n=name: benchmarks(check, n))
    check.step("filter against cuFFT", lambda: cufft(check))
    for tool in ("memcheck", "racecheck"):
        for name in SANITIZED:
            check.step(f"{tool} {name[:-5]}", lambda t=tool, n=name: sanitizer(check, t, n))
    for edge, count in sizes:
        ours = runs[f"whole run {edge}, {count}"]
        check.step(f"ASTRA {edge}, {count}", lambda e=edge, c=count, o=ours: peer(check, e, c, o))
    failed = [entry["step"] for entry in check.steps if entry["status"] == "failed"]
    print(f"{len(failed)} failed: {', '.join(failed)}" if failed else "all that ran passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
