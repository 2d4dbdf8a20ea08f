# SPDX-License-Identifier: Apache-2.0
"""Groups by several keys of few values each, counts of distinct values and medians, each beside what Python makes of the same rows."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict

import pytest

# How integer keys go on from one part of the rows to the next: stay, widen to either side, reach the ends of their type, begin with nulls.
SHAPES = {
    "narrow": lambda i: i * 7919 % 100 - 50,
    "widening": lambda i: (i // 500) * (-1) ** (i // 500) * 40 + i % 7,
    "too wide": lambda i: i % 5 if i < 5000 else (i % 11) * 10**17,
    "extremes": lambda i: (-(2**63), 2**63 - 1, 0)[i % 3],
    "nulls first": lambda i: None if i < 4000 or i % 13 == 0 else 2000 + i % 9,
}
ROWS = 9000


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("file", (False, True))
def test_groups_by_several_keys(spark, tmp_path, shape, file):
    rows = [
        (SHAPES[shape](i), None if i % 17 == 5 else f"s{i * 31 % 23}", i % 3 == 0, i)
        for i in range(ROWS)
    ]
    df = spark.createDataFrame(rows, "a bigint, b string, c boolean, v bigint")
    if file:
        df.write.parquet(str(tmp_path / "t"))
        df = spark.read.parquet(str(tmp_path / "t"))
    df.createOrReplaceTempView("t")
    expected: dict[tuple, list[int]] = defaultdict(list)
    for a, b, c, v in rows:
        expected[a, b, c].append(v)
    found = spark.sql("SELECT a, b, c, count(*), sum(v), min(v) FROM t GROUP BY a, b, c").collect()
    assert {tuple(r) for r in found} == {
        (*key, len(v), sum(v), min(v)) for key, v in expected.items()
    }
    assert len(found) == len(expected)
    texts = {b for _, b, _, _ in rows if b is not None}
    (one,) = spark.sql("SELECT count(DISTINCT b), count(DISTINCT b, c), count(*) FROM t").collect()
    pairs = {(b, c) for _, b, c, _ in rows if b is not None}
    assert tuple(one) == (len(texts), len(pairs), ROWS)


def test_distinct_texts(spark, tmp_path):
    """Sets of texts that a Parquet reader gives as codes, in several files with dictionaries of their own."""
    rows = [
        (f"a{i * i % 7}", None if i % 11 == 0 else f"b{i * 7919 % 301}", i) for i in range(ROWS)
    ]
    frame = spark.createDataFrame(rows, "a string, b string, v int")
    frame.repartition(3).write.parquet(str(tmp_path / "t"))
    spark.read.parquet(str(tmp_path / "t")).createOrReplaceTempView("t")
    sets: dict[str, set] = defaultdict(set)
    for a, b, _ in rows:
        sets[a].add(b)
    found = spark.sql(
        "SELECT a, count(DISTINCT b), count(DISTINCT b) FILTER (WHERE v >= 4500), sum(v) FROM t GROUP BY a"
    ).collect()
    later: dict[str, set] = defaultdict(set)
    for a, b, v in rows:
        if v >= 4500:
            later[a].add(b)
    assert {r[0]: tuple(r)[1:3] for r in found} == {
        a: (len(v - {None}), len(later[a] - {None})) for a, v in sets.items()
    }
    assert sum(r[3] for r in found) == sum(range(ROWS))
    (one,) = spark.sql("SELECT count(DISTINCT b), count(DISTINCT a, b) FROM t").collect()
    pairs = {(a, b) for a, b, _ in rows if b is not None}
    assert tuple(one) == (301, len(pairs))


def test_medians(spark):
    rows = []
    groups = {
        "one": [5.0],
        "equal": [1.5] * 100,
        "rising": [float(i) for i in range(1001)],
        "falling": [float(-i) for i in range(1000)],
        "mixed": [float(i * 7919 % 1009) for i in range(1009)],
        "organ pipe": [float(min(i, 999 - i)) for i in range(1000)],
        "infinite": [math.inf, -math.inf, 3.0] * 20,
    }
    for name, values in groups.items():
        rows += [(name, v) for v in values] + [(name, None)]
    rows += [("nan", v) for v in [math.nan] * 30 + [float(i) for i in range(29)]]
    spark.createDataFrame(rows, "k string, v double").createOrReplaceTempView("m")
    found = {
        k: rest
        for k, *rest in spark.sql(
            "SELECT k, median(v), percentile(v, array(0, 0.25, 1)), percentile_disc(0.5) WITHIN GROUP (ORDER BY v DESC) FROM m GROUP BY k"
        ).collect()
    }
    for name, values in groups.items():
        values = sorted(values)
        at = (len(values) - 1) * 0.25
        low, high = values[math.floor(at)], values[math.ceil(at)]
        quarter = low if low == high else (1 - at % 1) * low + at % 1 * high
        middle = values[::-1][math.ceil(len(values) / 2) - 1]
        assert found[name] == [
            statistics.median(values),
            [values[0], pytest.approx(quarter), values[-1]],
            middle,
        ]
    median, (least, _, greatest), _ = found["nan"]
    assert math.isnan(median) and least == 0.0 and math.isnan(greatest)


def test_keys_in_the_order_of_their_hashes(spark, tmp_path, settings):
    """Groups that a grouping of the same keys has made, at once and from a file; not a matter of minutes."""
    if "nbaspark.debug.equalHashes" in settings.get("conf", {}):
        return  # hashes have no order there
    once = "SELECT id, count(*) AS n, sum(id) AS s FROM range(200000) GROUP BY id"
    spark.sql(once).write.parquet(str(tmp_path / "t"))
    totals = (200000, 200000, sum(range(200000)))
    for rows in (f"({once})", f"parquet.`{tmp_path}/t`"):
        again = f"SELECT id, sum(n) AS n, sum(s) AS s, count(DISTINCT s) AS d FROM {rows} GROUP BY id"  # fmt: skip
        found = spark.sql(f"SELECT count(*), sum(n), sum(s), sum(d) FROM ({again})").collect()
        assert tuple(found[0]) == (*totals, 200000)
        found = spark.sql(f"SELECT id, n FROM ({again}) WHERE id % 40000 = 7").collect()
        assert sorted(map(tuple, found)) == [(i, 1) for i in range(7, 200000, 40000)]


def test_keys_that_are_one_value_per_part(spark, tmp_path):
    """Branches of a union name themselves: a key that is constant in a batch, and another in the next; one is null, one is no constant."""
    rows = [(i % 7, f"s{i * 31 % 23}", i) for i in range(ROWS)]
    spark.createDataFrame(rows, "a int, b string, v int").write.parquet(str(tmp_path / "t"))
    spark.read.parquet(str(tmp_path / "t")).createOrReplaceTempView("t")
    branches = {
        "'x'": lambda b: "x",
        "'y'": lambda b: "y",
        "null": lambda b: None,
        "b": lambda b: b,
    }
    text = " UNION ALL ".join(f"SELECT {c} AS c, a, b, v FROM t" for c in branches)
    expected: dict[tuple, int] = defaultdict(int)
    for name in branches.values():
        for a, b, v in rows:
            expected[name(b), b] += v
            expected[name(b), a] += v
            expected[name(b), "one"] += v
    for key in ("b", "a", "'one'"):
        found = spark.sql(f"SELECT c, {key}, sum(v) FROM ({text}) GROUP BY c, {key}").collect()
        kind = int if key == "a" else str
        keys = {
            k for k in expected if isinstance(k[1], kind) and (k[1] == "one") == (key == "'one'")
        }
        assert {(c, k): s for c, k, s in found} == {k: expected[k] for k in keys}
        assert len(found) == len(keys)


def test_keys_from_dictionaries_and_without(spark, tmp_path):
    """A key that is worked out over the entries of a dictionary in one part of the rows, and over values in the next, with the same small results."""
    place = str(tmp_path / "t")
    few = [("ab" * (6 - i % 7), i % 3, i) for i in range(5000)]
    many = [("x" * (i % 6), i % 3, i) for i in range(5000)]
    for rows, dictionary in ((few, "true"), (many, "false"), (many, "false"), (few, "true")) * 2:
        frame = spark.createDataFrame(rows, "s string, a int, v int").coalesce(1)
        frame.write.option("parquet.enable.dictionary", dictionary).mode("append").parquet(place)
    expected: dict[tuple, int] = defaultdict(int)
    for s, a, v in 4 * (few + many):
        expected[len(s), a] += v
    spark.read.parquet(place).createOrReplaceTempView("t")
    found = spark.sql("SELECT length(s), v % 3, sum(v) FROM t GROUP BY 1, 2").collect()
    assert {(n, a): s for n, a, s in found} == expected
    assert len(found) == len(expected)


BIG = {
    "id DIV 1300": lambda i: i // 1300,
    "400 - id DIV 1300": lambda i: 400 - i // 1300,
    "if(id % 5 = 0, null, id DIV 1300)": lambda i: None if i % 5 == 0 else i // 1300,
    "id DIV 1300 * 7000": lambda i: i // 1300 * 7000,
}


@pytest.mark.parametrize("key", BIG)
def test_many_groups_of_integers(spark, key):
    """So many that combinations are looked up in a large table, whose ranges grow on either side; or are too far apart."""
    equal = spark.conf.get("nbaspark.debug.equalHashes", "false") == "true"
    n = 5_200 if equal else 520_000  # one long chain takes time by the square of the groups
    groups = f"SELECT {key} AS a, id % 1300 DIV 2 AS b, sum(id) AS s, count(*) AS n FROM range({n}) GROUP BY 1, 2"
    (one,) = spark.sql(f"SELECT count(*), sum(n), sum(s), sum(s * n) FROM ({groups})").collect()
    expected: dict[tuple, list[int]] = defaultdict(list)
    for i in range(n):
        expected[BIG[key](i), i % 1300 // 2].append(i)
    product = sum(sum(v) * len(v) for v in expected.values())
    assert tuple(one) == (len(expected), n, n * (n - 1) // 2, product)
