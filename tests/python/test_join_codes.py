# SPDX-License-Identifier: Apache-2.0
"""Texts of a join's build side, which come out as codes where they are few: joins of all kinds, each beside what Python makes of the same rows."""

from __future__ import annotations

from collections import Counter

import pytest

FACTS = 6000
KINDS = {"inner": (False, False), "left": (True, False), "right": (False, True), "full": (True, True)}  # fmt: skip


def text(i: int, n_values: int) -> str | None:
    return None if i % 13 == 5 else f"{'long text of many letters ' * (i % 2)}value {i % n_values}"


@pytest.fixture(params=[(40, 7), (3000, 3000), (9000, 5), (9000, 9000)], ids=str)
def rows(spark, request):
    n_dims, n_values = request.param
    dims = [(k, text(k, n_values), text(k * 7, 3)) for k in range(n_dims)]
    facts = [(i * 31 % (n_dims + 20), i) for i in range(FACTS)]
    spark.createDataFrame(dims, "k int, a string, b string").createOrReplaceTempView("dims")
    spark.createDataFrame(facts, "k int, v int").createOrReplaceTempView("facts")
    return dims, facts


@pytest.mark.parametrize("kind", KINDS)
def test_joins(spark, rows, kind):
    dims, facts = rows
    keep_left, keep_right = KINDS[kind]
    by_key = {k: (a, b) for k, a, b in dims}
    pairs = [(v, *by_key.get(k, (None, None))) for k, v in facts if keep_left or k in by_key]
    met = {k for k, _ in facts}
    pairs += [(None, a, b) for k, a, b in dims if keep_right and k not in met]
    spark.sql(
        f"SELECT v, a, b FROM facts f {kind} JOIN dims d ON f.k = d.k"
    ).createOrReplaceTempView("pairs")

    def found(query: str) -> Counter:
        return Counter(map(tuple, spark.sql(query).collect()))

    assert found("SELECT v, a, b FROM pairs") == Counter(pairs)
    groups = Counter((a, b) for _, a, b in pairs)
    assert found("SELECT a, b, count(*) FROM pairs GROUP BY a, b") == Counter(
        (*key, n) for key, n in groups.items()
    )
    assert found("SELECT a FROM pairs WHERE a LIKE '%value 1%' AND b <> 'value 2'") == Counter(
        (a,) for _, a, b in pairs if a and "value 1" in a and b is not None and b != "value 2"
    )
    marks = Counter(
        (("one" if a == "value 2" else None if b is None else b.upper()),) for _, a, b in pairs
    )
    assert found("SELECT CASE WHEN a = 'value 2' THEN 'one' ELSE upper(b) END FROM pairs") == marks
    texts = [a for _, a, _ in pairs if a is not None]
    assert found("SELECT min(a), max(a), count(a), count(DISTINCT a) FROM pairs") == Counter(
        [(min(texts), max(texts), len(texts), len(set(texts)))]
    )


def test_a_residual_and_a_chain(spark, rows):
    dims, facts = rows
    by_key = {k: (a, b) for k, a, b in dims}
    expected = Counter()
    for k, _ in facts:
        a, b = by_key.get(k, (None, None))
        if b is not None and a is not None and b < a and k + 1 in by_key:
            expected[a, by_key[k + 1][0]] += 1
    query = """SELECT d.a, e.a, count(*) FROM facts f JOIN dims d ON f.k = d.k AND d.b < d.a
        JOIN dims e ON e.k = d.k + 1 GROUP BY d.a, e.a"""
    assert Counter(map(tuple, spark.sql(query).collect())) == Counter(
        (*key, n) for key, n in expected.items()
    )
