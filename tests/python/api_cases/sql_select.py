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
