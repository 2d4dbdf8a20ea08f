# SPDX-License-Identifier: Apache-2.0
"""Where the time of a query goes: ./dev profile 6 [--sf 1] [--threads 1] [--repeat 5], or ./dev profile weblog:13

A number is a query of TPC-H; SUITE:QUERY is one of another suite (weblog, groupby_join, csv, json, star, …). By operator: rows and milliseconds
(added up over threads) from the metrics that the engine writes into its event log. By kernel: what perf samples with the software clock, where
perf is installed; the share of each function in the whole process, which runs the query --repeat times.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import tpch
from engines import ROOT, Suite

RUN = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
import engine_process
given = json.loads(sys.argv[2])
run, _ = engine_process.open_nbaspark(given["tables"], given["threads"])
for _ in range(given["repeat"]):
    start, used = time.perf_counter(), engine_process.cpu_seconds()
    rows = run(given["text"])
    print(f"{len(rows)} rows, wall {time.perf_counter() - start:.3f} s, CPU {engine_process.cpu_seconds() - used:.3f} s")
from nbaspark.sql import SparkSession
SparkSession.builder.getOrCreate().stop()
"""


def command(suite: Suite, query: str, threads: int, repeat: int) -> list[str]:
    text = suite.texts("nbaspark", [query])[query]
    request = {"tables": suite.tables, "text": text, "threads": threads, "repeat": repeat}
    return [sys.executable, "-c", RUN, str(ROOT / "benchmarks"), json.dumps(request)]


def logged(
    suite: Suite, query: str, threads: int, quiet: bool
) -> tuple[dict | None, Counter[int], int]:
    """Run the query once; its plan, the values of the plan's metrics, and the bytes that were read from files."""
    with tempfile.TemporaryDirectory() as log:
        conf = f"spark.eventLog.enabled=true,spark.eventLog.compress=false,spark.eventLog.dir=file://{log}"
        subprocess.run(
            command(suite, query, threads, 1),
            check=True,
            env={**os.environ, "NBASPARK_BENCH_CONF": conf},
            stdout=subprocess.DEVNULL if quiet else None,
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


def budget(suite: Suite, query: str) -> dict[str, int]:
    """Count what a query cannot avoid: bytes read and decompressed, values decoded, rows out of scans, grouped, put into and looked up in tables of joins."""
    plan, values, n_read = logged(suite, query, 1, True)
    names = ("decompressed", "decoded", "scanned", "grouped", "built", "probed")
    made = Counter({"bytes read": n_read, **dict.fromkeys(names, 0)})

    def metric(node: dict, name: str) -> int:
        found = {m["name"]: values[m["accumulatorId"]] for m in node.get("metrics", ())}
        return found.get(name, 0)

    def rows(node: dict) -> int:
        return metric(node, "number of output rows")

    def visit(node: dict, above: dict | None) -> None:
        kind, children = node["nodeName"], node["children"]
        made["decompressed"] += metric(node, "size of decompressed pages")
        made["decoded"] += metric(node, "number of decoded values")
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


def by_operator(suite: Suite, query: str, threads: int) -> None:
    plan, values, _ = logged(suite, query, threads, False)

    def show(node: dict, depth: int) -> None:
        found = {m["name"]: values[m["accumulatorId"]] for m in node.get("metrics", ())}
        spent = found.get("time", 0) / 1e6
        unpacked = found.get("size of decompressed pages", 0)
        decoded = found.get("number of decoded values", 0)
        file = f"  ({unpacked / 1e6:.1f} MB decompressed, {decoded:,} values decoded)"
        print(
            f"{spent:10.2f} ms {found.get('number of output rows', 0):12,} rows  {'  ' * depth}{node['simpleString'][:110]}"
            + (file if decoded else "")
        )
        for child in node["children"]:
            show(child, depth + 1)

    if plan is None:
        sys.exit("the event log has no query in it")
    show(plan, 0)


def by_kernel(suite: Suite, query: str, threads: int, repeat: int) -> None:
    perf = shutil.which("perf")
    if not perf:
        print("perf is not installed: no kernels")
        return
    with tempfile.TemporaryDirectory() as place:
        data = f"{place}/perf.data"
        record = [perf, "record", "-q", "-e", "cpu-clock", "-o", data]
        subprocess.run([*record, *command(suite, query, threads, repeat)], check=True)
        report = [perf, "report", "-i", data, "--no-children", "--percent-limit", "1", "--stdio"]
        out = subprocess.run(report, capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        if line.strip() and not line.startswith("#"):
            print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("query", help="1 to 22, or SUITE:QUERY")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    given, rest = parser.parse_known_args()
    name, _, query = given.query.rpartition(":")
    module = importlib.import_module(f"bench_{name}") if name else tpch
    suite = module.suite(module.arguments().parse_args(rest))
    by_operator(suite, query, given.threads)
    by_kernel(suite, query, given.threads, given.repeat)


if __name__ == "__main__":
    main()
