#!/usr/bin/env python3
"""A fault at every call of the program that changes a file, and a kill before each: what becomes of the files.

For each case the calls are counted in an undisturbed run. Then the run is repeated with one call that goes
wrong: EIO; ENOSPC from there on; half of a write done; the process killed. Wrong is: an input or another file
that changed, an exit code of 0 with anything missing or other bits, a file under the final name that is neither
the one that was there nor the complete new one, an end by a signal, and a second run, undisturbed, that does not
end in the same bits.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# What differs from run to run in files that are equal: times, and what a resumed run did not do again.
VARYING = re.compile(r"(^|[/@])(file_time|date|start_time|command|seconds|outcomes|pixels\w*|time_\w+_s|slabs) ")
FAULTS = ("EIO", "ENOSPC", "SHORT", "KILL")
SIZE = "--columns 24 --rows 24 --pitch 8.4mm --views 24"


class Case:
    """A command, with what is set up before it."""

    def __init__(self, name, command, output, old=(), untouched=False):
        self.name, self.command, self.output = name, command, output
        self.old = old  # commands that make what stands there before
        self.untouched = untouched  # the command must not change it, nor its time of change


RECON = "recon IN/scan --threads 1 --device cpu --size 24,24,48 -o OUT/v.h5"
CASES = [
    Case("recon", RECON + " --resume", "v.h5"),
    Case("recon --compress", RECON + " --resume --compress 1", "v.h5"),
    Case("recon uint16", RECON + " --resume --type uint16 --range 0,0.2", "v.h5"),
    Case("recon --overwrite", RECON + " --overwrite", "v.h5", old=[RECON + " --window hann"]),
    Case("recon of a share", RECON + " --resume --slabs 2/3", "v.part-2-of-3.h5"),
    Case("convert to nxtomo", "convert IN/scan OUT/c.nxs", "c.nxs"),
    Case("convert to dxchange", "convert IN/scan OUT/c.h5", "c.h5"),
    Case("convert to tiff", "convert IN/scan OUT/c --format tiff", "c"),
    Case("convert to nikon", "convert IN/scan OUT/c --format nikon", "c"),
    Case("convert to zeiss", "convert IN/scan OUT/c.txrm --format zeiss", "c.txrm"),
    Case("join", "join IN/p.part-1-of-3.h5 IN/p.part-2-of-3.h5 IN/p.part-3-of-3.h5 -o OUT/v.h5", "v.h5"),
    Case("join --solid", "join IN/p.part-1-of-3.h5 IN/p.part-2-of-3.h5 IN/p.part-3-of-3.h5 -o OUT/v.h5 --solid",
         "v.h5"),
    Case("join --overwrite", "join IN/p.part-1-of-3.h5 IN/p.part-2-of-3.h5 IN/p.part-3-of-3.h5 -o OUT/v.h5"
         " --overwrite", "v.h5", old=[RECON]),
    Case("verify", "verify OUT/v.h5", "v.h5", old=[RECON], untouched=True),
    Case("resume when finished", RECON + " --resume", "v.h5", old=[RECON + " --resume"], untouched=True),
]
QUICK = ("recon", "recon --overwrite", "convert to nxtomo", "convert to tiff", "join", "resume when finished")


class Campaign:
    def __init__(self, options, root):
        self.options, self.root = options, root
        self.inputs = root / "in"
        self.inputs.mkdir()
        self.must("simulate markers " + SIZE + " -o IN/scan", root)
        for share in ("1/3", "2/3", "3/3"):
            self.must("recon IN/scan --threads 1 --device cpu --size 24,24,48 -o IN/p.h5 --slabs " + share, root)
        self.input_hash = digest_of_folder(self.inputs)

    def run(self, command, out, fault=None, log=None):
        """The exit code (negative for a signal) and the words of `feldspar COMMAND`."""
        words = [w.replace("IN/", f"{self.inputs}/").replace("OUT/", f"{out}/") for w in command.split()]
        environment = dict(os.environ)
        if fault:
            environment.update(LD_PRELOAD=str(self.options.shim), FELDSPAR_FAULT=fault)
            if log:
                environment["FELDSPAR_FAULT_LOG"] = str(log)
        done = subprocess.run([self.options.program, "-q", *words], env=environment, cwd=out,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        return done.returncode, done.stdout.decode(errors="replace")

    def must(self, command, out):
        code, words = self.run(command, out)
        if code != 0:
            sys.exit(f"{command}: exit code {code}: {words}")

    def content(self, path):
        """What a file or folder holds, but for what varies; None where it is not there or cannot be read."""
        if path.is_dir():
            return digest_of_folder(path)
        if not path.exists():
            return None
        if path.suffix in (".h5", ".nxs"):
            done = subprocess.run([self.options.digest, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if done.returncode != 0:
                return "unreadable"
            return "\n".join(line for line in done.stdout.decode(errors="replace").splitlines()
                             if not VARYING.search(line))
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def fresh(self, case):
        """A folder for a run, with what stands there before it."""
        out = Path(tempfile.mkdtemp(prefix="out-", dir=self.root))
        for command in case.old:
            self.must(command, out)
        return out

    def prepare(self, case):
        """Counts the calls of the case and keeps what it makes."""
        self.before = self.fresh(case)
        out = self.copy_of_before()
        log = self.root / "log"
        log.unlink(missing_ok=True)
        code, words = self.run(case.command, out, f"change NONE 0 0 {self.root.name}", log)
        if code != 0:
            sys.exit(f"{case.name}: exit code {code} without any fault: {words}")
        self.calls = log.read_text().splitlines() if log.exists() else []
        self.expected = self.content(out / case.output)
        self.names = names_in(out)
        self.old = self.state(self.before / case.output)
        shutil.rmtree(out)

    def copy_of_before(self):
        out = Path(tempfile.mkdtemp(prefix="out-", dir=self.root))
        shutil.copytree(self.before, out, dirs_exist_ok=True)  # times of change too
        return out

    @staticmethod
    def state(path):
        """Bytes and time of change of a file that should be left alone."""
        return (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) if path.is_file() else None

    def disturb(self, case, number, what):
        """One run with a fault at call `number`: the outcome, and what is wrong with it, if anything."""
        out = self.copy_of_before()
        try:
            count = 1000000 if what == "ENOSPC" else 1
            code, words = self.run(case.command, out, f"change {what} {number} {count} {self.root.name}")
            wrong = self.wrongs(case, out, code, what)
            outcome = "complete" if code == 0 else "killed" if code == -9 else "refused"
            if code != 0 and not wrong:
                wrong = self.again(case, out)
            if wrong:
                wrong = f"{wrong} [exit code {code}: {words.strip()[-160:]}]"
            return outcome, wrong
        finally:
            shutil.rmtree(out, ignore_errors=True)

    def wrongs(self, case, out, code, what):
        if code < 0 and not (what == "KILL" and code == -9) or code in (134, 139):
            return f"ended by signal {-code}"
        if code == 1:
            return "a mistake of the program itself"
        final = out / case.output
        is_old = self.old is not None and self.state(final) == self.old
        if case.untouched:
            return "" if is_old else "a file that was to be left alone is not"
        is_new = not is_old and self.content(final) == self.expected
        if code == 0:
            if not is_new:
                return "exit code 0, but the output is not complete or not equal"
            if names_in(out) != self.names:
                return f"exit code 0, but there are {sorted(names_in(out) ^ self.names)}"
        elif not (is_new or is_old or self.old is None and not final.exists()):
            return "a file under the final name that is not whole" if final.exists() else "the old file is gone"
        return ""

    def again(self, case, out):
        """The same command once more, undisturbed."""
        final = out / case.output
        if final.exists() and self.content(final) == self.expected:
            return ""  # the fault came after the file had its name
        code, words = self.run(case.command, out)
        left = [p for p in out.iterdir() if p.name.endswith((".partial", ".part"))]
        if code != 0 and left and any(p.name in words for p in left):
            for path in left:  # converting says so, and is begun again
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            code, words = self.run(case.command, out)
        if code != 0:
            return f"a second run fails with exit code {code}: {words.strip()[-160:]}"
        if self.content(final) != self.expected:
            return "a second run makes other bits"
        if names_in(out) != self.names:
            return f"a second run leaves {sorted(names_in(out) ^ self.names)}"
        return ""

    def positions(self):
        count = len(self.calls)
        few = self.options.positions
        return range(count) if few == 0 or count <= few else sorted({n * (count - 1) // (few - 1) for n in range(few)})

    def whole_case(self, case, pool):
        self.prepare(case)
        tasks = {}
        for number in self.positions():
            call = self.calls[number].split()[0]
            for what in FAULTS:
                if what == "SHORT" and call not in ("write", "pwrite") or what != "KILL" and call == "unlink":
                    continue  # what cannot be removed stays
                tasks[pool.submit(self.disturb, case, number, what)] = (number, what)
        tally, wrongs = collections.Counter(), []
        for task in concurrent.futures.as_completed(tasks):
            number, what = tasks[task]
            outcome, wrong = task.result()
            tally["runs"] += 1
            tally[outcome] += 1
            if wrong:
                wrongs.append((number, f"{case.name}: {what} at call {number} ({self.calls[number]}): {wrong}"))
        shutil.rmtree(self.before)
        if digest_of_folder(self.inputs) != self.input_hash:
            sys.exit(f"{case.name}: AN INPUT CHANGED")
        return tally, [text for _, text in sorted(wrongs)]


def names_in(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def digest_of_folder(folder):
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        total.update(str(path.relative_to(folder)).encode() + b"\0")
        if path.is_file():
            total.update(path.read_bytes())
    return total.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--shim", required=True)
    parser.add_argument("--digest", required=True)
    parser.add_argument("--positions", type=int, default=0, help="at most so many of each case; 0 for all")
    parser.add_argument("--quick", action="store_true", help="a few cases, five positions each")
    parser.add_argument("--only", nargs="+", metavar="PART", help="cases whose name begins so")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if options.quick and options.positions == 0:
        options.positions = 5
    chosen = [case for case in CASES if (not options.quick or case.name in QUICK)
              and (not options.only or case.name.startswith(tuple(options.only)))]
    print(f"{'':24}{'calls':>7}{'runs':>7}{'complete':>10}{'refused':>9}{'killed':>8}{'WRONG':>7}", flush=True)
    all_wrongs = []
    with tempfile.TemporaryDirectory(prefix="fault-campaign-") as folder, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        campaign = Campaign(options, Path(folder))
        for case in chosen:
            tally, wrongs = campaign.whole_case(case, pool)
            all_wrongs += wrongs
            print(f"{case.name:24}{len(campaign.calls):7}{tally['runs']:7}{tally['complete']:10}{tally['refused']:9}"
                  f"{tally['killed']:8}{len(wrongs):7}", flush=True)
            for wrong in wrongs[:50]:
                print(f"  {wrong}", flush=True)
    return 1 if all_wrongs else 0


if __name__ == "__main__":
    sys.exit(main())
