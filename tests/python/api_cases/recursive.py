# SPDX-License-Identifier: Apache-2.0
"""WITH RECURSIVE."""

QUERIES = """
with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select * from r
with recursive r as (select 1 as n, 'a' as s union all select n + 1, concat(s, 'b') from r where n < 3) select * from r
with recursive r(n) as (select 1 union all select n + 1 from r) select * from r limit 3
with recursive r(n) as (select 1 union all select n + 1 from r) select count(*) from r
with recursive r(n) as (select 1 union select n % 3 + 1 from r) select * from r
with recursive r(n) as (select 1 union all select n + 1.5 from r where n < 5) select * from r
with recursive r(n) max recursion level 3 as (select 1 union all select n + 1 from r where n < 3) select count(*) from r
with recursive r(n) max recursion level 3 as (select 1 union all select n + 1 from r where n < 4) select count(*) from r
with recursive r(n) as (select n + 1 from r) select * from r
with recursive r(n) as (select 1 union all select a.n + b.n from r a join r b on a.n = b.n where a.n < 20) select * from r
with recursive r(n) as (select 1) select * from r
with recursive a(n) as (select 1 union all select n + 1 from a where n < 3), b(m) as (select n from a union all select m * 10 from b where m < 50) select * from b
with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select x.n, y.n from r x join r y on x.n = y.n * 2
with recursive tree as (select 1 as id, cast(null as int) as parent union all select e.id, e.parent from tree t join (values (2, 1), (3, 1), (4, 2), (5, 4)) e(id, parent) on e.parent = t.id) select * from tree order by id
with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select (select max(n) from r) m, (select count(*) from r where n > x.n) c, x.n from r x
"""


def _build(text):
    return lambda s, F, W: s.sql(text)


CASES = {text: _build(text) for text in QUERIES.strip().splitlines()}
