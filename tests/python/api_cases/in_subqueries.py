# SPDX-License-Identifier: Apache-2.0
"""[NOT] IN a subquery in select lists, filters, disjunctions and under IS NULL: constants, nulls and columns on the left, nulls and no rows on the
right, correlated and not."""

ROWS = "values (1, 1), (2, 2), (cast(null as int), 2) u(x, y)"
LEFTS = ["null", "cast(null as int)", "2", "x", "x + 0"]
QUERIES = [
    "select 1",
    "select null",
    "select 1 where false",
    "select * from values (1), (null) t(a)",
    "select a from values (1), (null) t(a) where a = x",
    "select a from values (1, 1), (null, 2) t(a, b) where b = y",
]
PAIRS = ["(null, 1)", "(x, y)"]
PAIR_QUERIES = [
    "select 1, 1",
    "select 1, 2 where false",
    "select * from values (1, 1), (2, null) t(a, b)",
]
SHAPES = [
    "select x, {} r from {rows}",
    "select x from {rows} where {}",
    "select x from {rows} where {} or x = 2",
    "select x from {rows} where ({}) is null",
    "select case when {} then 1 else 2 end r, x from {rows}",
]
MORE = """
select null in (select 1) r
select coalesce(null not in (select 1), true) r
select count(*) n from values (1) t(a) where 2 not in (select 1)
select x from {rows} where exists (select 1 from values (1) t(b) where x not in (select 2))
select x from {rows} where 3 not in (select x from {rows})
select x from {rows} where 3 not in (select x from {rows} where x is not null)
select x from {rows} where y + 1 not in (select x from {rows} where x is not null)
select x from {rows} where not (null in (select 1)) or y = 1
"""


def _queries():
    for lefts, queries, shapes in (
        (LEFTS, QUERIES, SHAPES),
        (PAIRS, PAIR_QUERIES, SHAPES[:2]),
    ):
        for left in lefts:
            for query in queries:
                for shape in shapes:
                    for word in ("in", "not in"):
                        if "= " not in query or "from" in shape:
                            yield shape.format(f"{left} {word} ({query})", rows=ROWS)
    for line in MORE.strip().split("\n"):
        yield line.format(rows=ROWS)


def _case(query):
    return lambda spark, F, W: spark.sql(query)


CASES = {query: _case(query) for query in _queries()}
