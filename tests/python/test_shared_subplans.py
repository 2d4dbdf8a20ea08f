# SPDX-License-Identifier: Apache-2.0
"""Aggregations that stand in a query several times: the rows are those of a query that computes each on its own."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["files", "rows"])
def table(spark, request, tmp_path):
    rows = [(i % 17, i % 5, i * 37 % 101) for i in range(3000)]
    frame = spark.createDataFrame(rows, "k int, g int, v bigint")
    if request.param == "files":
        frame.repartition(3).write.parquet(str(tmp_path / "t"))
        frame = spark.read.parquet(str(tmp_path / "t"))
    frame.createOrReplaceTempView("t")
    sums: dict[int, int] = {}
    for k, _, v in rows:
        sums[k] = sums.get(k, 0) + v
    return sums


def test_scalar_subquery_over_the_same(spark, table):
    got = spark.sql("""
        WITH r AS (SELECT k, sum(v) AS s FROM t GROUP BY k)
        SELECT k, s FROM r WHERE s = (SELECT max(s) FROM r) ORDER BY k
    """)
    most = max(table.values())
    assert [tuple(r) for r in got.collect()] == sorted(
        (k, s) for k, s in table.items() if s == most
    )


def test_joined_with_itself(spark, table):
    got = spark.sql("""
        WITH r AS (SELECT k, sum(v) AS s FROM t GROUP BY k)
        SELECT a.k, a.s, b.s FROM r a JOIN r b ON a.k = b.k + 1 WHERE a.s > b.s ORDER BY a.k
    """)
    assert [tuple(r) for r in got.collect()] == [
        (k, s, table[k - 1])
        for k, s in sorted(table.items())
        if k - 1 in table and s > table[k - 1]
    ]


def test_one_of_two_is_filtered_by_a_join(spark, table):
    """The keys of the small side must not leave out rows of the shared one."""
    got = spark.sql("""
        WITH r AS (SELECT k, sum(v) AS s FROM t GROUP BY k), few AS (SELECT 3 AS k UNION ALL SELECT 5)
        SELECT few.k, r.s, (SELECT count(*) FROM r), (SELECT sum(s) FROM r) FROM few JOIN r ON few.k = r.k ORDER BY few.k
    """)
    assert [tuple(r) for r in got.collect()] == [
        (k, table[k], len(table), sum(table.values())) for k in (3, 5)
    ]


def test_union_and_nesting(spark, table):
    got = spark.sql("""
        WITH r AS (SELECT k, g, sum(v) AS s FROM t GROUP BY k, g), q AS (SELECT k, sum(s) AS s FROM r GROUP BY k)
        SELECT count(*), sum(s) FROM (SELECT s FROM q UNION ALL SELECT s FROM q UNION ALL SELECT s FROM r)
    """)
    assert [tuple(r) for r in got.collect()] == [(17 + 17 + 85, 3 * sum(table.values()))]


def test_different_filters_are_not_shared(spark, table):
    got = spark.sql("""
        SELECT a.n, b.n FROM (SELECT count(*) AS n FROM t WHERE g < 2) a, (SELECT count(*) AS n FROM t WHERE g < 3) b
    """)
    assert [tuple(r) for r in got.collect()] == [(1200, 1800)]


def test_what_differs_by_chance_is_not_shared(spark, table):
    got = spark.sql("""
        SELECT a.x = b.x FROM (SELECT sum(r) AS x FROM (SELECT rand() AS r FROM t)) a,
          (SELECT sum(r) AS x FROM (SELECT rand() AS r FROM t)) b
    """)
    assert not got.collect()[0][0]


@pytest.mark.parametrize(
    ("query", "same"),
    [
        ("WITH q AS (SELECT id, rand() r FROM range(3)) {pairs} q a, q b", True),
        ("WITH q AS (SELECT id, randn() r FROM range(3)) {pairs} q a, q b", True),
        (
            "WITH q AS (SELECT id, rand() r FROM range(3)), p AS (SELECT * FROM q) {pairs} q a, p b",
            True,
        ),
        (
            "WITH q AS (SELECT id, rand() r FROM range(3)), p AS (SELECT id, rand() r FROM range(3)) {pairs} q a, p b",
            False,
        ),
        (
            "WITH q AS (SELECT id, rand() r, rand() s FROM range(3)) SELECT r = s FROM q WHERE id >= 0",
            False,
        ),
        (
            "{pairs} (SELECT id, rand() r FROM range(3)) a, (SELECT id, rand() r FROM range(3)) b",
            False,
        ),
    ],
)
def test_references_see_the_same_random_numbers(spark, query, same):
    """Answers as Spark 4.2 gives them."""
    text = query.format(pairs="SELECT a.r = b.r FROM")
    got = spark.sql(text + ("" if "WHERE" in text else " WHERE a.id = b.id")).collect()
    assert [row[0] for row in got] == [same] * 3


def test_each_query_draws_anew(spark):
    df = spark.sql("WITH q AS (SELECT rand() FROM range(3)) SELECT * FROM q")
    assert df.columns == ["rand()"]
    assert df.collect() != df.collect()


@pytest.mark.parametrize("drawn", ["rand(42)", "monotonically_increasing_id()", "randn(1) + id"])
def test_filters_do_not_change_what_rows_have_drawn(spark, drawn):
    frame = spark.range(0, 100, 1, 2).selectExpr("id", f"{drawn} AS r")
    whole = {row.id: row.r for row in frame.collect()}
    some = {row.id: row.r for row in frame.where("id % 7 = 1").collect()}
    assert some == {i: r for i, r in whole.items() if i % 7 == 1}


def test_one_of_two_has_less(spark, table):
    """The second one reads some of the columns of the first, in another order, with another name."""
    got = spark.sql("""
        WITH r AS (SELECT k, g, count(*) AS n, sum(v) AS s, count(DISTINCT v) AS d, min(v) FILTER (WHERE g > 1) AS m FROM t GROUP BY k, g)
        SELECT a.k, a.g, a.n, a.d, a.m, a.s, (SELECT max(x) FROM (SELECT m AS x FROM r)), (SELECT sum(s + n) FROM r), (SELECT count(*) FROM r)
        FROM r a WHERE a.s > (SELECT avg(s) FROM r)
    """)
    rows: dict[tuple, list[int]] = {}
    for i in range(3000):
        rows.setdefault((i % 17, i % 5), []).append(i * 37 % 101)
    sums = {key: sum(v) for key, v in rows.items()}
    mean, total = sum(sums.values()) / len(sums), sum(sums.values()) + 3000
    least = {(k, g): min(v) if g > 1 else None for (k, g), v in rows.items()}
    most = max(m for m in least.values() if m is not None)
    assert sorted(map(repr, map(tuple, got.collect()))) == sorted(
        repr((*key, len(v), len(set(v)), least[key], sums[key], most, total, len(rows)))
        for key, v in rows.items()
        if sums[key] > mean
    )


def test_a_filter_of_keys_below_one_of_them(spark, table):
    got = spark.sql("""
        WITH r AS (SELECT k, g, sum(v) AS s FROM t GROUP BY k, g), top AS (SELECT max(s) AS m FROM r WHERE k IS NOT NULL AND k > 0)
        SELECT a.k, a.g, a.s FROM r a JOIN r b ON a.k = b.k AND a.g = b.g + 1 WHERE a.s > (SELECT 0.5 * m FROM top) ORDER BY a.k, a.g
    """)
    want = spark.sql("SELECT k, g, sum(v) AS s FROM t GROUP BY k, g").collect()
    most = max(r.s for r in want if r.k > 0)
    assert got.collect() == sorted(r for r in want if r.g > 0 and r.s > 0.5 * most)
