"""Makes six kinds of scan and reconstructs each under three budgets, to compare the peak resident size with the budget.

    benchmarks/memory.py build/release/feldspar [--side 1024] [--views 200] [--budgets 300MiB,least,4GiB] [--work FOLDER] [--json FILE]

The budget "least" is the smallest that the program says it can do with. Exits with 1 when a run's peak is not below its budget, or a run fails otherwise than by saying within a second which
--memory it would take.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def bytes_of(text):
    number, unit = re.fullmatch(r"([\d.]+)([KMG]iB)", text).groups()
    return int(float(number) * UNITS[unit])


def run(words):
    """Exit code, seconds, peak resident bytes and what was said."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen([str(word) for word in words], stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        said.seek(0)
        return os.waitstatus_to_exitcode(status), time.monotonic() - start, usage.ru_maxrss * 1024, said.read()


def must(words):
    code, _, _, said = run(words)
    if code != 0:
        sys.exit(f"{' '.join(map(str, words))}\nended with {code}: {said}")


def make_scans(program, work, side, views):
    """Scans of a cell: whole in 16 bits and in floating point, and the middle of it with a coarse volume of the whole."""
    def size(pitch):
        return ["--columns", side, "--rows", side, "--views", views, "--pitch", f"{pitch * 1024 / side:.6g}um", "--no-blur"]

    whole, floats, interior = work / "whole", work / "floats.h5", work / "interior"
    must([program, "simulate", "mj1-26min", "-o", whole, *size(130), "--overwrite"])
    must([program, "simulate", "mj1-26min", "-o", floats, *size(130), "--format", "dxchange", "--overwrite"])
    must([program, "simulate", "mj1-26min", "-o", interior, *size(30), "--overwrite"])
    wide = work / "wide.h5"
    must([program, "recon", whole, "-o", wide, "--voxel-size", f"{90 * 1024 / side:.6g}um", "--overwrite", "--verify", "off"])
    return whole, floats, interior, wide


def kinds(whole, floats, interior, wide, side, coarser):
    """What is given to recon; voxels are `coarser` times as large as those of the detector's pixels at the axis."""
    def voxels(pitch):
        return [] if coarser == 1 else ["--voxel-size", f"{coarser * pitch * 1024 / side * 176.9 / 983:.6g}um"]

    whole, floats, interior = [whole, *voxels(130)], [floats, *voxels(130)], [interior, *voxels(30)]
    return {
        "16-bit": whole,
        "float": floats,
        "interior": interior,
        "all corrections": [*whole, "--correct", "all", "--hardening", "auto", "--axis-offset", "auto", "--scatter", "constant:0.001"],
        "motion": [*whole, "--motion", "auto"],
        "context": [*interior, "--context", wide],
    }


def least_of(program, words, work, more):
    """The --memory that a refusal names."""
    code, _, _, said = run([program, "recon", *words, "-o", work / "volume.h5", "--overwrite", "--memory", "90MiB", *more])
    named = re.search(r"\(--memory (\d+MiB)\)", said)
    return named.group(1) if code == 5 and named else "90MiB"


def judge(code, seconds, peak, budget, said):
    refused = code == 5 and "--memory" in said
    if refused:
        return "refused: " + said.strip().splitlines()[-1], seconds < 1
    return "below" if peak < budget else "ABOVE", code in (0, 9) and peak < budget


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--views", type=int, default=200)
    parser.add_argument("--budgets", default="300MiB,1GiB,4GiB")
    parser.add_argument("--kinds", help="only these, separated by commas")
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--coarser", type=float, default=1, help="voxels so many times as large as they could be")
    given = parser.parse_args()
    temporary = None if given.work else tempfile.TemporaryDirectory()
    work = given.work or pathlib.Path(temporary.name)
    work.mkdir(parents=True, exist_ok=True)
    scans = make_scans(given.program, work, given.side, given.views)
    results, good = [], True
    more = ["--threads", given.threads] if given.threads else []
    print(f"{given.views} views of {given.side}², volume of all that the detector covers, voxels {given.coarser:g} times the pixels\n")
    print("| scan | `--memory` | peak resident | time | |\n|---|---|---|---|---|")
    for kind, words in kinds(*scans, given.side, given.coarser).items():
        if given.kinds and kind not in given.kinds.split(","):
            continue
        for budget in given.budgets.split(","):
            if budget == "least":
                budget = least_of(given.program, words, work, more)
            code, seconds, peak, said = run([given.program, "recon", *words, "-o", work / "volume.h5", "--overwrite",
                                             "--memory", budget, *more])
            outcome, fine = judge(code, seconds, peak, bytes_of(budget), said)
            good = good and fine
            results.append({"scan": kind, "budget": budget, "budget_bytes": bytes_of(budget), "peak_bytes": peak,
                            "seconds": round(seconds, 2), "exit_code": code, "outcome": outcome})
            print(f"| {kind} | {budget} | {peak / 2**20:.0f} MiB | {seconds:.1f} s | {outcome} |", flush=True)
            if code not in (0, 9) and not outcome.startswith("refused"):
                print(said, file=sys.stderr)
    if given.json:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
        given.json.write_text(json.dumps({"date": datetime.date.today().isoformat(), "commit": commit,
                                          "machine": platform.processor() or platform.machine(), "cpus": os.cpu_count(),
                                          "side": given.side, "views": given.views, "coarser": given.coarser, "runs": results}, indent=1) + "\n")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
