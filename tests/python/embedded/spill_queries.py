# SPDX-License-Identifier: Apache-2.0
"""Runs queries under a memory limit in a process of its own: `spill_queries.py LIMIT DIRECTORY`.

Prints a JSON object: a fingerprint of each query's rows, and what befell those that fail on purpose.
"""

import hashlib
import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path

from nbaspark.sql import SparkSession, Window
from nbaspark.sql import functions as F

N_ROWS = 500_000


def fingerprint(df):
    df = df.toDF(*[f"c{i}" for i in range(len(df.columns))])
    return df.agg(F.count("*"), *[F.sum(F.hash(c).cast("bigint")) for c in df.columns]).collect()[0]


def queries(spark, directory):
    df = spark.range(N_ROWS).select(
        "id",
        (F.col("id") * 7919 % 100003).alias("k"),
        F.concat(F.lit("payload number "), F.col("id").cast("string")).alias("s"),
    )
    other = spark.range(N_ROWS).select(
        (F.col("id") * 3).alias("id3"),
        F.concat(F.lit("another text "), F.col("id").cast("string")).alias("s3"),
    )
    by_k = Window.partitionBy("k").orderBy("id")
    few = Window.partitionBy(F.col("k") % 3).orderBy("id")
    alone = Window.orderBy("k")

    def written(frame, name, order):
        frame.write.csv(f"{directory}/{name}", mode="overwrite")
        digest = hashlib.sha256()
        for path in sorted(Path(directory, name).glob("part-*")):
            lines = path.read_bytes().splitlines()
            digest.update(b"\n".join(lines if order else sorted(lines)))
        return digest.hexdigest()

    yield "sort", lambda: written(df.orderBy("k", F.desc("s")), "sorted", True)
    yield (
        "sort within partitions",
        lambda: written(df.repartition(5, "k").sortWithinPartitions("s"), "local", True),
    )
    yield "sort and limit", lambda: fingerprint(df.orderBy("s").limit(N_ROWS // 2))
    yield (
        "a few rows behind many",
        lambda: [r.s for r in df.orderBy("s").offset(N_ROWS - 100).limit(5).collect()],
    )
    for how in ("inner", "left", "right", "full", "left_semi", "left_anti"):
        yield f"join {how}", lambda how=how: fingerprint(df.join(other, df.id == other.id3, how))
    yield (
        "join on one key",
        lambda: fingerprint(
            df.withColumn("one", F.when(df.id < N_ROWS - 1000, 1)).join(
                spark.range(3).select(F.col("id").alias("one")), "one", "right"
            )
        ),
    )
    yield (
        "not in",
        lambda: fingerprint(
            spark.sql(
                "select id from range(500000) where id not in (select id * 2 from range(500000))"
            )
        ),
    )
    yield "row_number", lambda: fingerprint(df.withColumn("w", F.row_number().over(by_k)))
    yield "lag", lambda: fingerprint(df.withColumn("w", F.lag("s", 2).over(by_k)))
    yield (
        "sum of whole partitions",
        lambda: fingerprint(df.withColumn("w", F.sum("id").over(Window.partitionBy("k")))),
    )
    yield (
        "ranks of few partitions",
        lambda: fingerprint(
            df.select(
                "*",
                F.rank().over(few).alias("r"),
                F.dense_rank().over(few).alias("d"),
                F.sum("id").over(few).alias("t"),
            )
        ),
    )
    yield (
        "ranks of one partition",
        lambda: fingerprint(
            df.select(
                "*",
                F.row_number().over(alone).alias("n"),
                F.rank().over(alone).alias("r"),
                F.dense_rank().over(alone).alias("d"),
                F.sum("k").over(alone).alias("t"),
            ).drop("n")
        ),
    )
    yield "group by", lambda: fingerprint(df.groupBy("id").agg(F.max("s"), F.sum("k")))
    yield (
        "count distinct",
        lambda: fingerprint(df.groupBy("k").agg(F.countDistinct("s"), F.count("id"))),
    )
    yield "distinct", lambda: fingerprint(df.distinct())
    yield "repartition by hash", lambda: written(df.repartition(7, "k"), "hashed", True)
    yield "repartition", lambda: written(df.repartition(7), "robin", True)
    yield "repartition by range", lambda: fingerprint(df.repartitionByRange(7, "k"))
    yield "except", lambda: fingerprint(df.exceptAll(df.filter("id % 3 = 0")))
    yield "intersect", lambda: fingerprint(df.intersect(df.filter("id % 3 = 0")))
    yield "limit", lambda: fingerprint(df.limit(N_ROWS - 5))
    yield (
        "nested loop",
        lambda: fingerprint(
            spark.range(20)
            .select(F.col("id").alias("z"))
            .join(df, F.col("z") * 5 > F.col("id"), "left")
        ),
    )
    yield "explode", lambda: fingerprint(df.select(F.explode(F.array("id", "k")).alias("e"), "s"))
    yield "write", lambda: written(df, "plain", True)
    yield (
        "cache",
        lambda: (
            [fingerprint(d) for c in [df.cache()] for d in (c, c.orderBy("k"))]
            + [df.unpersist() and None]
        ),
    )


def open_spill_files():
    files = 0
    for fd in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{fd}")  # files that have no name
            files += target.endswith(" (deleted)") and not target.startswith("/memfd")
        except OSError:
            pass
    return files


def disk_full(spark):
    """The query that meets a full disk fails; the next one does not."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    df = spark.range(2 * N_ROWS).withColumn("u", F.sha2(F.col("id").cast("string"), 256))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        df.orderBy("u").agg(F.max("u"), F.count("*")).collect()
        message = "no error"
    except Exception as e:
        message = str(e)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    after = open_spill_files()
    return [message, after, str(df.orderBy("u").agg(F.count("*")).collect()[0][0])]


def interrupted(spark):
    """Ctrl-C in a sort that spills."""
    df = spark.range(20 * N_ROWS).withColumn("s", F.hash("id").cast("string"))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    try:
        df.orderBy("s").agg(F.max("s"), F.count("*")).collect()
        kind = "no error"
    except KeyboardInterrupt:
        kind = "KeyboardInterrupt"
    return [kind, open_spill_files(), spark.range(10).count()]


def main(limit, directory):
    spill = Path(directory, "spill")
    spill.mkdir()
    spark = (
        SparkSession.builder.config("spark.memory.limit", limit)
        .config("spark.local.dir", str(spill))
        .getOrCreate()
    )
    out = {}
    for name, query in queries(spark, directory):
        try:
            out[name] = str(query())
        except Exception as e:
            out[name] = f"FAILED {e}"
            print(name, str(e)[:120], file=sys.stderr)
        if open_spill_files() > 0:
            out[name] += " (left spill files open)"
    if limit != "4g":
        out["disk full"] = disk_full(spark)
        out["interrupted"] = interrupted(spark)
        try:
            out["collect"] = len(spark.range(N_ROWS * 10).collect())
        except Exception as e:
            out["collect"] = str(e)
    out["files"] = [p.name for p in spill.iterdir()]
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
