"""scripts/bundle, whole: its archive is small enough to travel, and holds what scripts/gpu-check runs and no more.

bundle_test.py SOURCES
"""
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

SOURCES = pathlib.Path(sys.argv[1])
MOST = 48 << 20  # bytes


class Bundle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.archive = pathlib.Path(cls.folder.name, "bundle.tar.gz")
        subprocess.run([SOURCES / "scripts" / "bundle", cls.archive], check=True)
        with tarfile.open(cls.archive) as archive:
            archive.extractall(cls.folder.name)
        cls.root = next(path for path in pathlib.Path(cls.folder.name).iterdir() if path.is_dir())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_can_travel(self):
        self.assertLessEqual(self.archive.stat().st_size, MOST)

    def test_holds_the_tests_that_need_a_device_and_no_others(self):
        listed = subprocess.run(["ctest", "--test-dir", SOURCES / "build" / "bundle", "-L", "^cuda$", "--show-only=json-v1"],
                                check=True, capture_output=True, text=True).stdout
        labelled = {pathlib.Path(test["command"][0]).name for test in json.loads(listed)["tests"] if "command" in test}
        self.assertTrue(labelled)
        self.assertEqual({path.name for path in (self.root / "tests").iterdir()}, labelled)

    def test_finds_its_libraries_beside_itself(self):
        for program in self.root.glob("*/*"):
            if program.parent.name in ("bin", "tests", "benchmarks"):
                used = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
                for line in used.splitlines():
                    if "/libhdf5" in line or "/libfmt" in line or "/libgtest" in line or "/libstdc++" in line:
                        self.assertIn(str(self.root / "lib"), line)

    def test_the_check_finds_every_program(self):
        done = subprocess.run([self.root / "scripts" / "gpu-check", "--output", self.root / "out", "--device", "cpu:baseline",
                               "--size", "64", "--views", "60", "--seconds", "300"], capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, 1), done.stdout + done.stderr)
        self.assertNotIn(" is not in ", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
