# SPDX-License-Identifier: Apache-2.0
"""TPC-H over Parquet files, beside other engines: ./dev bench tpch --sf 1 --peers duckdb,datafusion,pysail,pyspark

Makes the data (tpchgen-cli) and each peer's environment under build/bench, runs one process per engine in turn, compares all rows with DuckDB's
of the same run, and prints seconds, ratios and peaks. Query texts come from DuckDB's tpch_queries() at run time. With --save the numbers go to
benchmarks/results/tpch_sf<SF>.json, and docs/performance.md is made anew from all results.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

import engines
from engine_process import TPCH_TABLES, parquet_tables
from engines import PLACE

TEXTS = (
    "import duckdb, json, sys; "
    "rows = duckdb.sql('select query_nr, query from tpch_queries()').fetchall(); "
    "json.dump({str(n): q.strip().rstrip(';') for n, q in rows}, open(sys.argv[1], 'w'))"
)


def data(scale: str) -> Path:
    folder = PLACE / f"tpch-sf{scale}"
    if not (folder / "complete").exists():
        engines.tpchgen("parquet", scale, folder)
        (folder / "complete").touch()
    return folder


def texts() -> dict[str, str]:
    path = PLACE / "tpch-queries.json"
    if not path.exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        command = [engines.environment("tools"), "-c", TEXTS, path]
        subprocess.run(command, check=True, env=engines.CLEAN)
    queries = json.loads(path.read_text())
    return {n: queries[n] for n in sorted(queries, key=int)}


def suite(given: argparse.Namespace) -> engines.Suite:
    import profile_query

    tables = parquet_tables(data(given.sf), TPCH_TABLES)
    made = engines.Suite(f"tpch_sf{given.sf}", f"TPC-H at scale {given.sf}", tables, dict(texts()))
    if given.save:
        made.more = {
            "scale": given.sf,
            "budget": {q: profile_query.budget(made, q) for q in made.queries},
        }
    return made


def arguments() -> argparse.ArgumentParser:
    parser = engines.arguments(__doc__ or "", "duckdb")
    parser.add_argument("--sf", default="1")
    return parser


if __name__ == "__main__":
    engines.main(suite, arguments())
