# SPDX-License-Identifier: Apache-2.0
"""One engine's process of the TPC-H benchmark: runs queries over Parquet files and writes what it saw as JSON.

Started by tpch.py with the interpreter of that engine's environment, so only the standard library and the engine are imported. Per query it
records the rows, wall seconds and CPU seconds (user + system, of all threads) of each run.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


def open_nbaspark(folder: Path, threads: int) -> tuple[Callable, str]:
    from nbaspark import __version__
    from nbaspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{threads}]")
    for item in filter(None, os.environ.get("NBASPARK_BENCH_CONF", "").split(",")):
        key, value = item.split("=", 1)
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    for table in TABLES:
        spark.read.parquet(str(folder / f"{table}.parquet")).createOrReplaceTempView(table)
    return lambda text: [tuple(r) for r in spark.sql(text).collect()], __version__


def open_duckdb(folder: Path, threads: int) -> tuple[Callable, str]:
    import duckdb

    db = duckdb.connect()
    db.execute(f"set threads = {threads}")
    for table in TABLES:
        db.execute(f"create view {table} as select * from '{folder / f'{table}.parquet'}'")
    return lambda text: db.execute(text).fetchall(), duckdb.__version__


def open_datafusion(folder: Path, threads: int) -> tuple[Callable, str]:
    import datafusion

    config = datafusion.SessionConfig().with_target_partitions(threads)
    context = datafusion.SessionContext(config)
    for table in TABLES:
        context.register_parquet(table, str(folder / f"{table}.parquet"))

    def run(text: str) -> list[tuple]:
        rows: list[tuple] = []
        for batch in context.sql(text).collect():
            rows.extend(zip(*(column.to_pylist() for column in batch.columns)))
        return rows

    return run, datafusion.__version__


def open_pysail(folder: Path, threads: int) -> tuple[Callable, str]:
    import pysail
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer()
    server.start()
    spark = SparkSession.builder.remote(
        f"sc://localhost:{server.listening_address[1]}"
    ).getOrCreate()
    for table in TABLES:
        spark.read.parquet(str(folder / f"{table}.parquet")).createOrReplaceTempView(table)
    return lambda text: [tuple(r) for r in spark.sql(text).collect()], pysail.__version__


def open_pyspark(folder: Path, threads: int) -> tuple[Callable, str]:
    import pyspark
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{threads}]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.driver.memory", "8g").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for table in TABLES:
        spark.read.parquet(str(folder / f"{table}.parquet")).createOrReplaceTempView(table)
    return lambda text: [tuple(r) for r in spark.sql(text).collect()], pyspark.__version__


ENGINES = {
    "nbaspark": open_nbaspark,
    "duckdb": open_duckdb,
    "datafusion": open_datafusion,
    "pysail": open_pysail,
    "pyspark": open_pyspark,
}


def plain(value: object) -> object:
    """Give a value as JSON has it: numbers as numbers, all else as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        text = str(value)
        return text.removesuffix(" 00:00:00")


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mib() -> float:
    """Add up the peaks of this process and of those that it started (the JVM of Spark)."""
    total = 0
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                )
            except OSError:
                continue
    ours = {os.getpid()}
    for _ in range(8):
        ours |= {pid for pid, parent in parents.items() if parent in ours}
    for pid in ours:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return total / 1024


def main() -> None:
    name, folder, threads, repeat, queries_path, out = sys.argv[1:7]
    queries = json.loads(Path(queries_path).read_text())
    run, version = ENGINES[name](Path(folder), int(threads))
    results: dict[str, dict[str, object]] = {}
    for number, text in queries.items():
        wall: list[float] = []
        cpu: list[float] = []
        entry: dict[str, object] = {"wall": wall, "cpu": cpu}
        results[number] = entry
        try:
            for _ in range(int(repeat)):
                started, used = time.perf_counter(), cpu_seconds()
                rows = run(text)
                wall.append(time.perf_counter() - started)
                cpu.append(cpu_seconds() - used)
            entry["rows"] = [[plain(v) for v in row] for row in rows]
        except Exception as error:  # whatever it is, the table says so and the run goes on
            entry["error"] = f"{type(error).__name__}: {str(error).strip()[:300]}"
    made = {"engine": name, "version": version, "peak_mib": peak_mib(), "queries": results}
    Path(out).write_text(json.dumps(made))
    os._exit(0)  # servers and JVMs need no farewell


if __name__ == "__main__":
    main()
