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


@pytest.mark.parametrize("kind", KINDS)
def test_columns_that_nobody_reads(spark, rows, kind):
    """Keys of either side alone, nothing at all, and a condition over what is not read behind the join; rows with several matches each."""
    dims, facts = rows
    keep_left, keep_right = KINDS[kind]
    few = {k % 10: [] for k, _, _ in dims}
    for k, a, b in dims[:60]:
        few[k % 10].append((k, a, b))
    pairs = []
    for k, v in facts:
        found = [(k, v, *d) for d in few.get(k % 12, []) if d[0] <= v]
        pairs += found if found or not keep_left else [(k, v, None, None, None)]
    met = {p[2] for p in pairs}
    pairs += [(None, None, *d) for d in dims[:60] if keep_right and d[0] not in met]
    spark.sql(f"""SELECT f.k AS fk, v, d.k AS dk, a, b, k12, k10 FROM (SELECT k, v, k % 12 AS k12 FROM facts) f {kind} JOIN
        (SELECT k, a, b, k % 10 AS k10 FROM dims WHERE k < 60) d ON k12 = k10 AND d.k <= v""").createOrReplaceTempView("pairs")  # fmt: skip
    for text, made in (
        ("count(*)", lambda p: None),
        ("fk, count(*)", lambda p: p[0]),
        ("k10, count(*)", lambda p: None if p[2] is None else p[2] % 10),
        ("k12, count(*)", lambda p: None if p[0] is None else p[0] % 12),
        ("a, b, count(*)", lambda p: (p[3], p[4])),
        ("dk + 1, count(*)", lambda p: None if p[2] is None else p[2] + 1),
    ):
        expected = Counter(map(made, pairs))
        keys = [*map(str, range(1, text.count(",") + 1))]
        by = f" GROUP BY {', '.join(keys)}" if keys else ""
        found = spark.sql(f"SELECT {text} FROM pairs{by}").collect()
        want = {(*(k if isinstance(k, tuple) else (k,)), n) for k, n in expected.items()}
        assert {tuple(r) for r in found} == ({r[1:] for r in want} if not keys else want)
        assert len(found) == len(want)


WIDE = 4097  # one value more than a dictionary of values has


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keys", ["a, b, c, d", "c, a", "b, a", "a, b", "c, b, v % 3, a", "upper(c), a", "c, e.a, f.a, e.c"])  # fmt: skip
def test_groups_by_rows_of_the_build_side(spark, kind, keys):
    """A text of many values is known by its row, which tells the other texts of the row; one of them may have the rows' numbers as codes, too."""
    keep_left, keep_right = KINDS[kind]
    dims = [
        (k, f"unique text {k}", None if k == WIDE - 1 else f"nearly {k}", f"of {k % 7}", "x" * (k % 3))
        for k in range(WIDE)
    ]  # fmt: skip
    facts = [(i * 31 % (WIDE + 20), i) for i in range(2 * FACTS)]
    spark.createDataFrame(dims, "k int, a string, b string, c string, d string").createOrReplaceTempView("wide")  # fmt: skip
    spark.createDataFrame(facts, "k int, v int").createOrReplaceTempView("lines")
    missing = (None,) * 5
    by_key = {d[0]: d for d in dims}
    met = {k for k, _ in facts}
    pairs = [(k, v, by_key.get(k, missing)) for k, v in facts if keep_left or k in by_key]
    pairs += [(None, None, d) for d in dims if keep_right and d[0] not in met]
    source = f"lines l {kind} JOIN wide f ON l.k = f.k"
    made = {
        "a, b, c, d": lambda k, v, d: d[1:],
        "c, a": lambda k, v, d: (d[3], d[1]),
        "b, a": lambda k, v, d: (d[2], d[1]),
        "a, b": lambda k, v, d: (d[1], d[2]),
        "c, b, v % 3, a": lambda k, v, d: (d[3], d[2], None if v is None else v % 3, d[1]),
        "upper(c), a": lambda k, v, d: (d[3] and d[3].upper(), d[1]),
    }
    if keys in made:
        wanted = Counter(made[keys](*p) for p in pairs)
    else:  # two build sides of the same texts: the row of one says nothing about the other
        source += " LEFT JOIN wide e ON e.k = l.v % 5"
        keys = keys.replace("c,", "f.c,", 1)
        others = ((by_key[v % 5] if v is not None else missing, d) for _, v, d in pairs)
        wanted = Counter((d[3], e[1], d[1], e[3]) for e, d in others)
    found = spark.sql(f"SELECT {keys}, count(*) FROM {source} GROUP BY {keys}").collect()
    assert Counter({tuple(r[:-1]): r[-1] for r in found}) == wanted
    assert len(found) == len(wanted)


CONDITIONS = {
    "x.a < y.a": lambda x, y: x < y,
    "x.a <> y.a": lambda x, y: x != y,
    "x.a > upper(y.a) OR x.a = y.a": lambda x, y: x > y.upper() or x == y,
    "x.a LIKE concat('%', substring(y.a, 2, 1), '%')": lambda x, y: y[1:2] in x,
}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("n_right", [3, 12, 40])
def test_few_rows_beside_a_dictionary(spark, tmp_path, condition, n_right):
    """The values of a build row are constants beside a batch, but others beside the next row: nothing about them may be kept."""
    left = [None if i % 7 == 3 else f"w{i % 5}" for i in range(100)]
    right = [None if i % 5 == 4 else f"w{i * 3 % 7}" for i in range(n_right)]
    for name, values in (("x", left), ("y", right)):
        rows = [(i, value) for i, value in enumerate(values)]
        frame = spark.createDataFrame(rows, "i int, a string").coalesce(1)
        frame.write.parquet(str(tmp_path / name))
        spark.read.parquet(str(tmp_path / name)).createOrReplaceTempView(name)
    fits = CONDITIONS[condition]
    wanted = [
        (i, k)
        for i, a in enumerate(left)
        for k, b in enumerate(right)
        if a is not None and b is not None and fits(a, b)
    ]

    def found(query: str) -> list:
        return sorted(map(tuple, spark.sql(query).collect()))

    assert found(f"SELECT x.i, y.i FROM x JOIN y ON {condition}") == wanted
    met = sorted({i for i, _ in wanted})
    inner = f"SELECT 1 FROM y WHERE {condition}"
    assert found(f"SELECT i FROM x WHERE EXISTS ({inner})") == [(i,) for i in met]
    assert found(f"SELECT i FROM x WHERE NOT EXISTS ({inner})") == [
        (i,) for i in range(len(left)) if i not in met
    ]
    outer = f"SELECT count(*), count(y.i) FROM x LEFT JOIN y ON {condition}"
    assert found(outer) == [(len(wanted) + len(left) - len(met), len(wanted))]
