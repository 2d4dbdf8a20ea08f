# SPDX-License-Identifier: Apache-2.0
"""TPC-H lineitem at scale 1 (766 MB of CSV) written as Parquet and as CSV, beside DuckDB's COPY: processor seconds and peak memory.

Each side runs in a process of its own with two threads, in turn with the other.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from harness import RUNS, Report

FOLDER = Path(
    os.environ.get(
        "NBASPARK_BENCH_DATA", Path(__file__).resolve().parent.parent / "build" / "bench-data"
    )
)
SOURCE, OUT = FOLDER / "lineitem.csv", FOLDER / "written"
SCHEMA = """l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity decimal(15,2),
  l_extendedprice decimal(15,2), l_discount decimal(15,2), l_tax decimal(15,2), l_returnflag string, l_linestatus string,
  l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct string, l_shipmode string, l_comment string"""
CASES = {
    "to Parquet": ("parquet", 0, ""),
    "to CSV": ("csv", 0, ""),
    "to one Parquet file": ("parquet", 1, ""),
    "to Parquet, by l_shipmode": ("parquet", 0, "l_shipmode"),
}


def nbaspark(kind, files, by):
    from nbaspark.sql import SparkSession

    spark = SparkSession.builder.master("local[2]").getOrCreate()
    rows = spark.read.csv(str(SOURCE), header=True, schema=SCHEMA)
    writer = (rows.coalesce(files) if files else rows).write.mode("overwrite")
    (writer.partitionBy(by) if by else writer).save(str(OUT), format=kind, header=True)


def duckdb(kind, files, by):
    import duckdb

    db = duckdb.connect()
    db.execute("set threads = 2")
    options = f", partition_by ({by})" if by else ", header" if kind == "csv" else ""
    db.execute(f"copy (from read_csv('{SOURCE}')) to '{OUT}' (format {kind}{options})")


def one(engine, case):
    """Processor seconds, and peak MiB, of a process that does it."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.unlink(missing_ok=True)
    command = [sys.executable, __file__, "one", engine, case]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main():
    if sys.argv[1:2] == ["one"]:
        globals()[sys.argv[2]](*CASES[sys.argv[3]])
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
        return
    if not SOURCE.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        tool = Path(sys.executable).with_name("tpchgen-cli")
        command = [tool, "csv", "-s", "1", "--tables", "lineitem", "--output-dir", FOLDER]
        subprocess.run(command, check=True)
    report = Report("write")
    for case in CASES:
        runs = [(one("nbaspark", case), one("duckdb", case)) for _ in range(RUNS)]
        (ours, peak), (peers, peers_peak) = (
            [statistics.median(run[side][what] for run in runs) for what in (0, 1)]
            for side in (0, 1)
        )
        report.add(case, ours, "duckdb", peers, peak_mib=peak, peer_peak_mib=peers_peak)
        print(f"{'  peak, MiB':34}{peak:10.0f}{peers_peak:10.0f}{peak / peers_peak:8.2f}")
    report.save()


if __name__ == "__main__":
    main()
