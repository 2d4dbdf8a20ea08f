# SPDX-License-Identifier: Apache-2.0
"""Groups by an integer that a Parquet file is in order of: they are complete with their row group, but for values that two row groups share."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CONFIGURATIONS = {
    "plain": {},
    "three-row batches": {"nbaspark.debug.batchRows": "3"},
    "dictionaries": {"nbaspark.debug.vectors": "dictionary"},
    "spilling": {"nbaspark.debug.forceSpill": "true"},
    "one thread": {"nbaspark.debug.threads": "1"},
    "tasks": {"nbaspark.debug.stages": "3"},
}
TYPES = {"byte": pa.int8(), "short": pa.int16(), "int": pa.int32(), "long": pa.int64(), "date": pa.date32()}  # fmt: skip


def keys_of(shape: str, n: int = 4000) -> list:
    if shape == "runs":  # some of them over the ends of row groups
        return [i // 7 for i in range(n)]
    if shape == "gaps and negative":
        return [i * 3 - 5000 for i in range(n)]
    if shape == "nulls":
        return [None if i % 11 == 4 else i // 3 for i in range(n)]
    if shape == "one value for long":
        return [min(i, 500) if i < 3000 else i // 2 for i in range(n)]
    if shape == "not in order":
        return [i * 7919 % n for i in range(n)]
    return [i // 40 - 50 for i in range(n)]  # "few"


def expected(keys: list, values: list) -> dict:
    groups = defaultdict(list)
    for k, v in zip(keys, values):
        groups[k].append(v)
    made = {}
    for k, vs in groups.items():
        there = [v for v in vs if v is not None]
        made[k] = (len(vs), len(there), sum(there) if there else None, min(there, default=None))
    return made


@pytest.fixture(params=list(CONFIGURATIONS))
def configured(request, session):
    spark = session.newSession()
    for key, value in CONFIGURATIONS[request.param].items():
        spark.conf.set(key, value)
    return spark


SHAPES = ["runs", "gaps and negative", "nulls", "one value for long", "not in order", "few"]


@pytest.mark.parametrize("shape", SHAPES)
def test_groups(configured, tmp_path, shape):
    keys = keys_of(shape)
    values = [None if i % 13 == 5 else i * 31 % 1009 for i in range(len(keys))]
    table = pa.table({"v": pa.array(values, pa.int64()), "k": pa.array(keys, pa.int64())})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=300)
    frame = configured.read.parquet(str(tmp_path / "t.parquet"))
    grouped = frame.groupBy("k").agg({"*": "count", "v": "sum"})
    frame.createOrReplaceTempView("clustered")
    text = "SELECT k, count(*), count(v), sum(v), min(v) FROM clustered GROUP BY k"
    found = {row[0]: tuple(row[1:]) for row in configured.sql(text).collect()}
    assert found == expected(keys, values)
    assert grouped.count() == len(found)
    # what stands behind: filters of groups, joins with them, limits, unions
    text = "SELECT k + 1 AS k, sum(v) AS s FROM clustered WHERE v % 2 = 0 GROUP BY k HAVING count(*) > 1"
    even = [v if v is None or v % 2 == 0 else None for v in values]
    kept = expected(
        [k for k, v in zip(keys, even) if v is not None], [v for v in even if v is not None]
    )
    wanted = {None if k is None else k + 1: g[2] for k, g in kept.items() if g[0] > 1}
    assert {row.k: row.s for row in configured.sql(text).collect()} == wanted
    text = f"SELECT count(*) FROM clustered t JOIN ({text}) g ON t.k = g.k"
    n = sum(1 for k in keys if k is not None and k in wanted)
    assert configured.sql(text).collect()[0][0] == n
    text = "SELECT k FROM clustered GROUP BY k"
    assert configured.sql(f"{text} LIMIT 5").count() == min(5, len(found))
    assert configured.sql(f"{text} UNION ALL {text}").count() == 2 * len(found)


@pytest.mark.parametrize("name", list(TYPES))
def test_types(session, tmp_path, name):
    keys = [i // 40 - 50 for i in range(4000)]
    column = pa.array(keys, pa.int32()).cast(TYPES[name])
    table = pa.table({"k": column, "v": pa.array([1] * len(keys))})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=700)
    rows = session.read.parquet(str(tmp_path / "t.parquet")).groupBy("k").count().collect()
    assert sorted(row[1] for row in rows) == [40] * 100
    assert {row[0] for row in rows} == set(column.to_pylist())


def test_order_does_not_depend_on_threads_or_batches(session, tmp_path):
    table = pa.table({"k": pa.array([i // 3 for i in range(9000)], pa.int64())})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=400)
    orders = []
    for conf in CONFIGURATIONS["one thread"], CONFIGURATIONS["three-row batches"], {}, {}:
        spark = session.newSession()
        for key, value in conf.items():
            spark.conf.set(key, value)
        frame = spark.read.parquet(str(tmp_path / "t.parquet")).groupBy("k").count()
        orders.append([tuple(row) for row in frame.collect()])
    assert all(order == orders[0] for order in orders)
    first = [k for k, _ in orders[0][:100]]
    assert first == sorted(first)  # as they came: the table of hashes had no part in it


def test_statistics_that_lie(session, tmp_path):
    base = 0x1122334455660000
    path = tmp_path / "t.parquet"
    table = pa.table({"k": pa.array([base + i // 2 for i in range(2000)], pa.int64())})
    pq.write_table(table, path, row_group_size=1000, use_dictionary=False)
    high = (base + 499).to_bytes(8, "little")
    data = path.read_bytes()
    at = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    assert data[at:].count(high) >= 1
    path.write_bytes(data[:at] + data[at:].replace(high, (base + 400).to_bytes(8, "little")))
    with pytest.raises(Exception, match=r"FAILED_READ_FILE.*t\.parquet") as caught:
        session.read.parquet(str(path)).groupBy("k").count().collect()
    assert "outside of its statistics" in str(caught.value.getMessageParameters())
