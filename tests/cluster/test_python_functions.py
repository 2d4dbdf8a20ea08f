# SPDX-License-Identifier: Apache-2.0
"""Functions in Python on workers: they run there, and one that loops or crashes costs its query only."""

import os
import subprocess
import sys
from pathlib import Path

from harness import SLOW, Cluster

PROGRAM = """
import os, sys, threading, time
from nbaspark.errors import PySparkException
from nbaspark.sql import SparkSession, functions as F

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
rows = spark.range(1000000)

def of(f):
    return rows.select(F.udf(f, "int")("id").alias("r"))

parents = {r.r for r in of(lambda x: os.getppid()).distinct().collect()}
assert parents == {int(pid) for pid in sys.argv[2:]}, (parents, sys.argv)

try:
    of(lambda x: os._exit(3) if x == 999999 else 1).groupBy("r").count().collect()
    raise SystemExit("a crash was not told of")
except PySparkException as e:
    assert e.getCondition() == "PYTHON_WORKER_EXITED", e

threading.Timer(1, spark.interruptAll).start()
began = time.monotonic()
try:
    of(lambda x: [0 for _ in iter(int, 1)] and 1).groupBy("r").count().collect()
    raise SystemExit("a loop came to an end")
except PySparkException as e:
    assert "OPERATION_CANCELED" in str(e), e
assert time.monotonic() - began < float(os.environ["LIMIT_S"])

assert of(lambda x: x % 2).groupBy("r").count().sort("r").collect() == [(0, 500000), (1, 500000)]
print("done")
"""


def children_of(pids):
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) in pids:
            found.add(int(stat.parent.name))
    return found


def test_functions_run_on_workers_and_do_no_harm(tmp_path):
    cluster = Cluster(tmp_path / "cluster")
    try:
        pids = [cluster.add().pid for _ in range(2)]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, f"sc://{cluster.address}", *map(str, pids)],
            capture_output=True,
            text=True,
            timeout=120 * SLOW,
            env={**os.environ, "LIMIT_S": str(10 * SLOW)},
            check=False,
        )
        assert done.stdout == "done\n", done.stderr
        running = children_of(set(pids))
        assert len(running) <= 4, running  # those that looped are gone
    finally:
        cluster.stop()
