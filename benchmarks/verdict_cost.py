"""Reconstructs simulated scans with and without the verdict, in turn, and prints what share of a run the verdict takes.

    benchmarks/verdict_cost.py build/release/feldspar [--sides 256,512] [--repeats 3] [--scan NAME] [--work FOLDER] [--json FILE]

A side of N means N x N pixels, N x sqrt(2) views and a volume of N^3. "of the run" is what the whole command takes longer than with --verify off, looks at the projections before it
included; "afterwards" is what is asked once the volume is written.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time


def seconds(words):
    start = time.monotonic()
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\nended with {done.returncode}: {done.stderr}")
    return time.monotonic() - start, done.stdout


def measure(program, work, scan, side, repeats):
    views = round(side * 2**0.5)
    folder, volume = work / f"scan-{side}", work / f"volume-{side}.h5"
    seconds([program, "simulate", scan, "-o", folder, "--columns", side, "--rows", side, "--views", views, "--pitch", f"{102400 / side:.6g}um", "--overwrite"])
    recon = [program, "recon", folder, "-o", volume, "--overwrite", "--json"]
    with_verdict, without, afterwards, verdict = [], [], [], ""
    for _ in range(repeats):
        took, said = seconds(recon)
        with_verdict.append(took)
        afterwards.append(json.loads(said)["verification"]["seconds"])
        verdict = json.loads(said)["verification"]["verdict"]
        without.append(seconds([*recon, "--verify", "off"])[0])
    best, off = min(with_verdict), min(without)
    return {"side": side, "views": views, "verdict": verdict, "seconds": best, "seconds_without": off, "of_the_run": (best - off) / best, "afterwards": min(afterwards) / best}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--sides", default="256,512")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scan", default="shepp-logan")
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    given = parser.parse_args()
    program = given.program.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        work = given.work or pathlib.Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        rows = [measure(program, work, given.scan, int(side), given.repeats) for side in given.sides.split(",")]
    for row in rows:
        print(f"{row['side']}^3, {row['views']} views: {row['verdict']}, {row['seconds']:.2f} s, {row['seconds_without']:.2f} s without the verdict, "
              f"which takes {100 * row['of_the_run']:.1f} % of the run, {100 * row['afterwards']:.1f} % afterwards")
    if given.json:
        version = subprocess.run([str(program), "--version"], capture_output=True, text=True).stdout.strip()
        given.json.write_text(json.dumps({"date": datetime.date.today().isoformat(), "machine": platform.processor() or platform.machine(), "threads": len(os.sched_getaffinity(0)),
                                          "version": version, "scan": given.scan, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
