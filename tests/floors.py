#!/usr/bin/env python3
"""Checks that the house stands: who includes whom, third parties at their doorways, files and functions that stay short, one set of limits.

    floors.py FOLDER       prints every breach in the project at FOLDER; exit code 1 when there is one
    floors.py --self-test  plants every kind of breach in a small project and sees that each is found
"""

import pathlib
import re
import sys
import tempfile
import unittest

# A file may include its own folder, and the folders of lower floors.
FLOORS = {"base": 0, "geometry": 1, "kernels": 2, "io": 2, "recon": 3, "simulate": 3, "run": 4, "cli": 5, "python": 5}

# The wings of recon/, the lowest first: a file there may include its own wing, the files of recon/ itself and the wings
# of lower storeys; wings on one storey do not know each other.
WINGS = [["setup", "measure", "registration"], ["line_integrals"], ["correct", "truncation", "slabs"], ["fdk"], ["find"], ["verify"]]

# Folders of a backend, which only kernels/ itself may look into; and neither may another backend.
BACKENDS = ("kernels/cpu/", "kernels/cuda/", "kernels/reference/")

# The reference must be able to disagree with the fast backends, so it shares no arithmetic with them.
NOT_FOR_REFERENCE = ("kernels/shared/", "kernels/view_matrix.hpp")

# What may be included in angle brackets beside the standard library and the system, and where. Tests and
# benchmarks may include any of it.
DOORWAYS = [
    (r"fmt/", [""]),
    (r"spdlog/", ["base/"]),
    (r"(cuda|cublas|curand|nvtx|nvToolsExt|thrust/|cub/|cooperative_groups|math_constants)", ["kernels/cuda/"]),
    (r"([a-z]+mmintrin\.h|immintrin\.h|x86intrin\.h|arm_neon\.h|arm_sve\.h|hwy/|cpuid\.h)", ["kernels/cpu/"]),
    (r"(hdf5(_hl)?\.h|H5[A-Za-z]*\.h|highfive/|libdeflate\.h|zlib\.h)", ["io/hdf5/"]),
    (r"tiff[a-z]*\.h(xx)?$", ["io/tiff/"]),
    (r"png\.h$", ["io/png/"]),
    (r"xxhash\.h$|xxh3\.h$", ["io/"]),
    (r"itk[A-Z]", ["io/itk/", "recon/registration/"]),
    (r"xraylib(-|\.h|/)", ["simulate/"]),
    (r"CLI/", ["cli/"]),
    (r"toml\+\+/", ["run/", "cli/", "io/stack/", "io/sample/"]),
    (r"nlohmann/", ["cli/", "io/"]),
    (r"(nanobind/|pybind11/|Python\.h)", ["python/"]),
    (r"(gtest/|gmock/|benchmark/|fftw3\.h)", []),
]

STANDARD = re.compile(r"[a-z_]+[0-9]*$")
SYSTEM = re.compile(r"((sys|linux|netinet|arpa)/[a-z_]+\.h|(unistd|fcntl|sched|pthread|signal|poll|dirent|errno|fnmatch|malloc)\.h)$")
INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
SOURCES = {".hpp", ".cpp", ".cu", ".cuh", ".h", ".c", ".py"}
# Functions of <algorithm>, which one standard library's other headers bring along and the next one's do not.
ALGORITHM = re.compile(r"\bstd::(ranges::)?((all|any|none)_of|for_each|find(_if|_if_not|_end|_first_of)?|count(_if)?|mismatch|equal"
                       r"|search|copy(_if|_n|_backward)?|swap_ranges|transform|replace(_if)?|fill(_n)?|generate(_n)?|remove(_if)?"
                       r"|unique|reverse|rotate|shuffle|sample|partition|(stable_|partial_)?sort|is_sorted|nth_element"
                       r"|(lower|upper)_bound|equal_range|binary_search|merge|includes|set_[a-z_]+|(push|pop|make|sort)_heap"
                       r"|(min|max|minmax)(_element)?|clamp|lexicographical_compare|next_permutation|adjacent_find)\(")
FRAGMENT = "Included only by"  # what a header says that is a piece of one file, and no header by itself
ANYWHERE = ("tests/", "benchmarks/")
FLAG = re.compile(r'^[^"/]*(?:"(?:[^"\\]|\\.)*"[^"/]*)*?"(?:[^"\\]|\\.)*?(--[a-z][a-z-]*)')  # in a text
HELP = "run/options.cpp"  # help of options speaks of options
# The limits. CONTRIBUTING.md states them and .clang-tidy, which sees the functions of C++, two; limits_elsewhere() compares.
LINES = 400
LINES_OF_TESTS = 600
LINES_OF_FUNCTION = 60
LINES_OF_NINE_IN_TEN = 20  # functions of the floors; those of tests and benchmarks do not count
PARAMETERS = 6
STATED = [
    ("CONTRIBUTING.md", r"at most (\d+) lines \(tests (\d+)\)", (LINES, LINES_OF_TESTS)),
    ("CONTRIBUTING.md", r"at most (\d+) lines\s+and\s+(\d+)\s+parameters", (LINES_OF_FUNCTION, PARAMETERS)),
    ("CONTRIBUTING.md", r"nine in ten have at most (\d+) lines", (LINES_OF_NINE_IN_TEN,)),
    (".clang-tidy", r"function-size\.LineThreshold, value: '(\d+)'", (LINES_OF_FUNCTION,)),
    (".clang-tidy", r"function-size\.ParameterThreshold, value: '(\d+)'", (PARAMETERS,)),
]


def project_files(root):
    """Paths of all sources, relative to `root`, with forward slashes."""
    for folder in (*FLOORS, "tests", "benchmarks"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SOURCES and path.is_file():
                yield path.relative_to(root).as_posix()


def storey(file):
    """Which storey of recon/ a file is on: that of its wing, below all wings where it is in none, None where it is elsewhere."""
    parts = file.split("/")
    if parts[0] != "recon":
        return None
    return next((n for n, wings in enumerate(WINGS) if parts[1] in wings), -1 if len(parts) == 2 else len(WINGS))


def why_not_wing(file, included):
    """Why `file` of recon/ may not include "included" of recon/, or None."""
    wing, other = (name.rpartition("/")[0] for name in (file, included))
    if wing == other or storey(included) < storey(file):
        return None
    return f"is not in a wing below {wing}/"


def why_not_project(file, included):
    """Why `file` may not include the project's "included", or None."""
    floor, other = file.split("/")[0], included.split("/")[0]
    if "/" not in included or (other not in FLOORS and other != "tests"):
        return "is no path from the project's root, as in \"geometry/scan.hpp\""
    if file.startswith(ANYWHERE):
        return None
    if other == "tests":
        return "is a test's"
    if other != floor and FLOORS[other] >= FLOORS[floor]:
        return f"is not on a floor below {floor}/"
    if floor == other == "recon" and why_not_wing(file, included):
        return why_not_wing(file, included)
    backend = next((b for b in BACKENDS if included.startswith(b)), None)
    if backend and floor != "kernels":
        return "is a backend's own; go through kernels/backend.hpp"
    if backend and file.startswith(BACKENDS) and not file.startswith(backend):
        return "is another backend's own"
    if file.startswith("kernels/reference/") and included.startswith(NOT_FOR_REFERENCE):
        return "is arithmetic of the fast backends, which the reference must not share"
    return None


def why_not_foreign(file, included):
    """Why `file` may not include <included>, or None."""
    if file.startswith(ANYWHERE) or STANDARD.match(included) or SYSTEM.match(included):
        return None
    for pattern, doors in DOORWAYS:
        if re.match(pattern, included):
            if any(file.startswith(door) for door in doors):
                return None
            return f"belongs to {' and '.join(doors) or 'tests/ and benchmarks/'} only"
    return "is in no doorway of tests/floors.py; give the library its one folder there"


def breaches_of_file(file, text):
    lines = text.splitlines()
    if not file.startswith((*ANYWHERE, "cli/", "python/")) and not file.endswith(".py") and file != HELP:
        for number, line in enumerate(lines, 1):
            flag = FLAG.search(line)
            if flag:
                yield f"{file}:{number}: {flag.group(1)} is cli/'s to say; name the option in a remedy (base/remedy.hpp)"
    limit = LINES_OF_TESTS if file.startswith("tests/") else LINES
    if len(lines) > limit:
        yield f"{file}: {len(lines)} lines, more than {limit}"
    if file.endswith((".hpp", ".cuh")):
        if not re.match(r"// \S", text):
            yield f"{file}:1: a header begins with a // comment that says what it is for"
        if "#pragma once" not in lines and FRAGMENT not in text:
            yield f"{file}:1: a header has #pragma once, or says \"{FRAGMENT} FILE\""
    if not file.endswith(".py") and "#include <algorithm>" not in lines and FRAGMENT not in text:
        for number, line in enumerate(lines, 1):
            used = ALGORITHM.search(line.partition("//")[0])
            if used:
                yield f"{file}:{number}: {used.group()[:-1]} needs #include <algorithm>"
                break
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        if not include:
            continue
        project, foreign = include.groups()
        reason = why_not_project(file, project) if project else why_not_foreign(file, foreign)
        if reason:
            yield f"{file}:{number}: {project or foreign} {reason}"


# What holds no code: comments, texts, lines of the preprocessor.
NO_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\''
                     r"|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.DOTALL | re.MULTILINE)
NO_PARAMETERS = re.compile(r"\b(alignas|decltype|explicit|noexcept|requires|__attribute__|__launch_bounds__|operator)\s*$")
TYPE = re.compile(r"(template\s*<.*>\s*)?(class|struct|union|enum)\b", re.DOTALL)
ACCESS = re.compile(r"\b(public|private|protected)\s*:")
NO_DECLARATION = re.compile(r"using\b|typedef\b|friend\b|static_assert\b")


def parameters_of(head):
    """The number of parameters where `head` is how a function begins, else None: the commas of its first parentheses."""
    depth, start = 0, None
    for at, letter in enumerate(head):
        if letter == "(":
            if depth == 0 and start is None and not NO_PARAMETERS.search(head[:at]):
                start = at
            depth += 1
        elif letter == ")":
            depth -= 1
            if depth == 0 and start is not None:
                return commas_of(head[start + 1:at])
        elif letter == "=" and depth == 0 and not re.search(r"operator\W*$|template\s*<[^>]*$", head[:at]):
            return None  # a variable
    return None


def commas_of(text):
    """How many parts the commas make of `text` that are in no bracket."""
    depth = commas = 0
    for at, letter in enumerate(text):
        depth += letter in "([{<"
        depth -= letter in ")]}" or (letter == ">" and text[at - 1] != "-")
        commas += letter == "," and depth == 0
    return commas + 1 if text.strip() else 0


def functions_of(text):
    """(line, lines, parameters) of each function in formatted C++; lines are 0 of one that is only declared. A lambda is a
    part of its function."""
    code = NO_CODE.sub(lambda found: re.sub(r"[^\n]", "_" if found.group()[0] in "\"'R" else " ", found.group()), text)
    scopes, start, parentheses = [], 0, 0  # of each open brace: where the function begins, None of a namespace or type, or False

    def line(at):
        return code.count("\n", 0, at) + 1

    for found in re.finditer(r"[][(){};]", code):
        at, letter = found.start(), found.group()
        outside = not parentheses and all(scope is None for scope, _ in scopes)
        head = ACCESS.sub(lambda found: " " * len(found.group()), code[start:at]) if letter in "{;" and outside else ""
        first = start + len(head) - len(head.lstrip())
        if letter in "([":
            parentheses += 1
        elif letter in ")]":
            parentheses -= 1
        elif letter == ";" and outside:
            declared = parameters_of(re.sub(r"=\s*(0|default|delete)\s*$", "", head))
            if declared and not NO_DECLARATION.match(head.strip()):
                yield line(first), 0, declared
            start = at + 1
        elif letter == "{":
            kind = False
            if outside and re.match(r"(inline\s+)?namespace\b|extern\s*_", head.strip()) or TYPE.match(head.strip()):
                kind, start = None, at + 1
            elif outside and parameters_of(head) is not None:
                initialiser = re.search(r"\)[^:()]*(?<!:):(?!:)", head) and not re.search(r"[)}]\s*$", head)
                kind = False if initialiser else (first, parameters_of(head))
            scopes.append((kind, parentheses))
            parentheses = 0
        elif letter == "}":
            kind, parentheses = scopes.pop()
            if kind:
                yield line(kind[0]), line(at) - line(kind[0]) + 1, kind[1]
            if kind is not False:
                start = at + 1


def breaches_of_functions(file, functions):
    for line, lines, parameters in functions:
        if lines > LINES_OF_FUNCTION:
            yield f"{file}:{line}: a function of {lines} lines, more than {LINES_OF_FUNCTION}"
        if parameters > PARAMETERS:
            yield f"{file}:{line}: {parameters} parameters, more than {PARAMETERS}"


def too_many_long(lengths):
    """A breach where more than one function in ten is long."""
    long = sum(lines > LINES_OF_NINE_IN_TEN for lines in lengths)
    if 10 * long > len(lengths):
        yield f"{long} of {len(lengths)} functions have more than {LINES_OF_NINE_IN_TEN} lines, more than one in ten"


def limits_elsewhere(root):
    """Breaches where the project's other files, as far as there are any, state other limits."""
    for name, pattern, limits in STATED:
        path = root / name
        if not path.is_file():
            continue
        stated = re.search(pattern, path.read_text(encoding="utf-8"))
        if not stated or tuple(map(int, stated.groups())) != limits:
            yield f"{name}: states {stated.group() if stated else 'no limit'!r}, where tests/floors.py has {limits}"


def versions_apart(root):
    """A breach where CITATION.cff has another version than CMakeLists.txt."""
    versions = {}
    for name, pattern in [("CMakeLists.txt", r"project\(feldspar VERSION (\S+)"), ("CITATION.cff", r"(?m)^version: (\S+)$")]:
        if (root / name).is_file():
            found = re.search(pattern, (root / name).read_text(encoding="utf-8"))
            versions[name] = found.group(1) if found else "none"
    if len(versions) == 2 and len(set(versions.values())) == 2:
        yield f"CITATION.cff: version {versions['CITATION.cff']}, where CMakeLists.txt has {versions['CMakeLists.txt']}"


def codes_unlisted(root):
    """Breaches where docs/findings.md lists other findings or checks than the headers have."""
    page = root / "docs/findings.md"
    if not page.is_file():
        return
    text = page.read_text(encoding="utf-8")
    kinds = re.findall(r'\{"([a-z-]+\.[a-z-]+)", Severity::(\w+)\}', (root / "base/findings.hpp").read_text(encoding="utf-8"))
    listed = re.findall(r"(?m)^\| `([^`]+)` \| (\w+) \|", text)
    for code, severity in sorted(set(kinds) ^ set(listed)):
        yield f"docs/findings.md: {code} ({severity}) is only in {'base/findings.hpp' if (code, severity) in kinds else 'the page'}"
    checks = (root / "recon/verify/verdict.hpp").read_text(encoding="utf-8")
    for check in re.findall(r'\{"([a-z-]+)",\s*"[^"]*"\}', checks):
        if f"`{check}`" not in text:
            yield f"docs/findings.md: lacks the check {check}"


def breaches(root):
    yield from codes_unlisted(root)
    yield from limits_elsewhere(root)
    yield from versions_apart(root)
    lengths = []
    for file in project_files(root):
        text = (root / file).read_text(encoding="utf-8")
        yield from breaches_of_file(file, text)
        functions = [] if file.endswith(".py") else list(functions_of(text))
        yield from breaches_of_functions(file, functions)
        lengths += [lines for _, lines, _ in functions if lines and not file.startswith(ANYWHERE)]
    yield from too_many_long(lengths)


class SelfTest(unittest.TestCase):
    """Each case is a file in an otherwise empty project, and what must be said of it."""

    def found(self, file, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return list(breaches(pathlib.Path(folder)))

    def assert_breach(self, file, text, said):
        found = self.found(file, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(said, found[0])

    def test_what_is_allowed(self):
        for file, text in [
            ("io/hdf5/a.cpp", '#include <hdf5.h>\n#include <vector>\n#include <sys/stat.h>\n#include "geometry/a.hpp"\n'),
            ("kernels/backends.cpp", '#include "kernels/cuda/a.hpp"\n#include "base/a.hpp"\n'),
            ("kernels/cuda/a.cu", '#include <cuda_runtime.h>\n#include "kernels/shared/a.hpp"\n'),
            ("recon/a.cpp", '#include "io/a.hpp"\n#include "kernels/a.hpp"\n#include <fmt/format.h>\n'),
            ("cli/a.cpp", '#include <CLI/CLI.hpp>\n#include "recon/a.hpp"\n#include "simulate/a.hpp"\n'),
            ("tests/io/a.cpp", "#include <hdf5.h>\n#include <gtest/gtest.h>\n" + "\n" * (LINES_OF_TESTS - 2)),
            ("base/a.hpp", "// What it is for.\n#pragma once\n"),
        ]:
            with self.subTest(file):
                self.assertEqual(self.found(file, text), [])

    def test_floors(self):
        for file, included in [
            ("base/a.cpp", "geometry/a.hpp"), ("geometry/a.cpp", "kernels/a.hpp"), ("io/a.cpp", "kernels/a.hpp"),
            ("kernels/a.cpp", "io/a.hpp"), ("recon/a.cpp", "simulate/a.hpp"), ("simulate/a.cpp", "recon/a.hpp"),
            ("recon/a.cpp", "cli/a.hpp"), ("kernels/cpu/a.cpp", "recon/a.hpp"),
        ]:
            with self.subTest(f"{file} -> {included}"):
                self.assert_breach(file, f'#include "{included}"\n', "is not on a floor below")

    def test_wings(self):
        for file, included in [
            ("recon/line_integrals/a.cpp", "recon/fdk/a.hpp"), ("recon/line_integrals/a.cpp", "recon/slabs/a.hpp"),
            ("recon/a.hpp", "recon/setup/a.hpp"), ("recon/slabs/a.cpp", "recon/correct/a.hpp"),
            ("recon/find/a.cpp", "recon/verify/a.hpp"), ("recon/fdk/a.cpp", "recon/unheard_of/a.hpp"),
        ]:
            with self.subTest(f"{file} -> {included}"):
                self.assert_breach(file, "// What.\n#pragma once\n" + f'#include "{included}"\n', "is not in a wing below")
        for file, included in [("recon/verify/a.cpp", "recon/verify/b.hpp"), ("recon/fdk/a.cpp", "recon/slabs/a.hpp"),
                               ("recon/setup/a.cpp", "recon/a.hpp")]:
            self.assertEqual(self.found(file, f'#include "{included}"\n'), [])

    def test_backends(self):
        self.assert_breach("recon/a.cpp", '#include "kernels/cpu/a.hpp"\n', "a backend's own")
        self.assert_breach("kernels/cpu/a.cpp", '#include "kernels/cuda/a.hpp"\n', "another backend's own")
        self.assert_breach("kernels/reference/a.cpp", '#include "kernels/shared/a.hpp"\n', "must not share")

    def test_paths(self):
        self.assert_breach("io/a.cpp", '#include "a.hpp"\n', "no path from the project's root")
        self.assert_breach("io/a.cpp", '#include "../base/a.hpp"\n', "no path from the project's root")
        self.assert_breach("io/a.cpp", '#include "tests/support/a.hpp"\n', "is a test's")

    def test_doorways(self):
        for file, included in [
            ("kernels/a.cpp", "cuda_runtime.h"), ("kernels/cuda.cpp", "cuda.h"), ("kernels/shared/a.cpp", "immintrin.h"),
            ("kernels/a.cpp", "emmintrin.h"), ("io/a.cpp", "hdf5.h"), ("io/nikon/a.cpp", "tiffio.h"),
            ("cli/a.cpp", "png.h"), ("recon/a.cpp", "xraylib.h"), ("recon/a.cpp", "CLI/CLI.hpp"),
            ("recon/a.cpp", "toml++/toml.h"), ("kernels/cpu/a.cpp", "fftw3.h"), ("recon/a.cpp", "spdlog/spdlog.h"),
            ("io/itk.cpp", "itkImage.h"), ("base/a.cpp", "gtest/gtest.h"),
        ]:
            with self.subTest(f"{file} -> {included}"):
                self.assert_breach(file, f"  #  include <{included}>\n", "only")

    def test_unknown_third_party(self):
        self.assert_breach("io/a.cpp", "#include <boost/any.hpp>\n", "in no doorway")

    def test_lengths(self):
        self.assert_breach("base/a.cpp", "\n" * (LINES + 1), f"more than {LINES}")
        self.assert_breach("tests/base/a.cpp", "\n" * (LINES_OF_TESTS + 1), f"more than {LINES_OF_TESTS}")

    def test_lengths_of_functions(self):
        short = "\n".join(f"void f{n}() {{}}" for n in range(20)) + "\n"
        body = "  g();\n" * (LINES_OF_FUNCTION - 2)
        for file in ("base/a.cpp", "kernels/cuda/a.cu", "tests/base/a.cpp"):
            for head in ("void f() {", "A::A(int a) : a_{a}, b_(b) {", "template <class T>\nstatic auto f(T t) -> std::vector<T> {",
                         "bool operator()(int a) const noexcept {", "TEST(A, B) {", "struct A {\n  void f() {"):
                with self.subTest(f"{file}: {head}"):
                    end = "}\n" * head.count("{\n") + "}\n"
                    lines = head.count("\n") * (not head.startswith("struct"))
                    allowed = short + head + "\n" + "  g();\n" * (LINES_OF_FUNCTION - 2 - lines) + end
                    self.assertEqual(self.found(file, allowed), [])
                    self.assert_breach(file, allowed.replace("  g();\n", "  g();\n  g();\n", 1), "a function of")
        self.assert_breach("base/a.cpp", short + "namespace {\nvoid f() {\n" + body + "  x([] { return 1; });\n}\n}\n", "a function of")
        self.assertEqual(self.found("base/a.cpp", short + "constexpr auto text = R\"({\n" + body + ")\";\n"), [])

    def test_most_functions_are_short(self):
        long = "void f() {\n" + "  g();\n" * (LINES_OF_NINE_IN_TEN - 1) + "}\n"
        self.assertEqual(self.found("base/a.cpp", long + "void g() {}\n" * 9), [])
        self.assert_breach("base/a.cpp", long + "void g() {}\n" * 8, "more than one in ten")
        self.assertEqual(self.found("tests/base/a.cpp", long), [])

    def test_parameters(self):
        seven = ", ".join(f"std::map<int, int> a{n} = {{1, 2}}" for n in range(PARAMETERS + 1))
        six = seven.rpartition(", std::map")[0]
        for text in ("void f({}) {{}}\n", "void f({});\n", "struct A {{\n  virtual void f({}) = 0;\n}};\n", "struct A {{\n public:\n  A({});\n}};\n",
                     "template <class T = int>\nint operator()({}) const {{\n}}\n", "__global__ void __launch_bounds__(1, 2) f({}) {{\n}}\n"):
            with self.subTest(text):
                self.assertEqual(self.found("kernels/cuda/a.cu", text.format(six)), [])
                self.assert_breach("kernels/cuda/a.cu", text.format(seven), f"{PARAMETERS + 1} parameters")
        self.assertEqual(self.found("base/a.cpp", "const A a = f(1, 2, 3, 4, 5, 6, 7, 8);\nenum E {a, b, c, d, e, f, g, h};\n"), [])

    def test_limits_elsewhere(self):
        tidy = (f"  - {{key: readability-function-size.LineThreshold, value: '{LINES_OF_FUNCTION}'}}\n"
                f"  - {{key: readability-function-size.ParameterThreshold, value: '{PARAMETERS}'}}\n")
        style = (f"- at most {LINES} lines (tests {LINES_OF_TESTS}); a function at most {LINES_OF_FUNCTION} lines and\n"
                 f"  {PARAMETERS} parameters; nine in ten have at most {LINES_OF_NINE_IN_TEN} lines.\n")
        for file, text in [(".clang-tidy", tidy), ("CONTRIBUTING.md", style)]:
            self.assertEqual(self.found(file, text), [])
            for limit in {LINES, LINES_OF_TESTS, LINES_OF_FUNCTION, LINES_OF_NINE_IN_TEN, PARAMETERS}:
                if re.search(rf"\b{limit}\b", text):
                    self.assert_breach(file, re.sub(rf"\b{limit}\b", str(limit + 1), text), "where tests/floors.py has")
        self.assertEqual(len(self.found("CONTRIBUTING.md", "Nothing.\n")), 3)

    def test_flags(self):
        for text in ('f("give --axis-offset auto");\n', 'f("a", "{}: --views");\n', '  "or --fast off"  // way out\n'):
            with self.subTest(text):
                self.assert_breach("io/a.cpp", text, "is cli/'s to say")
                for file in ("cli/a.cpp", "tests/io/a.cpp", HELP):
                    self.assertEqual(self.found(file, text), [])
        self.assertEqual(self.found("io/a.cpp", '// "--axis-offset"\nint a = --b; f("x--");\nf("a", --b, "c");\n'), [])

    def test_codes_unlisted(self):
        with tempfile.TemporaryDirectory() as folder:
            for file, text in [("base/findings.hpp", '{"a.b", Severity::note},\n{"a.c", Severity::warning},\n'),
                               ("recon/verify/verdict.hpp", '{"air-level", "level of air"}'),
                               ("docs/findings.md", "| `a.b` | note | x |\n| `a.c` | note | x |\n")]:
                path = pathlib.Path(folder, file)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            self.assertEqual(len(list(codes_unlisted(pathlib.Path(folder)))), 3)

    def test_versions_apart(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "CMakeLists.txt").write_text("project(feldspar VERSION 1.2.3 LANGUAGES C CXX)\n", encoding="utf-8")
            for version, number in [("1.2.3", 0), ("1.2.4", 1)]:
                pathlib.Path(folder, "CITATION.cff").write_text(f"cff-version: 1.2.0\nversion: {version}\n", encoding="utf-8")
                self.assertEqual(len(list(breaches(pathlib.Path(folder)))), number)

    def test_algorithms(self):
        for used in ("std::copy_n(a, 3, b);", "x = std::max(a, b);", "std::ranges::reverse(a);", "std::sort(a.begin(), a.end());"):
            with self.subTest(used):
                self.assert_breach("base/a.cpp", f"#include <vector>\n{used}\n", "needs #include <algorithm>")
                self.assertEqual(self.found("base/a.cpp", f"#include <algorithm>\n{used}\n"), [])
        self.assertEqual(self.found("base/a.cpp", "// as std::copy_n(a)\nstd::numeric_limits<int>::max();\n"), [])

    def test_headers(self):
        self.assert_breach("base/a.hpp", "#pragma once\n// Too late.\n", "begins with a // comment")
        self.assert_breach("base/a.hpp", "// What it is for.\n", "has #pragma once")
        self.assertEqual(self.found("kernels/cpu/a.hpp", "// A piece. Included only by b.cpp.\n"), [])


def main(arguments):
    if arguments == ["--self-test"]:
        return not unittest.main(argv=["floors.py"], exit=False).result.wasSuccessful()
    if len(arguments) != 1 or not pathlib.Path(arguments[0], "base").is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    found = list(breaches(pathlib.Path(arguments[0])))
    for breach in found:
        print(breach)
    print(f"{len(found)} breaches in {sum(1 for _ in project_files(pathlib.Path(arguments[0])))} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
