# SPDX-License-Identifier: Apache-2.0
"""Two workers with a core each beside one process with two threads: the same queries over the same Parquet files.

Also: how long a worker takes to be attached, what the processes hold when idle, and how fast rows are shuffled. Prints medians of five, and
processor time, which says more than the clock where others use the machine.
"""

import os
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


def processor_s(pids):
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def median_of(frame, pids):
    """Seconds by the clock (median), and processor seconds of these processes (least), of five runs."""
    times, work = [], []
    for _ in range(5):
        start, before = time.perf_counter(), processor_s(pids)
        frame.collect()
        times.append(time.perf_counter() - start)
        work.append(processor_s(pids) - before)
    return statistics.median(times), max(min(work), 0.01)


def shuffled(spark, rows=8_000_000):
    """Rows of 64 bytes, with and without going to another worker by the hash of a column."""
    wide = spark.range(0, rows, 1, 4).select(
        "id", *[(F.col("id") * i).alias(f"c{i}") for i in range(2, 9)]
    )
    totals = [F.max(c) for c in wide.columns]
    return wide.agg(*totals), wide.repartition(2, "id").agg(*totals), rows * 64


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
        mine = [os.getpid()]
        here = {name: median_of(frame, mine) for name, frame in queries(local, folder).items()}
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
        pids = [process.pid for process in cluster.processes]
        for name, frame in queries(spark, folder).items():
            there = median_of(frame, pids)
            print(
                f"{name:24} one process {here[name][0]:.3f} s ({here[name][1]:.2f} of processors),"
                f" two workers {there[0]:.3f} s ({there[1]:.2f}),"
                f" {there[0] / here[name][0]:.2f} times ({there[1] / here[name][1]:.2f})"
            )
        without, with_shuffle, n_bytes = shuffled(spark)
        plain, moved = median_of(without, pids), median_of(with_shuffle, pids)
        print(
            f"shuffle of {n_bytes / 1e9:.2f} GB: {n_bytes / 1e9 / (moved[0] - plain[0]):.2f} GB/s,"
            f" {n_bytes / 1e9 / (moved[1] - plain[1]):.2f} GB per second of a processor"
        )
        start = time.perf_counter()
        spark.range(1000).count()
        print(f"a count over workers: {(time.perf_counter() - start) * 1000:.1f} ms")
        cluster.stop()


if __name__ == "__main__":
    main()
