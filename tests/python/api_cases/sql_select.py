# SPDX-License-Identifier: Apache-2.0
"""Select lists that name their own aliases, and grouping() above its aggregation."""

VIEWS = {"t": "select * from values (1,2),(2,3),(2,4) t(a,b)"}

QUERIES = """
select 1 as a, a + 1 as b, b * 2
select a as b, b + 1 as c from t
select a as x, sum(b) as s, s / x as r, r+1 from t group by a
select sum(a) as s, s + 1 from t
select a+1 as x, x as x, x + 1 from t
select a as x, b as x, x+1 from t
select a as x, x+1 as y from t where x > 1
select named_struct('f', 1) as st, st.f + 1 as g
select a as x, (select max(q) from values (1),(2) u(q) where q = x) from t
select sum(a) as s, s+1 as t from t group by b having t > 2
select distinct a%2 as p, p + 1 as q from t
select a + b as x, x * x as y, sum(b) over (order by a, b) as w, y - x as z from t
select r = q as same from (select rand() as r, r as q from t)
select a, b, sum(a) as s, s + a as u from t group by rollup(a, b)
select a, a + 1 as b, b from t
select transform(array(1, 2), x -> x + a) as l, l[0] as f from t
select explode(array(1, 2)) as e, a as x, x + 1 from t
select a as x, exists(select 1 from t u where u.a > 1) as e, e and x > 1 as f from t
select a, b, sum(b) from t group by rollup(a,b) order by grouping(a)+grouping(b), a, b
select a, b, grouping(a)+grouping(b) l from t group by rollup(a,b) having grouping(b)=0 order by l desc, case when grouping(a)+grouping(b) = 0 then a end, b
select a, b, sum(b) from t group by a,b order by grouping(a)
select a, b, sum(b) from t group by cube(a,b) order by grouping_id(), a, b
select a, b, sum(b) from t group by cube(a,b) having grouping_id(a,b) in (1,2) order by 1,2
select a, rank() over (order by grouping(b), sum(b)) r, count(*) from t group by cube(a,b) order by grouping(b), r, a
"""


def _build(text):
    def build(s, F, W):
        for name, query in VIEWS.items():
            s.sql(f"create or replace temp view {name} as {query}")
        return s.sql(text)

    return build


CASES = {text: _build(text) for text in QUERIES.strip().splitlines()}
CASES["alias of the list in select()"] = lambda s, F, W: s.range(3).select(
    (F.col("id") * 2).alias("d"), (F.col("d") + 1).alias("e")
)


def _views(*texts):
    """Statements about views of the database, the last of which is the answer; what they made goes away first."""

    def build(s, F, W):
        for kind, name in (("view", "pv1"), ("view", "pv2"), ("table", "pt1")):
            s.sql(f"drop {kind} if exists {name}")
        for text in texts[:-1]:
            s.sql(text)
        return s.sql(texts[-1])

    return build


CASES |= {
    "view of the database": _views(
        "create view pv1 as select 1 a, 'x' b", "select * from default.pv1"
    ),
    "view twice": _views("create view pv1 as select 1", "create view pv1 as select 2"),
    "view if not exists": _views(
        "create view pv1 as select 1 a",
        "create view if not exists pv1 as select 2 a",
        "select * from pv1",
    ),
    "view replaced with columns": _views(
        "create view pv1 as select 1",
        "create or replace view pv1 (q, r) as select 3, 4",
        "select * from pv1",
    ),
    "view over a view": _views(
        "create view pv1 as select 1 a",
        "create view pv2 as select a + 1 b from pv1",
        "select * from pv2",
    ),
    "view of a wrong query": _views("create view pv1 as select nope"),
    "view dropped": _views("create view pv1 as select 1", "drop view pv1", "drop view pv1"),
    "view dropped if exists": _views("drop view if exists pv1"),
    "view over a table": _views(
        "create table pt1 using parquet as select 1 a", "create view pt1 as select 1"
    ),
    "view replaces a table": _views(
        "create table pt1 using parquet as select 1 a", "create or replace view pt1 as select 1"
    ),
    "drop view of a table": _views("create table pt1 using parquet as select 1 a", "drop view pt1"),
    "temporary view before it": _views(
        "create view pv1 as select 1 a",
        "create or replace temp view pv1 as select 2 a",
        "select * from pv1",
    ),
}
