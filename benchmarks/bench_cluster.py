# SPDX-License-Identifier: Apache-2.0
"""Two workers with a core each beside one process with two threads: the same queries over the same Parquet files.

Prints medians of the clock and the least processor time of all processes of a side together, which says more than the clock where others use
the machine. Also: how long a worker takes to be attached, what the processes hold when idle, and how fast rows are shuffled over gRPC and by
handing files over.

    python benchmarks/bench_cluster.py [--only WORD] [--tpch FOLDER] [--spark …/site-packages/pyspark]

FOLDER has TPC-H's tables as Parquet files (`./dev bench tpch` makes them); Spark standalone gets two workers with a core each, too.
"""

import argparse
import contextlib
import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "cluster"))

from engine_process import TPCH_TABLES
from harness import Cluster
from tpch import texts

from nbaspark.sql import SparkSession
from nbaspark.sql import functions as F

ROWS = 4_000_000
MANY = 1_000_003


def resident_mib(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def make_files(spark, path):
    spark.range(0, ROWS, 1, 8).select(
        (F.col("id") % 1000).alias("k"),
        (F.col("id") * 7919 % MANY).alias("m"),
        F.concat(F.lit("key_"), (F.col("id") * 7919 % MANY).cast("string")).alias("t"),
        (F.col("id") % 97).alias("v"),
    ).write.parquet(f"{path}/facts")
    spark.range(0, MANY, 1, 4).select("id", (F.col("id") * 3).alias("w")).write.parquet(
        f"{path}/names"
    )


def queries(spark, path, F=F):
    facts = spark.read.parquet(f"{path}/facts")
    names = spark.read.parquet(f"{path}/names")
    few = names.filter("w % 300 = 0")
    total = F.sum("v").alias("v")
    return {
        "sum by 1,000 groups": facts.groupBy("k").agg(total).agg(F.sum("v")),
        "sum by 1 M groups": facts.groupBy("m").agg(total).agg(F.max("v")),
        "sum by 1 M computed groups": facts.groupBy((F.col("m") * 7 % MANY).alias("m"))
        .agg(total)
        .agg(F.max("v")),
        "sum by 1 M strings": facts.groupBy("t").agg(total).agg(F.max("v")),
        "five aggregates by 1 M": facts.groupBy("m")
        .agg(total, F.min("v").alias("a"), F.avg("v").alias("b"), F.count("*").alias("c"))
        .agg(F.max("v"), F.min("a"), F.max("b"), F.sum("c")),
        "distinct of 1 M": facts.select("m").distinct().agg(F.count("*")),
        "join with 1 M rows": facts.join(names, facts.m == names.id).agg(F.sum("w")),
        "join with 10,000 of 1 M": facts.join(few, facts.m == few.id).agg(F.sum("w")),
        "join with 1,000 rows": facts.join(names.filter("id < 1000"), facts.k == names.id).agg(
            F.sum("w")
        ),
        "join, then 1 M groups": facts.join(names, facts.m == names.id)
        .groupBy("w")
        .agg(total)
        .agg(F.max("v")),
    }


def tpch(spark, folder):
    for table in TPCH_TABLES:
        spark.read.parquet(f"{folder}/{table}.parquet").createOrReplaceTempView(table)
    return {f"TPC-H {n}": spark.sql(text) for n, text in texts().items()}


def processor_s(pids):
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


def median_of(frame, pids, runs=5):
    """Seconds by the clock (median), and processor seconds of these processes (least)."""
    times, work = [], []
    for _ in range(runs):
        start, before = time.perf_counter(), processor_s(pids)
        frame.collect()
        times.append(time.perf_counter() - start)
        work.append(processor_s(pids) - before)
    return statistics.median(times), min(work)


def shuffled(spark, rows=8_000_000):
    """Rows of 64 bytes, with and without going to another worker by the hash of a column."""
    wide = spark.range(0, rows, 1, 4).select(
        "id", *[(F.col("id") * i).alias(f"c{i}") for i in range(2, 9)]
    )
    totals = [F.max(c) for c in wide.columns]
    return wide.agg(*totals), wide.repartition(2, "id").agg(*totals), rows * 64


def beside(name, here, there, what="two workers"):
    print(
        f"{name:27} one process {here[0]:.3f} s ({here[1]:.3f} of processors),"
        f" {what} {there[0]:.3f} s ({there[1]:.3f}),"
        f" {there[0] / here[0]:.2f} times ({there[1] / here[1]:.2f})",
        flush=True,
    )


def middle(pairs):
    """The geometric means of two ratios."""
    return [math.exp(statistics.fmean(math.log(p[i]) for p in pairs)) for i in (0, 1)]


def run_on(spark, folder, given):
    made = queries(spark, folder)
    if given.tpch:
        made.update(tpch(spark, given.tpch))
    return {n: f for n, f in made.items() if given.only in n}


def shuffle_speed(folder):
    """Bytes a second between two workers: handed over as files, and sent over gRPC."""
    for way, conf in (("handed over", ""), ("over gRPC", "nbaspark.cluster.handoff false\n")):
        cluster = Cluster(Path(folder) / way.replace(" ", "_"), conf=conf)
        try:
            for _ in range(2):
                cluster.add(memory="4g")
            pids = [process.pid for process in cluster.processes]
            without, with_shuffle, n_bytes = shuffled(cluster.session())
            plain, moved = median_of(without, pids), median_of(with_shuffle, pids)
        finally:
            cluster.stop()
        clock, work = (n_bytes / 1e9 / (moved[i] - plain[i]) for i in (0, 1))
        print(
            f"shuffle of {n_bytes / 1e9:.2f} GB {way}: {clock:.2f} GB/s,"
            f" {work:.2f} GB per second of a processor ({moved[1]:.3f} s, {plain[1]:.3f} without)"
        )


def with_children(pids):
    """These processes and all that they have started."""
    found = list(pids)
    for pid in found:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread that has ended
                found += map(int, (thread / "children").read_text().split())
    return found


def spark_beside(given, folder, ours):
    """The same queries on Apache Spark's standalone cluster, each once before it is measured."""
    from spark_standalone import Standalone

    standalone = Standalone(given.spark, folder, 2, memory="2g")
    try:
        spark = SparkSession.builder.remote(standalone.connect()).create()
        ratios = []
        for name, frame in run_on(spark, folder, given).items():
            frame.collect()
            pids = with_children(process.pid for process in standalone.processes)
            theirs = median_of(frame, pids, 2)
            ratios.append([theirs[i] / ours[name][i] for i in (0, 1)])
            print(
                f"{name:27} Spark {theirs[0]:.3f} s ({theirs[1]:.3f} of processors),"
                f" {ratios[-1][0]:.1f} times ours ({ratios[-1][1]:.1f})",
                flush=True,
            )
        clock, work = middle(ratios)
        print(f"Spark standalone takes {clock:.1f} times as long, {work:.1f} by processors")
    finally:
        standalone.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="queries whose names contain this")
    parser.add_argument("--tpch", help="folder of TPC-H's tables")
    parser.add_argument("--spark", help="Apache Spark from PyPI, …/site-packages/pyspark")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        local = SparkSession.builder.master("local[2]").create()
        make_files(local, folder)
        here = {
            name: median_of(frame, [os.getpid()], given.runs)
            for name, frame in run_on(local, folder, given).items()
        }
        cluster = Cluster(Path(folder) / "cluster", conf="nbaspark.cluster.minRows 100000\n")
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
        ours = {}
        for name, frame in run_on(spark, folder, given).items():
            ours[name] = median_of(frame, pids, given.runs)
            beside(name, here[name], ours[name])
        for group in ("TPC-H", ""):
            pairs = [
                (ours[n][0] / here[n][0], ours[n][1] / here[n][1])
                for n in here
                if n.startswith("TPC-H") == bool(group)
            ]
            if pairs:
                clock, work = middle(pairs)
                print(
                    f"{group or 'joins and aggregates'}: {clock:.2f} times by the clock, {work:.2f} by processors"
                    " in the geometric mean"
                )
        if not given.only:
            start = time.perf_counter()
            spark.range(1000).count()
            print(f"a count over workers: {(time.perf_counter() - start) * 1000:.1f} ms")
        cluster.stop()
        if not given.only or given.only in "shuffle":
            shuffle_speed(folder)
        if given.spark:
            spark_beside(given, folder, ours)


if __name__ == "__main__":
    main()
