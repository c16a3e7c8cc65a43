"""scripts/fresh-machine with a stand-in for debootstrap: whatever ends it, nothing of it stays mounted, running or on the disk.

fresh_machine_test.py FRESH_MACHINE       exit code 77 where an ordinary user may not be root of a namespace
"""
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

SCRIPT = sys.argv[1]
AS_ROOT = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
DEBOOTSTRAP = """#!/bin/sh
for last; do case $last in */fresh-*) system=$last ;; esac; done
mkdir "$system/mounted" && mount -t tmpfs tmpfs "$system/mounted" && echo full >"$system/mounted/file"
echo "$system" >"$NOTE.part" && mv "$NOTE.part" "$NOTE"
"""


class FreshMachine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.note = self.root / "note"
        (self.root / "systems").mkdir()

    def tearDown(self):
        self.folder.cleanup()

    def start(self, end_of_stand_in):
        path = self.root / "path" / "debootstrap"
        path.parent.mkdir()
        path.write_text(DEBOOTSTRAP + end_of_stand_in, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        environment = {**os.environ, "NOTE": str(self.note), "PATH": f"{path.parent}:{os.environ['PATH']}"}
        return subprocess.Popen([*AS_ROOT, SCRIPT, "trixie", self.root / "systems"], env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def assert_nothing_stays(self):
        system = self.note.read_text(encoding="utf-8").strip()
        self.assertTrue(system.startswith(str(self.root / "systems" / "fresh-trixie.")), system)
        self.assertEqual(list((self.root / "systems").iterdir()), [])
        self.assertNotIn(system, pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8"))
        self.assertEqual(subprocess.run(["pgrep", "-f", system], stdout=subprocess.DEVNULL, check=False).returncode, 1)

    def test_a_signal(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                self.tearDown()
                self.setUp()
                process = self.start("exec sleep 300\n")
                end = time.monotonic() + 60
                while not self.note.exists() and time.monotonic() < end:
                    time.sleep(0.02)
                process.send_signal(number)
                output, _ = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 130, output)
                self.assert_nothing_stays()

    def test_a_system_that_cannot_be_made(self):
        process = self.start("exit 3\n")
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, output)
        self.assertIn("debootstrap could not make trixie from http", output)
        self.assert_nothing_stays()

    def test_a_wrong_call(self):
        for arguments in ([], ["--suite"], ["Debian 13"], ["trixie", "/nowhere"]):
            done = subprocess.run([*AS_ROOT, SCRIPT, *arguments], capture_output=True, text=True, check=False)
            self.assertIn(done.returncode, (1, 2), done.stderr)
            self.assertIn("fail", done.stderr)


if __name__ == "__main__":
    probe = [*AS_ROOT, "unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", tempfile.gettempdir()]
    if subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        print("skipped: no namespaces for this user here")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
