#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lint of settings: what csrc/base/config.def documents is read somewhere, or says that it is not.

Usage: python tests/lint/check_settings.py     (prints a line per fault; exit code 1 if any)

A setting is read where C names its id outside of the table, or where C or Python have its key as text. The help of one
that nobody reads begins with one of UNREAD, and that of one that is read does not.
"""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
TABLE = TOP / "csrc" / "base" / "config.def"
NOT_READERS = {TABLE, TABLE.with_name("config.c"), TOP / "python" / "nbaspark" / "submit.py"}
UNREAD = ("No effect here: ", "For Apache Spark's own client: ", "Shown only: ")
ROW = re.compile(r'^NB_CONF\((\w+), +"([^"]+)", .*, +"((?:[^"\\]|\\.)*)"\)$')


def faults():
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for folder, kinds in (("csrc", "*.[ch]"), ("python", "*.py"))
        for path in sorted((TOP / folder).rglob(kinds))
        if path not in NOT_READERS
    )
    ids = set(re.findall(r"NB_CONF_(\w+)", text))
    keys = set(re.findall(r'"(spark\.[\w.]+|nbaspark\.[\w.]+)"', text))
    for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("NB_CONF("):
            continue
        row = ROW.match(line)
        if row is None:
            yield f"{number}: a row that cannot be read"
            continue
        name, key, help_text = row.groups()
        read = name in ids or key in keys
        if not read and not help_text.startswith(UNREAD):
            yield f"{number}: nobody reads {key}; build it, or say so by {UNREAD[0].strip()}"
        if read and help_text.startswith(UNREAD[0]):
            yield f"{number}: {key} is read, yet its help says that it has no effect"


def main():
    problems = [f"{TABLE.relative_to(TOP)}:{fault}" for fault in faults()]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
