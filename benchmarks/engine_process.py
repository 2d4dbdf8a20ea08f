# SPDX-License-Identifier: Apache-2.0
"""One engine's process of a benchmark: opens tables, runs queries and writes what it saw as JSON.

Started by engines.py with the interpreter of that engine's environment, so only the standard library and the engine are imported. The request
names the tables (format, path and, for text formats, columns with types) and has each query in this engine's dialect; the statements of one with
several are apart by a semicolon at a line's end. Per query the answer has the rows, wall seconds and CPU seconds (user and system, of all threads and of the processes that the engine started) of each run.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

TPCH_TABLES = (
    "customer",
    "lineitem",
    "nation",
    "orders",
    "part",
    "partsupp",
    "region",
    "supplier",
)
Tables = dict[str, dict]
Opened = tuple[Callable[[str], list[tuple]], str]


def parquet_tables(folder: Path, names: tuple[str, ...]) -> Tables:
    """Describe `folder/NAME.parquet` for each name."""
    return {n: {"format": "parquet", "path": str(folder / f"{n}.parquet")} for n in names}


def spark_views(spark, tables: Tables) -> None:  # type: ignore[no-untyped-def]
    """Make views with the names of the tables, in any implementation of Spark's API."""
    for name, table in tables.items():
        reader = spark.read.format(table["format"])
        if table["format"] == "csv":
            reader = reader.option("header", True)
        if "columns" in table:
            reader = reader.schema(", ".join(f"{c} {t}" for c, t in table["columns"].items()))
        reader.load(table["path"]).createOrReplaceTempView(name)


def open_nbaspark(tables: Tables, threads: int) -> Opened:
    from nbaspark import __version__
    from nbaspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{threads}]")
    for item in filter(None, os.environ.get("NBASPARK_BENCH_CONF", "").split(",")):
        key, value = item.split("=", 1)
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark_views(spark, tables)
    return lambda text: [tuple(r) for r in spark.sql(text).collect()], __version__


def open_duckdb(tables: Tables, threads: int) -> Opened:
    import duckdb

    db = duckdb.connect()
    db.execute(f"set threads = {threads}")
    # Spark's order, which LIMIT makes a matter of rows
    db.execute("set default_null_order = 'nulls_first_on_asc_last_on_desc'")
    types = {"string": "varchar", "int": "integer"}
    for name, table in tables.items():
        source = f"'{table['path']}'"
        if "columns" in table:
            columns = {c: types.get(t, t) for c, t in table["columns"].items()}
            source = f"read_{table['format']}({source}, columns = {columns})"
        db.execute(f"create view {name} as select * from {source}")
    return lambda text: db.execute(text).fetchall(), duckdb.__version__


def open_datafusion(tables: Tables, threads: int) -> Opened:
    import datafusion

    config = datafusion.SessionConfig().with_target_partitions(threads)
    context = datafusion.SessionContext(config)
    for name, table in tables.items():
        context.register_parquet(name, table["path"])

    def run(text: str) -> list[tuple]:
        rows: list[tuple] = []
        for batch in context.sql(text).collect():
            rows.extend(zip(*(column.to_pylist() for column in batch.columns)))
        return rows

    return run, datafusion.__version__


def open_polars(tables: Tables, threads: int) -> Opened:
    import polars

    types = {
        "bigint": polars.Int64,
        "int": polars.Int32,
        "double": polars.Float64,
        "string": polars.String,
        "date": polars.Date,
    }
    context = polars.SQLContext()
    for name, table in tables.items():
        columns = {c: types[t] for c, t in table.get("columns", {}).items()}
        if table["format"] == "parquet":
            frame = polars.scan_parquet(table["path"])
        elif table["format"] == "csv":
            frame = polars.scan_csv(table["path"], schema=columns)
        else:
            # dates in JSON are text, which only an expression makes a date of
            dates = [c for c, t in columns.items() if t == polars.Date]
            schema = {c: polars.String if c in dates else t for c, t in columns.items()}
            frame = polars.scan_ndjson(table["path"], schema=schema)
            frame = frame.with_columns(polars.col(c).str.to_date() for c in dates)
        context.register(name, frame)
    return lambda text: context.execute(text, eager=True).rows(), polars.__version__


def open_pysail(tables: Tables, threads: int) -> Opened:
    import pysail
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer()
    server.start()
    address = f"sc://127.0.0.1:{server.listening_address[1]}"
    spark = SparkSession.builder.remote(address).getOrCreate()
    spark_views(spark, tables)

    def run(text: str, server: SparkConnectServer = server) -> list[tuple]:
        # the server ends with the last that holds it
        return [tuple(r) for r in spark.sql(text).collect()]

    return run, pysail.__version__


def open_pyspark(tables: Tables, threads: int) -> Opened:
    import pyspark
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{threads}]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.driver.memory", "8g").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark_views(spark, tables)
    return lambda text: [tuple(r) for r in spark.sql(text).collect()], pyspark.__version__


ENGINES = {
    "nbaspark": open_nbaspark,
    "duckdb": open_duckdb,
    "datafusion": open_datafusion,
    "polars": open_polars,
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


def family() -> set[int]:
    """This process and those that it started (the JVM of Spark)."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
                parents[int(entry.name)] = int(stat.rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    ours = {os.getpid()}
    for _ in range(8):
        ours |= {pid for pid, parent in parents.items() if parent in ours}
    return ours


def cpu_seconds(others: set[int] | None = None) -> float:
    """Processor time of this process and, by the kernel's coarser clock, of others."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    total = used.ru_utime + used.ru_stime
    for pid in others or ():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return total


def peak_mib() -> float:
    """Add up the peaks of this process and of those that it started."""
    total = 0
    for pid in family():
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return total / 1024


def main() -> None:
    name, asked, out = sys.argv[1:4]
    request = json.loads(Path(asked).read_text())
    run, version = ENGINES[name](request["tables"], request["threads"])
    others = family() - {os.getpid()}
    results: dict[str, dict[str, object]] = {}
    for number, text in request["queries"].items():
        wall: list[float] = []
        cpu: list[float] = []
        entry: dict[str, object] = {"wall": wall, "cpu": cpu}
        results[number] = entry
        try:
            for _ in range(request["repeat"]):
                started, used = time.perf_counter(), cpu_seconds(others)
                for statement in text.split(";\n"):
                    rows = run(statement)
                wall.append(time.perf_counter() - started)
                cpu.append(cpu_seconds(others) - used)
            entry["rows"] = [[plain(v) for v in row] for row in rows]
        except BaseException as error:  # a panic of Rust is no Exception; the table says what it was and the run goes on
            entry["error"] = f"{type(error).__name__}: {str(error).strip()[:300]}"
    made = {"engine": name, "version": version, "peak_mib": peak_mib(), "queries": results}
    Path(out).write_text(json.dumps(made))
    os._exit(0)  # servers and JVMs need no farewell


if __name__ == "__main__":
    main()
