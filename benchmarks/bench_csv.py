# SPDX-License-Identifier: Apache-2.0
"""CSV of TPC-H lineitem at scale 1 (766 MB, made by tpchgen-cli), beside DuckDB and polars on two threads."""

import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "2")

import duckdb
import polars as pl
from harness import Report

from nbaspark.sql import SparkSession
from nbaspark.sql import functions as F

FOLDER = Path(
    os.environ.get(
        "NBASPARK_BENCH_DATA", Path(__file__).resolve().parent.parent / "build" / "bench-data"
    )
)
SCHEMA = (
    "l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity double, l_extendedprice double, "
    "l_discount double, l_tax double, l_returnflag string, l_linestatus string, l_shipdate date, l_commitdate date, "
    "l_receiptdate date, l_shipinstruct string, l_shipmode string, l_comment string"
)


def make_data() -> str:
    path = FOLDER / "lineitem.csv"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        tool = Path(sys.executable).with_name("tpchgen-cli")
        subprocess.run(
            [tool, "csv", "-s", "1", "--tables", "lineitem", "--output-dir", FOLDER], check=True
        )
    return str(path)


def main() -> None:
    path = make_data()
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    db = duckdb.connect()
    db.execute("set threads = 2")
    given = spark.read.schema(SCHEMA).option("header", True).csv(path)
    lazy = pl.scan_csv(path, try_parse_dates=False)
    report = Report("csv")
    report.pair(
        "count",
        given.count,
        lambda: db.execute(f"select count(*) from '{path}'").fetchall(),
        "duckdb",
    )
    one = given.groupBy("l_returnflag").agg(F.sum("l_quantity"))
    report.pair(
        "one sum by flag",
        one.collect,
        lambda: lazy.group_by("l_returnflag").agg(pl.col("l_quantity").sum()).collect(),
        "polars",
    )
    seven = given.groupBy("l_returnflag", "l_linestatus").agg(
        F.sum("l_quantity"),
        F.sum("l_extendedprice"),
        F.avg("l_discount"),
        F.max("l_tax"),
        F.max("l_shipdate"),
    )
    report.pair(
        "seven columns",
        seven.collect,
        lambda: (
            lazy.group_by("l_returnflag", "l_linestatus")
            .agg(
                pl.col("l_quantity").sum(),
                pl.col("l_extendedprice").sum(),
                pl.col("l_discount").mean(),
                pl.col("l_tax").max(),
                pl.col("l_shipdate").max(),
            )
            .collect()
        ),
        "polars",
    )
    infer = spark.read.option("header", True).option("inferSchema", True)
    report.pair(
        "inferSchema (peer: seven columns)",
        lambda: infer.csv(path).schema,
        seven.collect,
        "nbaspark",
    )
    report.save()


if __name__ == "__main__":
    main()
