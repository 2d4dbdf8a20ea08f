# SPDX-License-Identifier: Apache-2.0
"""Checks what compilers and formatters do not: layers, forbidden calls, leftovers.

Usage: python tests/lint/check_sources.py     (prints file:line: message; exit code 1 if any)
"""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]

# A folder of csrc includes only folders to its left (docs/design: the order of a query's life).
# monitor may be called from everywhere, through its one small header.
LAYERS = (
    "base",
    "column",
    "expr",
    "sql",
    "io",
    "plan",
    "exec",
    "ml",
    "rpc",
    "connect",
    "cluster",
    "monitor",
    "python",
)
MONITOR_DOOR = "monitor/monitor.h"

# (pattern in code without comments and strings, folders where it is allowed, message)
FORBIDDEN = (
    (r"\b(system|popen|exec[lv][pe]?e?)\s*\(", (), "no shell and no exec in any process"),
    (
        r"\b(malloc|calloc|realloc|aligned_alloc|posix_memalign)\s*\(",
        ("base",),
        "memory comes from base/",
    ),
    (
        r"\b(gets|strcpy|strcat|sprintf|vsprintf|strtok|tmpnam|mktemp)\s*\(",
        (),
        "use the bounded form",
    ),
    (r"\b(setjmp|longjmp|alloca)\s*\(", (), "not in this code base"),
)
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.:/<])/(work|root|home|Users)/\w")
SKIPPED = re.compile(r"pytest\.mark\.skip\b|@unittest\.skip|\bcmocka_skip\b|^\s*skip\(\);")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
C_FILES = {".c", ".h"}
TEXT_FILES = C_FILES | {".def", ".py", ".pyi", ".md", ".toml", ".sh", ".in", ".proto", ".test", ""}
SPDX_FILES = C_FILES | {".def", ".py", ".pyi", ".proto"}


def strip_c(text):
    """Blank out comments and the contents of literals, keeping the line numbers."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.DOTALL)


def check_c(path, text, report):
    parts = path.parts
    folder = parts[1] if parts[0] == "csrc" and len(parts) > 2 else None
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match and folder is not None:
            name = match.group(1) or match.group(2)
            target = name.split("/")[0]
            if name in ("Python.h", "structmember.h") or target == "numpy":
                if folder != "python":
                    report(path, number, f"{name} belongs to csrc/python only")
            elif target == "grpc":
                if folder != "rpc":
                    report(path, number, f"{name} belongs to csrc/rpc only")
            elif match.group(1) and target in LAYERS and folder in LAYERS and name != MONITOR_DOOR:
                if LAYERS.index(target) > LAYERS.index(folder):
                    report(path, number, f"{folder}/ is below {target}/ and may not include it")
    if folder is None:
        return
    for number, line in enumerate(strip_c(text).splitlines(), 1):
        for pattern, allowed, message in FORBIDDEN:
            match = re.search(pattern, line)
            if match and folder not in allowed:
                report(path, number, f"{match.group(1)}: {message}")


def check_text(path, text, report):
    if path.suffix in SPDX_FILES and text.strip() and "SPDX-License-Identifier" not in text[:200]:
        report(path, 1, "the first line names the licence (SPDX-License-Identifier)")
    for number, line in enumerate(text.splitlines(), 1):
        if line != line.rstrip() and path.suffix not in (".test", ".md"):
            report(path, number, "white space at the end of the line")
        if path.suffix in C_FILES and "\t" in line:
            report(path, number, "a tab")
        match = LEFTOVERS.search(line)
        if match:
            report(path, number, f"{match.group()}: say what is, or open an issue")
        if MACHINE_PATH.search(line):
            report(path, number, "a path of one machine")
        if SKIPPED.search(line):
            report(path, number, "a test that is switched off")
    if text and not text.endswith("\n"):
        report(path, text.count("\n") + 1, "no line break at the end of the file")


def main():
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        capture_output=True,
        check=True,
    ).stdout.decode()
    problems = []

    def report(path, number, message):
        problems.append(f"{path}:{number}: {message}")

    for name in sorted(set(filter(None, listing.split("\0")))):
        path = Path(name)
        full = TOP / path
        if not full.is_file() or path.suffix not in TEXT_FILES or path.name == "LICENSE":
            continue
        if path.parts[:2] == ("tests", "lint") or path.parts[:3] == ("tests", "fuzz", "seeds"):
            continue
        if path.parts[:2] == ("tests", "data"):
            continue
        try:
            text = full.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            report(path, 1, "not UTF-8")
            continue
        check_text(path, text, report)
        if path.suffix in C_FILES:
            check_c(path, text, report)
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
