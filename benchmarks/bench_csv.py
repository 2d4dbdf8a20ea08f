# SPDX-License-Identifier: Apache-2.0
"""Reading CSV beside other engines: ./dev bench bench_csv [--sf 1] [--peers duckdb,polars] [--save]

TPC-H's lineitem as tpchgen-cli writes it (scale 1: 766 MB, made once under build/bench). Columns are named with their types for all engines, but
for the last query, which finds them itself: Spark's rule is to look at the whole file, DuckDB looks at a sample. Rows are compared with DuckDB's.
"""

from __future__ import annotations

import argparse

import engines
import lineitem_text


def suite(given: argparse.Namespace) -> engines.Suite:
    path = str(lineitem_text.csv(given.sf))
    lineitem = {"format": "csv", "path": path, "columns": lineitem_text.COLUMNS}
    queries = {**lineitem_text.QUERIES, "found schema": lineitem_text.found("csv", path)}
    about = f"TPC-H's lineitem at scale {given.sf} as CSV of `tpchgen-cli`; *found schema* finds names and types itself: DuckDB in a sample; nbaspark in the whole file, but only in its first run, as the file does not change after it."
    return engines.Suite("csv", "Reading CSV", {"lineitem": lineitem}, queries, about)


def arguments() -> argparse.ArgumentParser:
    parser = engines.arguments(__doc__ or "", "duckdb,polars")
    parser.add_argument("--sf", default="1")
    return parser


if __name__ == "__main__":
    engines.main(suite, arguments())
