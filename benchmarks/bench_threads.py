# SPDX-License-Identifier: Apache-2.0
"""What threads share, and what a second one brings: ./dev bench bench_threads [--sf 10] [--only shared|speed]

Shared: what callgrind counts of some TPC-H queries on two threads that other threads may have to wait for, per further morsel (a row group of a
Parquet file): the growth from scale 0.1 to 1, each the difference of two processes, one of which runs the query once more. Atomic are instructions
with a lock prefix and exchanges with memory. Speed: seconds on one thread and on two beside DuckDB's, and on 64 threads of this machine's processors, whose
processor time says what so many threads cost. What does not run on all threads is 2 × clock - processor time on two; with it and the processor time of 64 threads
the last column says what 64 processors would need, were memory no narrower for them.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import engines
import profile_query
import tpch

SHARED = ("1", "3", "6", "9", "13", "16", "18")
SPEED = ("1", "3", "6", "9", "13", "14", "15", "18")
MANY = 64
MALLOC = re.compile(r"malloc|calloc|memalign|_int_free|^free")
ATOMIC = re.compile(r"^\s*([0-9a-f]+):\s+(?:lock |xchg .*\()", re.M)


@functools.cache
def atomic_places(library: str) -> set[int]:
    """Addresses of the instructions of a library that other cores must wait for."""
    command = ["objdump", "-d", "--no-show-raw-insn", library]
    made = subprocess.run(command, capture_output=True, text=True)
    return {int(a, 16) for a in ATOMIC.findall(made.stdout)}


def executed(path: Path) -> Counter[str]:
    """Morsels, and the engine's atomic instructions and locks and those of malloc, of a file of callgrind."""
    found: Counter[str] = Counter()
    library = function = called = ""
    calls = False  # the next line is the cost of what was called
    for line in path.open():
        if line.startswith("ob="):
            library = Path(line[3:].strip()).name
            places = atomic_places(line[3:].strip())
        elif line.startswith("fn="):
            function = line[3:].strip()
        elif line.startswith("cfn="):
            called = line[4:].strip()
        elif line.startswith("calls="):
            n = int(line[6:].split()[0])
            found["morsels"] += n if called == "begin_group" else 0
            found["locks"] += n if "mutex_lock" in called and library.startswith("_core") else 0
            calls = True
        elif calls:
            calls = False
        elif line.startswith("0x"):
            place, *_, cost = line.split()
            if int(place, 16) not in places:
                continue
            if library.startswith("_core"):
                found["atomics"] += int(cost)
            elif MALLOC.search(function):
                found["malloc"] += int(cost)
    return found


def counted(suite: engines.Suite, query: str, repeat: int) -> Counter[str]:
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out"
        tool = ["valgrind", "--tool=callgrind", "--trace-children=no", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no", f"--callgrind-out-file={out}"]  # fmt: skip
        done = subprocess.run(
            [*tool, *profile_query.command(suite, query, 2, repeat)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
        if done.returncode != 0 or not out.exists():
            sys.exit(f"valgrind failed on query {query}:\n{done.stderr[-2000:]}")
        return executed(out)


def shared() -> None:
    suites = [tpch.suite(tpch.arguments().parse_args(["--sf", sf])) for sf in ("0.1", "1")]
    kinds = ("atomics", "locks", "malloc")
    print("per further morsel, and in the whole query at scale 1")
    print(f"{'query':>6}{'morsels':>9}" + "".join(f"{k:>18}" for k in kinds))
    for query in SHARED:
        small, large = (counted(suite, query, 2) - counted(suite, query, 1) for suite in suites)
        more = max(large["morsels"] - small["morsels"], 1)
        cells = (f"{(large[k] - small[k]) / more:9.1f}{large[k]:9}" for k in kinds)
        print(f"{query:>6}{large['morsels']:9}" + "".join(cells), flush=True)


def best(made: dict | None, query: str, what: str) -> float:
    return min(made["queries"][query][what]) if made else float("nan")


def speed(scale: str) -> None:
    suite = tpch.suite(tpch.arguments().parse_args(["--sf", scale]))
    runs: dict[tuple[str, int], dict] = {}
    for _ in range(3):  # in turn, so that what slows the machine for a while slows each of them
        for name, threads in (("nbaspark", 1), ("duckdb", 1), ("nbaspark", 2), ("duckdb", 2), ("nbaspark", MANY)):  # fmt: skip
            engines.environment(name)
            texts = suite.texts(name, list(SPEED))
            made = engines.run_engine(name, suite.tables, texts, threads, 1)
            if made:
                runs[name, threads] = engines.merge(runs.get((name, threads)), made)
    print(f"TPC-H at scale {scale}: seconds by the clock; CPU is processor time")
    print(f"{'query':>6}{'1':>8}{'2':>8}{'ratio':>7}{'CPU 2:1':>9}{'DuckDB 1':>10}{'2':>8}{'ratio':>7}{'CPU 2:1':>9}{'CPU 64:2':>10}{'alone':>8}{'64 cores':>10}")  # fmt: skip
    for query in SPEED:
        line = f"{query:>6}"
        for name in ("nbaspark", "duckdb"):
            one, two = (runs.get((name, n)) for n in (1, 2))
            wall = [best(r, query, "wall") for r in (one, two)]
            line += f"{wall[0]:8.3f}{wall[1]:8.3f}{wall[0] / wall[1]:7.2f}{best(two, query, 'cpu') / best(one, query, 'cpu'):9.2f}"
        two, many = runs.get(("nbaspark", 2)), runs.get(("nbaspark", MANY))
        alone = max(2 * best(two, query, "wall") - best(two, query, "cpu"), 0)
        work = best(many, query, "cpu")
        line += f"{work / best(two, query, 'cpu'):10.2f}{alone:8.3f}{alone + (work - alone) / MANY:10.3f}"
        print(line, flush=True)
    peaks = [f"{n} {r['peak_mib']:.0f}" for (name, n), r in runs.items() if name == "nbaspark"]  # fmt: skip
    print("peak MiB by threads: " + ", ".join(peaks))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sf", default="10")
    parser.add_argument("--only", choices=("shared", "speed"))
    given = parser.parse_args()
    if given.only != "speed":
        if shutil.which("valgrind") and shutil.which("objdump"):
            shared()
        else:
            print("without valgrind and objdump nothing is counted")
    if given.only != "shared":
        speed(given.sf)


if __name__ == "__main__":
    main()
