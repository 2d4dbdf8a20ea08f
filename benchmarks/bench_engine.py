# SPDX-License-Identifier: Apache-2.0
"""Group-by, join, sort and window over 10 million rows in memory, beside DuckDB on two threads."""

import duckdb
from harness import Report

from nbaspark.sql import SparkSession, Window
from nbaspark.sql import functions as F

N = 10_000_000


def main() -> None:
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    db = duckdb.connect()
    db.execute("set threads = 2")
    mixed = F.col("id") * 1000003
    base = spark.range(N).select(
        (mixed % 2).alias("k2"),
        (mixed % 1000).alias("k1000"),
        (mixed % 1_000_000).alias("k1m"),
        F.col("id").alias("v"),
    )
    base = base.cache()
    base.count()
    text = base.select(
        F.concat(F.lit("key_"), F.col("k2").cast("string")).alias("k2"),
        F.concat(F.lit("key_"), F.col("k1000").cast("string")).alias("k1000"),
        F.concat(F.lit("key_"), F.col("k1m").cast("string")).alias("k1m"),
        "v",
    ).cache()
    text.count()
    dim = (
        spark.range(1_000_000)
        .select(F.col("id").alias("k1m"), (F.col("id") * 7).alias("w"))
        .cache()
    )
    dim.count()
    db.execute(
        "create table base as select (i * 1000003) % 2 k2, (i * 1000003) % 1000 k1000, (i * 1000003) % 1000000 k1m, i v "
        f"from range({N}) t(i)"
    )
    db.execute(
        "create table text as select 'key_' || k2 k2, 'key_' || k1000 k1000, 'key_' || k1m k1m, v from base"
    )
    db.execute("create table dim as select i k1m, i * 7 w from range(1000000) t(i)")

    report = Report("engine")
    for table, frame in (("base", base), ("text", text)):
        for key in ("k2", "k1000", "k1m"):
            sums = frame.groupBy(key).agg(F.sum("v").alias("s")).agg(F.sum("s"), F.count("*"))
            sql = (
                f"select sum(s), count(*) from (select {key}, sum(v) s from {table} group by {key})"
            )
            assert tuple(sums.collect()[0]) == db.execute(sql).fetchone()
            name = f"sum by {'integer' if table == 'base' else 'string'} {key}"
            report.pair(name, sums.collect, lambda sql=sql: db.execute(sql).fetchall(), "duckdb")
    joined = base.join(dim, "k1m").agg(F.sum("w"), F.count("*"))
    sql = "select sum(w), count(*) from base join dim using (k1m)"
    report.pair("join 10 M x 1 M", joined.collect, lambda: db.execute(sql).fetchall(), "duckdb")
    ordered = base.orderBy(F.col("k1m").desc(), "v").limit(N - 1).agg(F.sum("v"))
    sort = f"select sum(v) from (select * from base order by k1m desc, v limit {N - 1})"
    report.pair("sort 10 M", ordered.collect, lambda: db.execute(sort).fetchall(), "duckdb")
    numbered = base.withColumn(
        "r", F.row_number().over(Window.partitionBy("k1m").orderBy("v"))
    ).agg(F.sum("r"))
    window = (
        "select sum(r) from (select row_number() over (partition by k1m order by v) r from base)"
    )
    report.pair(
        "row_number, 1 M groups", numbered.collect, lambda: db.execute(window).fetchall(), "duckdb"
    )
    report.save()


if __name__ == "__main__":
    main()
