# SPDX-License-Identifier: Apache-2.0
"""Instructions that some TPC-H queries take at scale 0.01 on one thread, as callgrind counts them: ./dev bench bench_instructions [--save]

Counts do not depend on what else the machine does. A query's count is that of its second run: the difference of two processes, one of which runs it
once more. With --save they go to benchmarks/results/instructions.json; else they are compared with what is there, and a query that takes a
seventh more fails. Another compiler's counts are only shown: the file says which one it was.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import engines
import profile_query
import tpch

QUERIES = ("1", "6", "9", "16", "18")
MOST = 1.15
FILE = engines.RESULTS / "instructions.json"


def count(suite: engines.Suite, query: str, repeat: int) -> int:
    with tempfile.TemporaryDirectory() as place:
        tool = [
            "valgrind",
            "--tool=callgrind",
            "--trace-children=no",
            f"--callgrind-out-file={place}/out",
        ]
        done = subprocess.run(
            [*tool, *profile_query.command(suite, query, 1, repeat)],
            capture_output=True,
            text=True,
            # else where Python's dictionaries collide moves a short query by a tenth
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"valgrind failed on query {query}:\n{done.stderr[-2000:]}")
    return int(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    if not shutil.which("valgrind"):
        print("valgrind is not installed: no instructions are counted")
        return
    suite = tpch.suite(tpch.arguments().parse_args(["--sf", "0.01"]))
    known_of = json.loads(FILE.read_text()) if FILE.exists() else {"queries": {}, "compiler": ""}
    version = subprocess.run(["gcc", "--version"], capture_output=True, text=True)
    compiler = version.stdout.split("\n", 1)[0]
    before = known_of["queries"]
    made, slower = {}, []
    for query in QUERIES:
        made[query] = count(suite, query, 2) - count(suite, query, 1)
        known = before.get(query)
        ratio = f"{made[query] / known:.3f} of what is known" if known else "not known before"
        print(f"query {query:>2} {made[query]:>14,} instructions, {ratio}", flush=True)
        if known and made[query] > MOST * known:
            slower.append(query)
    if given.save:
        head = {"compiler": compiler, "scale": "0.01", "queries": made}
        FILE.write_text(json.dumps(head, indent=1) + "\n")
    elif slower and compiler == known_of["compiler"]:
        sys.exit(f"more than {MOST:.2f} times the instructions: {', '.join(slower)}")


if __name__ == "__main__":
    main()
