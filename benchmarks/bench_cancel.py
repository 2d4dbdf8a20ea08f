# SPDX-License-Identifier: Apache-2.0
"""How soon Ctrl-C comes through: python benchmarks/bench_cancel.py [--times N] [OPERATOR …]

Each operator's query is interrupted N times (30 unless told) at random moments of its run, by a SIGINT to this process. Prints
the milliseconds from the signal to the KeyboardInterrupt in Python: median, 95th percentile, longest. An answer of a small query
follows each, so that a session that does not go on is seen. The aim is 100 ms at the 95th percentile.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
from statistics import median
from time import perf_counter, sleep

from nbaspark.sql import SparkSession, Window
from nbaspark.sql import functions as F

AIM_MS = 100
ROWS = 1_000_000


def rows(spark):
    return spark.range(ROWS).select(
        "id",
        (F.col("id") * 7919 % 1000003).alias("k"),
        F.concat(F.lit("text "), F.col("id").cast("string")).alias("s"),
        (F.col("id") * 0.5).alias("x"),
    )


def last_of(df):
    """Run all of a sorted query for a few of its rows."""
    return df.offset(ROWS - 5).collect()


def spilling(spark, run):
    def query():
        spark.conf.set("nbaspark.debug.forceSpill", "true")
        try:
            return run()
        finally:
            spark.conf.set("nbaspark.debug.forceSpill", "false")

    return query


def operators(spark, folder):
    """Name and query of each operator; those that read have their files made first."""
    csv, parquet, out = (os.path.join(folder, name) for name in ("csv", "parquet", "out"))
    rows(spark).write.csv(csv, mode="overwrite")
    rows(spark).write.parquet(parquet, mode="overwrite")
    schema = "id long, k long, s string, x double"
    df = rows(spark)
    by_k = Window.partitionBy(F.col("k") % 1000).orderBy("s")

    def features():
        from nbaspark.ml.clustering import KMeans
        from nbaspark.ml.feature import VectorAssembler

        names = [f"f{i}" for i in range(8)]
        data = spark.range(ROWS // 5).select(*[F.rand(i).alias(n) for i, n in enumerate(names)])
        made = VectorAssembler(inputCols=names, outputCol="features").transform(data)
        return lambda: KMeans(k=8, maxIter=100, tol=0.0, seed=1).fit(made)

    sort = lambda: last_of(df.orderBy(F.hash("id"), "s"))  # noqa: E731
    join = lambda: df.join(df.select("id", F.col("s").alias("t")), "id").agg(F.max("t")).collect()  # noqa: E731
    return {
        "csv scan": lambda: (
            spark.read.csv([csv] * 8, schema=schema).agg(F.sum("k"), F.max("s")).collect()
        ),
        "csv inferred": lambda: spark.read.csv([csv] * 4, inferSchema=True).columns,
        "parquet scan": lambda: (
            spark.read.parquet(*[parquet] * 16).agg(F.sum("k"), F.max("s"), F.sum("x")).collect()
        ),
        "hash join": join,
        "nested loop join": lambda: (
            spark.range(ROWS // 50)
            .crossJoin(spark.range(ROWS // 50).toDF("j"))
            .filter("id * j % 1000003 = 5")
            .count()
        ),
        "sort": sort,
        "window": lambda: (
            df.withColumn("n", F.row_number().over(by_k)).agg(F.sum("n"), F.max("s")).collect()
        ),
        "aggregate": lambda: (
            df.groupBy("s").agg(F.sum("x"), F.count("*")).agg(F.count("*")).collect()
        ),
        "distinct": lambda: df.select("s", "k").distinct().count(),
        "csv write": lambda: df.write.csv(out, mode="overwrite"),
        "parquet write": lambda: df.write.parquet(out, mode="overwrite"),
        "k-means": features(),
        "explode": lambda: (
            spark.range(ROWS // 20)
            .select(F.explode(F.sequence(F.lit(0), F.lit(3000))).alias("e"))
            .agg(F.sum("e"))
            .collect()
        ),
        "one large row": lambda: spark.sql(
            "SELECT levenshtein(repeat('abc', 20000), repeat('bca', 20000))"
        ).collect(),
        "collect": lambda: df.collect(),
        "toPandas": lambda: df.toPandas(),
        "cache": lambda: (df.cache().count(), df.unpersist()),
        "sort, spilling": spilling(spark, sort),
        "join, spilling": spilling(spark, join),
    }


def interrupt(query, after):
    """Seconds from a SIGINT to its KeyboardInterrupt; None when the query was done before."""
    sent, done = [], []

    def send():
        sleep(after)
        if not done:
            sent.append(perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

    # not a Timer: a signal in its cancel() would leave its lock taken for ever
    sender = threading.Thread(target=send, daemon=True)
    try:
        sender.start()
        query()
        done.append(True)
        sender.join()
        sleep(0.01)  # a signal that was under way comes here
    except KeyboardInterrupt:
        return None if done else perf_counter() - sent[0]
    return None


def measure(spark, name, query, times, chance, tries=20):
    """Milliseconds of each interrupt."""
    started = perf_counter()
    query()
    lasts = perf_counter() - started
    found = []
    for _ in range(tries * times):
        took = interrupt(query, chance.uniform(0.01, 0.8 * lasts))
        if spark.range(3).count() != 3:
            raise SystemExit(f"{name}: the session is gone")
        if took is not None:
            found.append(took * 1000)
        if len(found) == times:
            break
    return lasts, sorted(found)


def main():
    options = argparse.ArgumentParser(description="How soon Ctrl-C comes through.")
    options.add_argument("--times", type=int, default=30)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("operators", nargs="*")
    options = options.parse_args()
    spark = SparkSession.builder.master("local[2]").appName("bench_cancel").getOrCreate()
    chance = random.Random(options.seed)
    folder = tempfile.mkdtemp(prefix="nbaspark-cancel-")
    late = []
    try:
        print(f"{'milliseconds':20}{'median':>8}{'p95':>8}{'longest':>9}{'query':>9}")
        for name, query in operators(spark, folder).items():
            if options.operators and name not in options.operators:
                continue
            lasts, found = measure(spark, name, query, options.times, chance)
            p95 = found[min(len(found) - 1, int(len(found) * 0.95))]
            late += [name] * (p95 > AIM_MS)
            print(
                f"{name:20}{median(found):8.1f}{p95:8.1f}{found[-1]:9.1f}{lasts * 1000:9.0f}",
                flush=True,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"over {AIM_MS} ms: {', '.join(late) or 'none'}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
