#!/usr/bin/env python3
"""Copies headers into a folder as doxygen should see them, line by line: seen_by_doxygen.py FOLDER HEADER...

Defaulted and deleted functions need no words, so they go. One comment behind several names, as in

    double x = 0, y = 0;  ///< mm

is that of each of them; doxygen would give it to the last alone.
"""

import pathlib
import re
import sys

SEVERAL = re.compile(r"(\s*(?:static |constexpr |const )*[\w:]+(?:<[^;=]*>)?\s+)(\w[^;()]*,[^;()]*);\s*///< (.*)")
SUPERFLUOUS = re.compile(r".*= (default|delete);.*")


def declarators(text):
    """The parts of `text` between the commas that are in no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "{[<(") - (letter in "}]>)")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def seen(line):
    if SUPERFLUOUS.fullmatch(line):
        return ""
    several = SEVERAL.fullmatch(line)
    if not several:
        return line
    kind, names, comment = several.groups()
    return " ".join(f"{kind}{name}; /**< {comment} */" for name in declarators(names))


if __name__ == "__main__":
    for header in sys.argv[2:]:
        copy = pathlib.Path(sys.argv[1], header)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = pathlib.Path(header).read_text(encoding="utf-8")
        copy.write_text("\n".join(map(seen, text.split("\n"))), encoding="utf-8")
