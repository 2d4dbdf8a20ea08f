# SPDX-License-Identifier: Apache-2.0
"""Sums and averages of decimal expressions: few and many groups, nulls, values that need 64 bits and more, each beside Python's decimals."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Context, Decimal

import pytest

CONTEXT = Context(prec=76)
TEXT = """
    SELECT g, sum(a * (1 - b)) AS x, sum(a * (1 - b) * (1 + c)) AS y, avg(a) AS z, sum(a) AS s, avg(b) AS w, sum(a * b - c) AS v,
           sum(CAST(b AS decimal(18, 6)) + c) AS u, count(*) AS n
    FROM t GROUP BY g ORDER BY g
"""


def rows_of(n_groups: int, most: int, nulls: bool, n: int = 5000) -> list[tuple]:
    rows = []
    for i in range(n):
        a = Decimal((i * 7919 * 104729) % (2 * most + 1) - most).scaleb(-2, CONTEXT)
        b = Decimal(i * 31 % 201 - 100).scaleb(-2)
        c = Decimal(i * 17 % 19).scaleb(-2)
        rows.append((f"g{i % n_groups:04}", None if nulls and i % 7 == 3 else a, b, c))
    return rows


def expected(rows: list[tuple]) -> list[tuple]:
    groups: dict[str, list] = defaultdict(list)
    for g, a, b, c in rows:
        groups[g].append((a, b, c))
    made = []
    for g, values in sorted(groups.items()):
        there = [v for v in values if v[0] is not None]

        def total(xs):
            result = Decimal(0)
            for x in xs:
                result = CONTEXT.add(result, x)
            return result

        def mean(xs, scale):
            xs = list(xs)
            whole = CONTEXT.divide(total(xs), Decimal(len(xs)))
            return whole.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, CONTEXT)

        mul = CONTEXT.multiply
        made.append(
            (
                g,
                total(mul(a, 1 - b) for a, b, c in there),
                total(mul(mul(a, 1 - b), 1 + c) for a, b, c in there),
                mean((a for a, b, c in there), 6),
                total(a for a, b, c in there),
                mean((b for a, b, c in values), 6),
                total(CONTEXT.subtract(mul(a, b), c) for a, b, c in there),
                total(b + c for a, b, c in values),
                len(values),
            )
        )
    return made


@pytest.mark.parametrize("nulls", [False, True])
@pytest.mark.parametrize("most", [10**6, 10**13, 10**15 - 1])
@pytest.mark.parametrize("n_groups", [1, 4, 300])
def test_sums(spark, n_groups, most, nulls):
    rows = rows_of(n_groups, most, nulls)
    schema = "g string, a decimal(15,2), b decimal(15,2), c decimal(15,2)"
    spark.createDataFrame(rows, schema).createOrReplaceTempView("t")
    assert [tuple(r) for r in spark.sql(TEXT).collect()] == expected(rows)


def test_without_keys(spark):
    rows = rows_of(1, 10**15 - 1, False)
    schema = "g string, a decimal(15,2), b decimal(15,2), c decimal(15,2)"
    spark.createDataFrame(rows, schema).createOrReplaceTempView("t")
    text = TEXT.replace("SELECT g,", "SELECT max(g),").replace("GROUP BY g ORDER BY g", "")
    assert [tuple(r) for r in spark.sql(text).collect()] == expected(rows)


def test_integers(spark):
    low, high = -(2**63), 2**63 - 1
    rows = [(i % 3, i % 5, v) for i, v in enumerate([low, high, 0, 5, -7] * 600)]
    spark.createDataFrame(rows, "g int, h int, v bigint").createOrReplaceTempView("t")
    got = spark.sql(
        "SELECT g, sum(h), sum(CAST(v AS decimal(20,0))), count(*) FROM t GROUP BY g ORDER BY g"
    )
    groups = defaultdict(list)
    for g, h, v in rows:
        groups[g].append((h, v))
    assert [tuple(r) for r in got.collect()] == [
        (g, sum(h for h, v in x), Decimal(sum(v for h, v in x)), len(x))
        for g, x in sorted(groups.items())
    ]


def test_overflow(spark):
    spark.createDataFrame([(1, 2**63 - 1), (1, 1)], "g int, v bigint").createOrReplaceTempView("t")
    with pytest.raises(Exception, match="ARITHMETIC_OVERFLOW"):
        spark.sql("SELECT g, sum(v) FROM t GROUP BY g").collect()


def test_keys_of_two_dictionaries(spark, tmp_path):
    """Group keys that a Parquet reader gives as codes, in several files with dictionaries of their own."""
    rows = [(f"a{i * i % 7}", None if i % 11 == 0 else f"b{i % 5}", i) for i in range(4000)]
    frame = spark.createDataFrame(rows, "a string, b string, v int")
    frame.repartition(3).write.parquet(str(tmp_path / "t"))
    spark.read.parquet(str(tmp_path / "t")).createOrReplaceTempView("t")
    got = spark.sql("SELECT a, b, sum(v), count(*) FROM t GROUP BY a, b").collect()
    groups = defaultdict(list)
    for a, b, v in rows:
        groups[a, b].append(v)
    assert {(r[0], r[1]): (r[2], r[3]) for r in got} == {
        k: (sum(v), len(v)) for k, v in groups.items()
    }
