# SPDX-License-Identifier: Apache-2.0
"""Parquet beside DuckDB and polars on two threads: writing TPC-H lineitem at scale 1, and reading lists and structs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "2")

import duckdb
import polars as pl
from harness import Report

from nbaspark.sql import SparkSession

FOLDER = Path(
    os.environ.get(
        "NBASPARK_BENCH_DATA", Path(__file__).resolve().parent.parent / "build" / "bench-data"
    )
)
NESTED = """select range id, [range, range + 1, range % 7] as l, {'x': range % 100, 's': 'name ' || range % 1000} as s,
  [{'k': range % 10, 'v': range / 3.0} for i in range(range % 4)] as items from range(2000000)"""


def make_data() -> tuple[str, str]:
    lineitem, nested = FOLDER / "lineitem.parquet", FOLDER / "nested.parquet"
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not lineitem.exists():
        tool = Path(sys.executable).with_name("tpchgen-cli")
        subprocess.run(
            [tool, "parquet", "-s", "1", "--tables", "lineitem", "--output-dir", FOLDER], check=True
        )
    if not nested.exists():
        query = NESTED.replace(
            "for i in range(range % 4)", "for i in generate_series(1, range % 4)"
        )
        duckdb.sql(f"copy ({query}) to '{nested}' (format parquet)")
    return str(lineitem), str(nested)


def main() -> None:
    lineitem, nested = make_data()
    out = FOLDER / "written"
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    db = duckdb.connect()
    db.execute("set threads = 2")
    report = Report("parquet")
    rows = spark.read.parquet(lineitem)
    for codec in ("snappy", "zstd"):
        report.pair(
            f"write lineitem, {codec}",
            lambda codec=codec: (
                rows.write.mode("overwrite").option("compression", codec).parquet(f"{out}-ours")
            ),
            lambda codec=codec: db.execute(
                f"copy '{lineitem}' to '{out}.parquet' (format parquet, compression {codec}, overwrite)"
            ),
            "duckdb",
        )
    shutil.rmtree(f"{out}-ours")
    Path(f"{out}.parquet").unlink()
    frame, lazy = spark.read.parquet(nested), pl.scan_parquet(nested)
    report.pair(
        "sum of a struct's field",
        frame.selectExpr("sum(s.x)").collect,
        lambda: db.execute(f"select sum(s.x) from '{nested}'").fetchall(),
        "duckdb",
    )
    report.pair(
        "sum of a list's elements",
        frame.selectExpr("explode(l) e").selectExpr("sum(e)").collect,
        lambda: db.execute(f"select sum(e) from (select unnest(l) e from '{nested}')").fetchall(),
        "duckdb",
    )
    report.pair(
        "lists of structs, by key",
        frame.selectExpr("explode(items) i").groupBy("i.k").agg({"i.v": "sum"}).collect,
        lambda: (
            lazy.select(pl.col("items").explode())
            .unnest("items")
            .group_by("k")
            .agg(pl.col("v").sum())
            .collect()
        ),
        "polars",
    )
    report.save()


if __name__ == "__main__":
    main()
