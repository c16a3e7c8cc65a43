"""scripts/gpu-check with programs that stand in for the real ones: what it runs, reports and exits with.

gpu_check_test.py GPU_CHECK FELDSPAR
"""
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

GPU_CHECK, FELDSPAR = sys.argv[1:3]

DEVICE = '[{"name": "cuda:0", "description": "a stand-in", "usable": true, "unavailable": ""}]'
NO_DEVICE = '[{"name": "cuda", "description": "NVIDIA GPU", "usable": false, "unavailable": "no driver"}]'
CASES = '''{"testsuites": [{"testsuite": [
  {"classname": "A", "name": "good", "result": "COMPLETED"},
  {"classname": "A", "name": "other", "result": "%s"%s}]}]}'''
WHOLE = ('{"total_s": 2, "gups_total": 10, "back_projection_s": 1, "gups_back_projection": 20, '
         '"merged_views": 4, "worst_deviation": 0.5}')


class GpuCheck(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.program("feldspar", f"echo '{DEVICE}'")
        for name in ("backend", "methods", "merged", "forward"):
            self.suite(f"cuda_{name}_test", "COMPLETED")
        self.program("whole_run_benchmark", f"echo '{WHOLE}'")
        for name in ("kernels_benchmark", "cuda_variants_benchmark"):
            self.program(name, """echo '{"benchmarks": [{"name": "a/cuda:0/64/real_time", "GUPS": 5}]}'""")

    def tearDown(self):
        self.folder.cleanup()

    def program(self, name, script, folder="bin"):
        path = self.root / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def suite(self, name, result, more=""):
        """A test program whose second case ends with `result` and what else is said of it."""
        report = CASES % (result, more)
        self.program(name, f"cat >\"${{1#--gtest_output=json:}}\" <<'END'\n{report}\nEND\n"
                           + ("exit 1" if "failures" in more else ""))

    def run_check(self, *arguments, programs=None):
        environment = {**os.environ, "PATH": f"{self.root / 'path'}:{os.environ['PATH']}"}
        done = subprocess.run([GPU_CHECK, "--programs", programs or self.root, "--output", self.root / "out",
                               "--size", "64", "--views", "60", *arguments], capture_output=True, text=True, check=False,
                              env=environment)
        report = json.loads((self.root / "out" / "gpu_check.json").read_text(encoding="utf-8"))
        return done, {step["step"]: step for step in report["steps"]}

    def test_without_a_device_all_is_skipped_and_it_says_why(self):
        self.program("feldspar", f"echo '{NO_DEVICE}'")
        done, steps = self.run_check()
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertEqual([s["status"] for s in steps.values()], ["skipped"])
        self.assertIn("no driver", done.stdout)

    def test_the_real_program_answers_as_the_stand_in_does(self):
        done, steps = self.run_check("--device", "cuda:99", programs=pathlib.Path(FELDSPAR).parent)
        self.assertEqual(done.returncode, 77, done.stdout + done.stderr)
        self.assertTrue(steps["device"]["note"])

    def test_passes_when_all_that_ran_passed(self):
        done, steps = self.run_check()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for step in ("cuda_backend_test", "whole run 64, 60", "whole run 64, 60 merged", "kernels_benchmark"):
            self.assertEqual(steps[step]["status"], "passed", steps[step])
        self.assertEqual(steps["whole run 64, 60"]["results"]["gups_total"], 10)
        self.assertEqual(steps["kernels_benchmark"]["results"], {"a/cuda:0/64": {"GUPS": 5}})
        self.assertEqual(steps["ASTRA 64, 60"]["status"], "skipped")

    def test_judges_the_filter_by_cufft_where_there_is_one(self):
        line = '{"lengths": [{"mpixel_per_s": 6, "cufft_mpixel_per_s": 2, "difference": 1e-7}]}'
        self.program("filter_against_cufft_benchmark", f"echo table; echo '{line}'")
        done, steps = self.run_check()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("3.0 to 3.0 times cuFFT's rate", steps["filter against cuFFT"]["note"])
        self.program("filter_against_cufft_benchmark", "echo needs cuFFT; exit 77")
        done, steps = self.run_check()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(steps["filter against cuFFT"]["status"], "skipped")
        self.program("filter_against_cufft_benchmark", f"echo '{line}'; exit 1")
        self.assert_fails("filter against cuFFT", "exit code 1")

    def assert_fails(self, step, word, *arguments):
        done, steps = self.run_check(*arguments)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual([s for s in steps if steps[s]["status"] == "failed"], [step])
        self.assertIn(word, steps[step]["note"])
        return steps

    def test_names_the_case_that_failed(self):
        self.suite("cuda_merged_test", "COMPLETED", ', "failures": [{"failure": "wrong"}]')
        self.assert_fails("cuda_merged_test", "A.other")

    def test_goes_on_after_a_crash(self):
        self.program("cuda_methods_test", "kill -SEGV $$")
        steps = self.assert_fails("cuda_methods_test", "signal 11")
        self.assertEqual(steps["kernels_benchmark"]["status"], "passed")

    def test_cases_that_find_no_device_fail_where_there_is_one(self):
        self.suite("cuda_backend_test", "SKIPPED", '}, {"classname": "A", "name": "third", "result": "SKIPPED"')
        self.assert_fails("cuda_backend_test", "although there is a device")

    def test_a_wrong_volume_fails(self):
        self.program("whole_run_benchmark", f"[ $# = 9 ] || exit 0; echo '{WHOLE}'; exit 9")
        done, steps = self.run_check()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("wrong by 50.0 %", steps["whole run 64, 60 merged"]["note"])

    def test_ends_what_takes_too_long(self):
        self.program("kernels_benchmark", "sleep 60")
        done, steps = self.run_check("--seconds", "2.5")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("was ended", steps["kernels_benchmark"]["note"])
        self.assertIn("no time was left", steps["cuda_variants_benchmark"]["note"])

    def test_a_case_that_hangs_is_named_and_ended_by_its_own_limit(self):
        case = "echo '[ RUN      ] A.{0}'; sleep 1; echo '[       OK ] A.{0} (1000 ms)'\n"
        self.program("cuda_methods_test", "".join(case.format(n) for n in "abcd") + "echo '[ RUN      ] A.hangs'; sleep 60")
        steps = self.assert_fails("cuda_methods_test", "in A.hangs; 4 cases had passed", "--case-seconds", "3")
        self.assertGreater(steps["cuda_methods_test"]["seconds"], 6.5)
        self.assertLess(steps["cuda_methods_test"]["seconds"], 30)
        shown = subprocess.run([GPU_CHECK, "--help"], capture_output=True, text=True, check=True).stdout
        self.assertIn("time for each case of a test (default: 30)", " ".join(shown.split()))

    def sanitizer(self, script):
        self.program("compute-sanitizer", script, "path")

    def test_a_memory_checker_that_does_not_know_the_device_is_skipped(self):
        self.sanitizer("echo '========= COMPUTE-SANITIZER'\n"
                       "echo '========= Error: Device not supported. Please refer to the \"Supported Devices\" section'\nexit 1")
        done, steps = self.run_check()
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(steps["memcheck cuda_backend"]["status"], "skipped")
        self.assertIn("Device not supported", steps["memcheck cuda_backend"]["note"])

    def test_a_memory_checker_that_finds_an_error_fails(self):
        self.sanitizer("[ $2 = racecheck ] && exit 0\necho '========= Invalid __global__ read of size 4 bytes'\n"
                       "echo '========= ERROR SUMMARY: 1 error'\nexit 99")
        done, steps = self.run_check()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("1 error", steps["memcheck cuda_backend"]["note"])
        self.assertEqual(steps["racecheck cuda_backend"]["status"], "passed")

    def test_a_memory_checker_that_is_too_slow_is_skipped_unless_it_had_found_something(self):
        self.sanitizer("echo '========= COMPUTE-SANITIZER'; echo '[ RUN      ] A.good'\n"
                       "[ $2 = racecheck ] || echo '========= Invalid __global__ read of size 4 bytes'\nexec sleep 60")
        done, steps = self.run_check("--case-seconds", "1")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(steps["memcheck cuda_backend"]["status"], "failed")
        self.assertIn("Invalid __global__ read", steps["memcheck cuda_backend"]["note"])
        self.assertEqual(steps["racecheck cuda_backend"]["status"], "skipped")
        self.assertIn("without an error in A.good", steps["racecheck cuda_backend"]["note"])

    def test_a_benchmark_that_is_ended_or_crashes_keeps_the_rates_it_has(self):
        begun = """echo '{"context": {"caches": [{}]}, "benchmarks": [{"name": "a/cuda:0/64/real_time", "GUPS": 5},'
                   echo '{"name": "b/cuda:0/64/real_time", "Mpixel": 7}, {"name": "c/cu'\n"""
        for end, said in (("exec sleep 60", "was ended"), ("kill -SEGV $$", "signal 11")):
            self.program("kernels_benchmark", begun + end)
            done, steps = self.run_check("--seconds", "4")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertEqual(steps["kernels_benchmark"]["status"], "failed")
            self.assertIn(said, steps["kernels_benchmark"]["note"])
            self.assertIn("2 rates until then", steps["kernels_benchmark"]["note"])
            self.assertEqual(steps["kernels_benchmark"]["results"],
                             {"a/cuda:0/64": {"GUPS": 5}, "b/cuda:0/64": {"Mpixel": 7}})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
