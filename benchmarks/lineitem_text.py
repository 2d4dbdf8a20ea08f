# SPDX-License-Identifier: Apache-2.0
"""What bench_csv and bench_json share: TPC-H's lineitem as text, and the queries over it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import engines
import tpch

COLUMNS = {
    "l_orderkey": "bigint",
    "l_partkey": "bigint",
    "l_suppkey": "bigint",
    "l_linenumber": "int",
    "l_quantity": "double",
    "l_extendedprice": "double",
    "l_discount": "double",
    "l_tax": "double",
    "l_returnflag": "string",
    "l_linestatus": "string",
    "l_shipdate": "date",
    "l_commitdate": "date",
    "l_receiptdate": "date",
    "l_shipinstruct": "string",
    "l_shipmode": "string",
    "l_comment": "string",
}
SEVEN = (
    "SELECT l_returnflag, l_linestatus, sum(l_quantity) AS q, sum(l_extendedprice) AS e, avg(l_discount) AS d, max(l_tax) AS t, "
    "max(l_shipdate) AS s, count(*) AS n FROM {} GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus"
)
QUERIES = {
    "count": "SELECT count(*) AS n FROM lineitem",
    "one sum": "SELECT sum(l_quantity) AS q FROM lineitem",
    "sum by flag": "SELECT l_returnflag, sum(l_quantity) AS q FROM lineitem GROUP BY l_returnflag ORDER BY l_returnflag",
    "seven columns": SEVEN.format("lineitem"),
    "filtered": "SELECT count(*) AS n, sum(l_extendedprice) AS e, min(l_comment) AS c FROM lineitem WHERE l_shipmode = 'AIR' AND l_quantity > 45",
    "all columns": "SELECT "
    + ", ".join(
        f"{'max' if t in ('string', 'date') else 'sum'}({c}) AS {c}" for c, t in COLUMNS.items()
    )  # fmt: skip
    + " FROM lineitem",
}


def found(form: str, path: str) -> dict[str, str]:
    """A query that begins with looking for names and types: a view in Spark's dialect, a table function in DuckDB's."""
    query = "SELECT count(*) AS n, sum(l_quantity) AS q, sum(l_tax) AS t FROM "
    options = f"path '{path}', header true, inferSchema true" if form == "csv" else f"path '{path}'"
    view = f"CREATE OR REPLACE TEMPORARY VIEW found USING {form} OPTIONS ({options})"
    return {"spark": f"{view};\n{query}found", "duckdb": f"{query}read_{form}('{path}')"}


def csv(scale: str) -> Path:
    """The CSV file that tpchgen-cli writes."""
    folder = engines.PLACE / f"csv-sf{scale}"
    if not (folder / "complete").exists():
        engines.tpchgen("csv", scale, folder, "--tables", "lineitem")
        (folder / "complete").touch()
    return folder / "lineitem.csv"


def ndjson(scale: str) -> Path:
    """One object per line, numbers as numbers, dates as text; written by DuckDB."""
    path = engines.PLACE / f"lineitem-sf{scale}.json"
    if not path.exists():
        columns = ", ".join(f"{c}::{t} AS {c}" if t == "double" else c for c, t in COLUMNS.items())
        source = tpch.data(scale) / "lineitem.parquet"
        new = path.with_suffix(".new")
        text = f"set threads = 2; copy (select {columns} from '{source}') to '{new}' (format json)"
        program = f"import duckdb; duckdb.execute({text!r})"
        subprocess.run([engines.environment("duckdb"), "-c", program], check=True, env=engines.CLEAN)  # fmt: skip
        new.replace(path)
    return path
