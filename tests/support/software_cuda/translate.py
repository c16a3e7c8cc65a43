#!/usr/bin/env python3
"""Writes what a .cu file says in C++ for tests/support/software_cuda: launches and shared memory.

    translate.py SOURCE TARGET
"""

import pathlib
import re
import sys

SOFTWARE = "::feldspar::testing::software_cuda::"
RULES = [
    (r"(\w+)<<<(.*?)>>>\(", rf'{SOFTWARE}launch("\1", {SOFTWARE}Launch{{\2}}, [](const auto&... a) {{ \1(a...); }}, '),
    (r"const __grid_constant__ ([\w:<>]+) (\w+)", r"const \1& \2"),
    (r"extern __shared__ (\w+) (\w+)\[\];", rf"auto* const \2 = static_cast<\1*>({SOFTWARE}dynamic_shared());"),
    (r"__shared__ ((?:typename )?[\w:<>]+) (\w+)(\[\w+\]|);",
     rf"auto& \2 = *static_cast<std::add_pointer_t<\1\3>>({SOFTWARE}static_shared(__LINE__, sizeof(\1\3)));"),
]
LEFT = re.compile(r"<<<|__shared__|__grid_constant__|__constant__|__managed__")


def translated(text, name):
    for pattern, by in RULES:
        text = re.sub(pattern, by, text, flags=re.DOTALL)
    if LEFT.search(text):
        sys.exit(f"{name}: {LEFT.search(text).group()} stands where translate.py does not know it")
    return f'#define __CUDACC__\n#include <cuda_runtime.h>\n#line 1 "{name}"\n{text}'


if __name__ == "__main__":
    source, target = map(pathlib.Path, sys.argv[1:])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(translated(source.read_text(), source))
