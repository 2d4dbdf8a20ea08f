# SPDX-License-Identifier: Apache-2.0
"""Of structs in Parquet files only the fields that a query uses are read: the same rows, narrower scans, fewer bytes."""

import re
from pathlib import Path

import pytest

ROWS = 3000
SWITCH = "spark.sql.optimizer.nestedSchemaPruning.enabled"

TABLE = f"""
SELECT i AS id,
  CASE WHEN i % 7 > 0 THEN {{'a': i, 'b': 'b' || i, 'c': {{'d': 2 * i, 'e': repeat(md5('e' || i), 20)}}}} END AS s,
  CASE WHEN i % 5 > 0 THEN [{{'p': j, 'q': repeat(md5('q' || i), 9), 'r': {{'u': j, 'v': 'v'}}}} FOR j IN range(i % 3)] END AS items,
  map(['k'], [{{'x': i, 'y': repeat(md5('y' || i), 9)}}]) AS m
FROM range({ROWS}) t(i)
"""  # fmt: skip

CASES = {  # what is read of the columns, in the order of the scans
    "select s.a from t": ["s: struct<a:bigint>"],
    "select s.c.d from t where s.b like '%77'": ["s: struct<b:string,c:struct<d:bigint>>"],
    "select items.p from t": ["items: array<struct<p:bigint>>"],
    "select items[0].r.u from t where size(items) > 0": [
        "items: array<struct<r:struct<u:bigint>>>"
    ],
    "select items.r.u from t": ["items: array<struct<r:struct<u:bigint>>>"],
    "select size(items) from t": ["items: array<struct<p:bigint>>"],
    "select id from t where s is not null": ["id,s: struct<a:bigint>"],
    "select count(*) from t where s.c is null": ["s: struct<c:struct<d:bigint>>"],
    "select s from t where s.a = 5": ["s: struct<a:bigint,b:string,c:struct<d:bigint,e:string>>"],
    "select x.p from t lateral view explode(items) e as x": ["items: array<struct<p:bigint>>"],
    "select col.r.v, pos from (select posexplode(items) from t)": [
        "items: array<struct<r:struct<v:string>>>"
    ],
    "select key, value.x from t lateral view explode(m) mm as key, value": [
        "m: map<string,struct<x:bigint>>"
    ],
    "select m['k'].x from t": ["m: map<string,struct<x:bigint>>"],
    "select sum(s.a), max(s.c.d) from t group by s.b having sum(s.a) > 3": [
        "s: struct<a:bigint,b:string,c:struct<d:bigint>>"
    ],
    "select sum(s.a) filter (where s.c.d > 10) from t": ["s: struct<a:bigint,c:struct<d:bigint>>"],
    "select x.s.a, y.s.b from t x join t y on x.s.a = y.s.c.d": [
        "s: struct<a:bigint>",
        "s: struct<b:string,c:struct<d:bigint>>",
    ],
    "select q.a from (select s as q from t) where q.b > 'x'": ["s: struct<a:bigint,b:string>"],
    "select s.a from t order by s.c.d limit 3": ["s: struct<a:bigint,c:struct<d:bigint>>"],
    "select s.a, row_number() over (partition by s.b order by s.c.d) r from t": [
        "s: struct<a:bigint,b:string,c:struct<d:bigint>>"
    ],
    "select max(s.a) over (order by id) from t": ["id,s: struct<a:bigint>"],
    "select s.a from t union all select s.c.d from t": [
        "s: struct<a:bigint>",
        "s: struct<c:struct<d:bigint>>",
    ],
    "select distinct s.c from t": ["s: struct<c:struct<d:bigint,e:string>>"],
    "select transform(items, x -> x.p) from t": [
        "items: array<struct<p:bigint,q:string,r:struct<u:bigint,v:string>>>"
    ],
}


@pytest.fixture(scope="module", params=["duckdb", "pyarrow"])
def spark(request, session, tmp_path_factory):
    duckdb = pytest.importorskip("duckdb")
    path = str(tmp_path_factory.mktemp("fields") / "t.parquet")
    if request.param == "duckdb":
        duckdb.sql(f"COPY ({TABLE}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    else:
        import pyarrow.parquet as pq

        pq.write_table(duckdb.sql(TABLE).to_arrow_table(), path, row_group_size=700)
    own = session.newSession()
    own.read.parquet(path).createOrReplaceTempView("t")
    return own


def answer(spark, text, pruned=True):
    """The rows, and how many bytes this process read."""
    spark.conf.set(SWITCH, str(pruned).lower())
    before = bytes_read()
    rows = sorted(map(repr, spark.sql(text).collect()))
    return rows, bytes_read() - before


def bytes_read():
    return int(re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text())[1])


@pytest.mark.parametrize("text", CASES)
def test_scan_and_rows(spark, text):
    rows, _ = answer(spark, text)
    plan = spark.sql("explain " + text).collect()[0][0]
    assert re.findall(r"FileScan parquet \[(.*?)\] Pushed", plan) == CASES[text]
    assert rows == answer(spark, text, pruned=False)[0]


def test_bytes(spark):
    for text in ("select sum(s.a) from t", "select sum(s.c.d) from t where s.b is not null"):
        assert answer(spark, text)[1] * 3 < answer(spark, text, pruned=False)[1]
