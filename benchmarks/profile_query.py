# SPDX-License-Identifier: Apache-2.0
"""Where the time of a TPC-H query goes: ./dev profile 6 [--sf 1] [--threads 1] [--repeat 5]

By operator: rows and milliseconds (added up over threads) from the metrics that the engine writes into its event log. By kernel: what perf samples
with the software clock, where perf is installed; the share of each function in the whole process, which runs the query --repeat times.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import tpch

ROOT = Path(__file__).resolve().parent.parent
RUN = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
import tpch_engine
from pathlib import Path
run, _ = tpch_engine.open_nbaspark(Path(sys.argv[2]), int(sys.argv[3]))
text = json.loads(Path(sys.argv[4]).read_text())[sys.argv[5]]
for _ in range(int(sys.argv[6])):
    start, used = time.perf_counter(), tpch_engine.cpu_seconds()
    rows = run(text)
    print(f"{len(rows)} rows, wall {time.perf_counter() - start:.3f} s, CPU {tpch_engine.cpu_seconds() - used:.3f} s")
from nbaspark.sql import SparkSession
SparkSession.builder.getOrCreate().stop()
"""


def command(given: argparse.Namespace, folder: Path, repeat: int) -> list[str]:
    texts = tpch.PLACE / "tpch-queries.json"
    parts = [sys.executable, "-c", RUN, ROOT / "benchmarks", folder, given.threads, texts]
    return [str(p) for p in [*parts, given.query, repeat]]


def logged(given: argparse.Namespace, folder: Path) -> tuple[dict | None, Counter[int], int]:
    """Run the query once; its plan, the values of the plan's metrics, and the bytes that were read from files."""
    with tempfile.TemporaryDirectory() as log:
        conf = f"spark.eventLog.enabled=true,spark.eventLog.compress=false,spark.eventLog.dir=file://{log}"
        subprocess.run(
            command(given, folder, 1),
            check=True,
            env={**os.environ, "NBASPARK_BENCH_CONF": conf},
            stdout=subprocess.DEVNULL if given.quiet else None,
        )
        events = [
            json.loads(line)
            for file in Path(log).rglob("*")
            if file.is_file()
            for line in file.read_text().splitlines()
        ]
    values: Counter[int] = Counter()
    plan, n_read = None, 0
    for event in events:
        kind = event["Event"].rsplit(".", 1)[-1]
        if kind == "SparkListenerSQLExecutionStart":
            plan = event["sparkPlanInfo"]
        elif kind == "SparkListenerDriverAccumUpdates":
            for metric, value in event["accumUpdates"]:
                values[metric] += value
        elif kind == "SparkListenerTaskEnd":
            for item in event["Task Info"].get("Accumulables", ()):
                values[item["ID"]] += int(item["Update"])
            n_read += event["Task Metrics"]["Input Metrics"]["Bytes Read"]
    return plan, values, n_read


def budget(query: str, folder: Path) -> dict[str, int]:
    """Count what a query cannot avoid: bytes read, rows out of scans, rows grouped, rows put into and looked up in tables of joins."""
    given = argparse.Namespace(query=query, threads=1, quiet=True)
    plan, values, n_read = logged(given, folder)
    made = Counter({"bytes read": n_read, "scanned": 0, "grouped": 0, "built": 0, "probed": 0})

    def rows(node: dict) -> int:
        found = {m["name"]: values[m["accumulatorId"]] for m in node.get("metrics", ())}
        return found.get("number of output rows", 0)

    def visit(node: dict, above: dict | None) -> None:
        kind, children = node["nodeName"], node["children"]
        if kind == "HashAggregate":
            made["grouped"] += rows(children[0])
        elif kind == "HashJoin" and len(children) == 2:
            left = "BuildLeft" in node["simpleString"]
            made["built"] += rows(children[0 if left else 1])
            made["probed"] += rows(children[1 if left else 0])
        elif kind.startswith("FileScan"):
            made["scanned"] += rows(node) or rows(above or node)
        for child in children:
            visit(child, node)

    if plan is not None:
        visit(plan, None)
    return dict(made)


def by_operator(given: argparse.Namespace, folder: Path) -> None:
    plan, values, _ = logged(given, folder)

    def show(node: dict, depth: int) -> None:
        found = {m["name"]: values[m["accumulatorId"]] for m in node.get("metrics", ())}
        spent = found.get("time", 0) / 1e6
        print(
            f"{spent:10.2f} ms {found.get('number of output rows', 0):12,} rows  {'  ' * depth}{node['simpleString'][:110]}"
        )
        for child in node["children"]:
            show(child, depth + 1)

    if plan is None:
        sys.exit("the event log has no query in it")
    show(plan, 0)


def by_kernel(given: argparse.Namespace, folder: Path) -> None:
    perf = shutil.which("perf")
    if not perf:
        print("perf is not installed: no kernels")
        return
    with tempfile.TemporaryDirectory() as place:
        data = f"{place}/perf.data"
        record = [perf, "record", "-q", "-e", "cpu-clock", "-o", data]
        subprocess.run([*record, *command(given, folder, given.repeat)], check=True)
        report = [perf, "report", "-i", data, "--no-children", "--percent-limit", "1", "--stdio"]
        out = subprocess.run(report, capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        if line.strip() and not line.startswith("#"):
            print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("query", help="1 to 22")
    parser.add_argument("--sf", default="1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    given.quiet = False
    folder = tpch.data(given.sf)
    tpch.texts([given.query])
    by_operator(given, folder)
    by_kernel(given, folder)


if __name__ == "__main__":
    main()
