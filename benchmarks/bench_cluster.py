# SPDX-License-Identifier: Apache-2.0
"""Two workers with a core each beside one process with two threads: the same queries over the same Parquet files.

Also: how long a worker takes to be attached, what the processes hold when idle, and how fast rows are shuffled. Prints medians of five.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "cluster"))

from harness import Cluster

from nbaspark.sql import SparkSession
from nbaspark.sql import functions as F

ROWS = 4_000_000


def resident_mib(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def queries(spark, path):
    facts = spark.read.parquet(f"{path}/facts")
    names = spark.read.parquet(f"{path}/names")
    return {
        "sum by 1,000 groups": facts.groupBy("k").agg(F.sum("v").alias("v")).agg(F.sum("v")),
        "sum by 1 M groups": facts.groupBy("m").agg(F.sum("v").alias("v")).agg(F.max("v")),
        "join with 1 M rows": facts.join(names, facts.m == names.id).agg(F.sum("w")),
        "join with 1,000 rows": facts.join(names.filter("id < 1000"), facts.k == names.id).agg(
            F.sum("w")
        ),
    }


def median_of(frame):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        frame.collect()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main():
    with tempfile.TemporaryDirectory() as folder:
        local = SparkSession.builder.master("local[2]").create()
        local.range(0, ROWS, 1, 8).select(
            (F.col("id") % 1000).alias("k"),
            (F.col("id") * 7919 % 1_000_003).alias("m"),
            (F.col("id") % 97).alias("v"),
        ).write.parquet(f"{folder}/facts")
        local.range(0, 1_000_003, 1, 4).select("id", (F.col("id") * 3).alias("w")).write.parquet(
            f"{folder}/names"
        )
        here = {name: median_of(frame) for name, frame in queries(local, folder).items()}
        cluster = Cluster(Path(folder) / "cluster")
        start = time.perf_counter()
        cluster.add(memory="4g")
        print(f"worker attached after {(time.perf_counter() - start) * 1000:.0f} ms")
        cluster.add(memory="4g")
        print(
            f"idle: master {resident_mib(cluster.master.pid):.0f} MiB,"
            f" worker {resident_mib(cluster.workers[0].pid):.0f} MiB"
        )
        spark = cluster.session()
        for name, frame in queries(spark, folder).items():
            there = median_of(frame)
            print(
                f"{name:24} one process {here[name]:.3f} s, two workers {there:.3f} s,"
                f" {there / here[name]:.2f} times"
            )
        start = time.perf_counter()
        spark.range(1000).count()
        print(f"a count over workers: {(time.perf_counter() - start) * 1000:.1f} ms")
        cluster.stop()


if __name__ == "__main__":
    main()
