# SPDX-License-Identifier: Apache-2.0
"""Ten group-bys and five joins in the shapes of db-benchmark: ./dev bench bench_groupby_join [--rows 10000000] [--peers duckdb,polars] [--save]

The grouped table has keys of 100 and of rows/100 values, as text and as integers, and three values; the joined ones share keys of about rows/1e6,
rows/1e3 and rows values, of which nine in ten are on both sides. All are made here (hashes of column and row, Parquet under build/bench). What a
query finds is reduced to counts and sums over all its columns, so that only the work is timed, not the making of Python's objects; these are
compared with DuckDB's of the same run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import engines
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from retail import Maker

CHUNK = 1_000_000


def grouped(query: str, sums: str) -> str:
    return f"SELECT count(*) AS n, {sums} FROM ({query}) AS t"


def everything(join: str, columns: str) -> str:
    return f"SELECT count(*) AS n, {columns} FROM {join}"


def total(column: str) -> str:
    """A sum of integers, which polars would else add up in 32 bits."""
    return f"sum(CAST({column} AS bigint))"


LEFT = f"{total('x.id1')} AS a, {total('x.id2')} AS b, {total('x.id3')} AS c, min(x.id6) AS d, sum(x.v1) AS e"
QUERIES: dict[str, engines.Query] = {
    "g1": grouped("SELECT id1, sum(v1) AS v1 FROM g GROUP BY id1", "min(id1) AS k, sum(v1) AS v1"),
    "g2": grouped(
        "SELECT id1, id2, sum(v1) AS v1 FROM g GROUP BY id1, id2",
        "min(id1) AS k, max(id2) AS l, sum(v1) AS v1",
    ),
    "g3": grouped(
        "SELECT id3, sum(v1) AS v1, avg(v3) AS v3 FROM g GROUP BY id3",
        "min(id3) AS k, sum(v1) AS v1, sum(v3) AS v3",
    ),
    "g4": grouped(
        "SELECT id4, avg(v1) AS v1, avg(v2) AS v2, avg(v3) AS v3 FROM g GROUP BY id4",
        "sum(id4) AS k, sum(v1) AS v1, sum(v2) AS v2, sum(v3) AS v3",
    ),
    "g5": grouped(
        "SELECT id6, sum(v1) AS v1, sum(v2) AS v2, sum(v3) AS v3 FROM g GROUP BY id6",
        "sum(id6) AS k, sum(v1) AS v1, sum(v2) AS v2, sum(v3) AS v3",
    ),
    "g6": grouped(
        "SELECT id4, id5, median(v3) AS m, stddev(v3) AS s FROM g GROUP BY id4, id5",
        "sum(id4) AS k, sum(id5) AS l, sum(m) AS m, sum(s) AS s",
    ),
    "g7": grouped(
        "SELECT id3, max(v1) - min(v2) AS r FROM g GROUP BY id3", "min(id3) AS k, sum(r) AS r"
    ),
    "g8": grouped(
        "SELECT id6, v3 FROM (SELECT id6, v3, row_number() OVER (PARTITION BY id6 ORDER BY v3 DESC) AS o FROM g) AS r WHERE o <= 2",
        "sum(id6) AS k, sum(v3) AS v3",
    ),
    "g9": grouped(
        "SELECT id2, id4, power(corr(v1, v2), 2) AS r FROM g GROUP BY id2, id4",
        "min(id2) AS k, sum(id4) AS l, sum(r) AS r",
    ),
    "g10": grouped(
        "SELECT id1, id2, id3, id4, id5, id6, sum(v3) AS v3, count(*) AS c FROM g GROUP BY id1, id2, id3, id4, id5, id6",
        f"min(id1) AS a, min(id2) AS b, max(id3) AS c3, {total('id4')} AS d, {total('id5')} AS e, {total('id6')} AS f, sum(v3) AS v3, sum(c) AS c",
    ),
    "j1": everything(
        "x JOIN small ON x.id1 = small.id1", f"{LEFT}, sum(small.v2) AS f, min(small.id4) AS g"
    ),
    "j2": everything(
        "x JOIN medium ON x.id2 = medium.id2",
        f"{LEFT}, sum(medium.v2) AS f, {total('medium.id1')} AS g, min(medium.id5) AS h",
    ),
    "j3": everything(
        "x LEFT JOIN medium ON x.id2 = medium.id2",
        f"{LEFT}, sum(medium.v2) AS f, {total('medium.id1')} AS g, min(medium.id5) AS h",
    ),
    "j4": everything(
        "x JOIN medium ON x.id5 = medium.id5",
        f"{LEFT}, sum(medium.v2) AS f, {total('medium.id1')} AS g",
    ),
    "j5": everything(
        "x JOIN big ON x.id3 = big.id3",
        f"{LEFT}, sum(big.v2) AS f, {total('big.id1')} AS g, {total('big.id2')} AS h, max(big.id6) AS i",
    ),
}


class Rows(Maker):
    """Columns of the rows from `first` on."""

    def __init__(self, table: str, first: int, n: int):
        super().__init__(table, n)
        self.rows = np.arange(first, first + n, dtype=np.int64)

    def bits(self, column: str, of: np.ndarray | None = None) -> np.ndarray:
        return super().bits(column, self.rows if of is None else of)

    def double(self, column: str) -> pa.Array:
        return pa.array(np.round((self.bits(column) >> np.uint64(11)) / 2**53 * 100, 6))


def text(numbers: np.ndarray, width: int) -> pa.Array:
    """Keys such as id042, made once per number."""
    low, high = int(numbers.min()), int(numbers.max())
    if high - low > 4 * len(numbers):
        return pa.array([f"id{n:0{width}d}" for n in numbers])
    return pa.array([f"id{n:0{width}d}" for n in range(low, high + 1)]).take(pa.array(numbers - low))  # fmt: skip


def i32(numbers: np.ndarray) -> pa.Array:
    return pa.array(numbers.astype(np.int32))


def group_rows(first: int, n: int, total: int) -> pa.Table:
    m = Rows("g", first, n)
    many = max(total // 100, 1)
    return pa.table(
        {
            "id1": text(1 + m.below("id1", 100), 3),
            "id2": text(1 + m.below("id2", 100), 3),
            "id3": text(1 + m.below("id3", many), 10),
            "id4": i32(1 + m.below("id4", 100)),
            "id5": i32(1 + m.below("id5", 100)),
            "id6": i32(1 + m.below("id6", many)),
            "v1": i32(1 + m.below("v1", 5)),
            "v2": i32(1 + m.below("v2", 15)),
            "v3": m.double("v3"),
        }
    )


def keys(m: Rows, column: str, n: int, side: int, unique: bool) -> np.ndarray:
    """Keys below 1.1 × n, of which a side never has the first (or last) tenth of n."""
    start = 1 + side * (n // 10)
    if not unique:
        return start + m.below(column, n)
    return start + (m.rows * 7_368_787) % n  # a prime: each key once


def left_rows(first: int, n: int, total: int) -> pa.Table:
    m = Rows("x", first, n)
    sizes = (max(total // 1_000_000, 10), max(total // 1_000, 10), total)
    ids = [keys(m, f"id{i + 1}", sizes[i], 0, i == 2) for i in range(3)]
    made = {f"id{i + 1}": i32(ids[i]) for i in range(3)}
    made |= {f"id{i + 4}": text(ids[i], 1) for i in range(3)}
    return pa.table({**made, "v1": m.double("v1")})


def right_rows(which: int) -> object:
    def rows(first: int, n: int, total: int) -> pa.Table:
        m = Rows(f"right{which}", first, n)
        sizes = (max(total // 1_000_000, 10), max(total // 1_000, 10), total)
        ids = [keys(m, f"id{i + 1}", sizes[i], 1, i == which) for i in range(which + 1)]
        made = {f"id{i + 1}": i32(ids[i]) for i in range(which + 1)}
        made |= {f"id{i + 4}": text(ids[i], 1) for i in range(which + 1)}
        return pa.table({**made, "v2": m.double("v2")})

    return rows


def write(folder: Path, total: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {"g": total, "x": total, "big": total}
    sizes |= {"small": max(total // 1_000_000, 10), "medium": max(total // 1_000, 10)}
    makers = {"g": group_rows, "x": left_rows}
    makers |= {n: right_rows(i) for i, n in enumerate(("small", "medium", "big"))}  # type: ignore[misc]
    for name, size in sizes.items():
        writer = None
        for first in range(0, size, CHUNK):
            table = makers[name](first, min(CHUNK, size - first), total)
            writer = writer or pq.ParquetWriter(folder / f"{name}.parquet", table.schema)
            writer.write_table(table, row_group_size=250_000)
        if writer is not None:
            writer.close()
    (folder / "complete").touch()


def suite(given: argparse.Namespace) -> engines.Suite:
    folder = engines.PLACE / f"groupby-join-{given.rows}"
    if not (folder / "complete").exists():
        print(f"making {folder.name}", flush=True)
        write(folder, given.rows)
    names = ("g", "x", "small", "medium", "big")
    tables = {n: {"format": "parquet", "path": str(folder / f"{n}.parquet")} for n in names}
    about = (
        f"Ten group-bys (g1 to g10) and five joins (j1 to j5) in the shapes of db-benchmark, {given.rows:,} rows in Parquet (Snappy); "
        "the answer is counted and summed up over all its columns."
    )
    return engines.Suite("groupby_join", "Group-by and join", tables, QUERIES, about)


def arguments() -> argparse.ArgumentParser:
    parser = engines.arguments(__doc__ or "", "duckdb,polars")
    parser.add_argument("--rows", type=int, default=10_000_000)
    return parser


if __name__ == "__main__":
    engines.main(suite, arguments())
