# SPDX-License-Identifier: Apache-2.0
"""Reading NDJSON beside other engines: ./dev bench bench_json [--sf 0.25] [--peers duckdb,polars] [--save]

TPC-H's lineitem, an object per line (scale 0.25: 570 MB, made once under build/bench by DuckDB). Columns are named with their types for all engines, but
for the last query, which finds them itself: Spark's rule is to look at the whole file, DuckDB looks at a sample. Rows are compared with DuckDB's.
"""

from __future__ import annotations

import argparse

import engines
import lineitem_text


def suite(given: argparse.Namespace) -> engines.Suite:
    path = str(lineitem_text.ndjson(given.sf))
    lineitem = {"format": "json", "path": path, "columns": lineitem_text.COLUMNS}
    queries = {**lineitem_text.QUERIES, "found schema": lineitem_text.found("json", path)}
    about = f"TPC-H's lineitem at scale {given.sf} as NDJSON, an object per line; *found schema* finds names and types itself: DuckDB in a sample; nbaspark in the whole file, but only in its first run, as the file does not change after it."
    return engines.Suite("json", "Reading NDJSON", {"lineitem": lineitem}, queries, about)


def arguments() -> argparse.ArgumentParser:
    parser = engines.arguments(__doc__ or "", "duckdb,polars")
    parser.add_argument("--sf", default="0.25")
    return parser


if __name__ == "__main__":
    engines.main(suite, arguments())
