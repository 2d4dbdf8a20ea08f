# SPDX-License-Identifier: Apache-2.0
"""Keys of a small side of a join go to the scans of the other side, through shuffles and groups: rows are DuckDB's."""

import random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

QUERIES = {
    "inner": "SELECT f.k, f.v, d.w FROM f JOIN d ON f.k = d.k WHERE d.c = 3",
    "two keys": "SELECT f.v, d.w FROM f JOIN d ON f.k = d.k AND f.m = d.m WHERE d.c = 3",
    "semi": "SELECT k, v FROM f WHERE k IN (SELECT k FROM d WHERE c = 3)",
    "built of the side that is kept": "SELECT d.k, d.w FROM d WHERE c = 3 AND EXISTS (SELECT 1 FROM f WHERE f.k = d.k AND f.v > d.w)",
    "anti": "SELECT d.k, d.w FROM d WHERE c = 3 AND NOT EXISTS (SELECT 1 FROM f WHERE f.k = d.k AND f.v > 500)",
    "left": "SELECT d.k, d.w, f.v FROM (SELECT * FROM d WHERE c = 3) d LEFT JOIN f ON f.k = d.k",
    "other side of left": "SELECT f.k, f.v, d.w FROM f LEFT JOIN (SELECT * FROM d WHERE c = 3) d ON f.k = d.k",
    "full": "SELECT f.k, f.v, d.w FROM f FULL JOIN (SELECT * FROM d WHERE c = 3) d ON f.k = d.k",
    "null is null": "SELECT f.v, d.w FROM f JOIN d ON f.k IS NOT DISTINCT FROM d.k WHERE d.c = 3",
    "groups": "SELECT g.k, g.s, d.w FROM (SELECT k, sum(v) AS s FROM f GROUP BY k) g JOIN d ON g.k = d.k WHERE d.c = 3",
    "groups by two": "SELECT g.k, g.m, g.n, d.w FROM (SELECT k, m, count(*) AS n FROM f GROUP BY k, m) g JOIN d ON g.k = d.k AND g.m = d.m WHERE d.c = 3",
    "key is a total": "SELECT g.s, d.w FROM (SELECT m, max(k) AS s FROM f GROUP BY m) g JOIN d ON g.s = d.k WHERE d.c = 3",
    "union": "SELECT u.k, u.v, d.w FROM (SELECT k, v FROM f UNION ALL SELECT m, w FROM d) u JOIN d ON u.k = d.k WHERE d.c = 3",
    "joins of joins": "SELECT f.v, d.w, e.w AS x FROM f JOIN d ON f.k = d.k JOIN d e ON f.m = e.k WHERE d.c = 3 AND e.c = 5",
    "the same rows twice": "WITH g AS (SELECT k, sum(v) AS s FROM f GROUP BY k) SELECT a.k, a.s, b.s AS t FROM g a JOIN d ON a.k = d.k JOIN g b ON b.s = a.s WHERE d.c = 3",
    "windows stay whole": "SELECT g.k, g.n, d.w FROM (SELECT k, m, count(*) OVER (PARTITION BY m) AS n FROM f) g JOIN d ON g.k = d.k WHERE d.c = 3",
    "one group of the driver": "SELECT q.m, d.w FROM (SELECT max(k) AS m, bool_and(v >= 0) AS b FROM f) q JOIN d ON q.m = d.k WHERE q.b",
    "a filter that stays with the driver": "SELECT k, w FROM d WHERE (least(c, c), m) IN ((c, m + 0), (3, 5)) AND k < 40",
    "nothing at all": "SELECT f.k, f.v, d.w FROM f JOIN d ON f.k = d.k WHERE d.c = 3 AND d.w < 0",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("reduced")
    rng = random.Random(7)
    n = 6000
    facts = pa.table(
        {
            "k": pa.array([rng.choice([None, *[rng.randrange(900)] * 20]) for _ in range(n)], "int64"),
            "m": pa.array([i // 40 for i in range(n)], "int64"),
            "v": pa.array([rng.randrange(1000) for _ in range(n)], "int64"),
        }
    )  # fmt: skip
    names = pa.table(
        {
            "k": pa.array([None if i % 97 == 5 else i for i in range(1500)], "int64"),
            "m": pa.array([i % 150 for i in range(1500)], "int64"),
            "c": pa.array([i % 50 for i in range(1500)], "int32"),
            "w": pa.array([rng.randrange(1000) for _ in range(1500)], "int64"),
        }
    )
    pq.write_table(facts, path / "f.parquet", row_group_size=500)
    pq.write_table(names, path / "d.parquet", row_group_size=200)
    return path


def rows(found):
    return sorted((tuple(r) for r in found), key=lambda r: [(v is not None, v) for v in r])


@pytest.mark.parametrize("tasks", ["0", "3"])
def test_rows(session, folder, tasks):
    spark = session.newSession()
    spark.conf.set("nbaspark.debug.stages", tasks)
    db = duckdb.connect()
    for table in ("f", "d"):
        spark.read.parquet(str(folder / f"{table}.parquet")).createOrReplaceTempView(table)
        db.execute(f"create view {table} as select * from '{folder / table}.parquet'")
    for name, text in QUERIES.items():
        wanted = rows(db.execute(text).fetchall())
        assert bool(wanted) == (name != "nothing at all"), name
        assert rows(spark.sql(text).collect()) == wanted, name
