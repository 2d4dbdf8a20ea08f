# SPDX-License-Identifier: Apache-2.0
"""Subqueries and lateral joins in every clause, correlated in every way that Spark allows, and the errors of those it does not."""

import re

VIEWS = {
    "t": "select * from values (1,'x',1.5D), (2,'y',2.5D), (2,'x',null), (null,'z',0.5D), (4,'y',9.0D) as t(a,b,c)",
    "u": "select * from values (1,10), (2,20), (2,25), (3,30), (null,40) as u(a,x)",
    "v": "select * from values (10,'p',array(1,2)), (20,'q',array(3)), (25,'q',array()), (99,'r',null) as v(x,k,l)",
    "e": "select * from values (1, 1) as e(a,x) where a > 1",
}

QUERIES = """
select a, (select max(x) from u) from t
select a, (select x from u where u.a = 3) from t
select a, (select x from e) from t
select a, (select max(x) from u where u.a = t.a) m from t
select a, (select count(*) from u where u.a = t.a) n from t
select a, (select count(*) + 1 from u where u.a = t.a) n from t
select a, (select coalesce(max(x), -1) from u where u.a = t.a) n from t
select a, (select coalesce(sum(x), 0) + count(*) from u where u.a = t.a) n from t
select a, (select case when count(*) = 1 then null else count(*) end from u where u.a = t.a) n from t
select a, (select collect_list(x) from u where u.a = t.a and x > 20) n from t
select a, (select count(*) from u where u.a = t.a having count(*) > 1) n from t
select a, (select count(*) from u where u.a = t.a having count(*) = 0) n from t
select a, (select count(*) from u where u.a > t.a) n from t
select a, (select max(x) from u where u.a <= t.a) n from t
select a, (select count(distinct u.a) from u where u.a <> t.a) n from t
select a, (select count(*) from u where u.a = t.a or u.x > 20) n from t
select a, (select sum(x) from u where u.a between t.a - 1 and t.a + 1) n from t
select a, (select count(*) from u where u.a <=> t.a) n from t
select a, (select max(x) from u where u.a = t.a group by u.a) n from t
select a, (select count(*) from u where u.a = t.a group by u.a) n from t
select a, (select x from u where u.a = t.a order by x limit 1) n from t
select a, (select x from u where u.a = t.a order by x desc limit 1) n from t
select a, (select x from u where u.a = t.a order by x limit 1 offset 1) n from t
select a, (select x from u where u.a > t.a order by x limit 1) n from t
select a, (select max(x) from (select x from u where u.a = t.a union all select x from v where v.x > t.a * 10)) n from t
select a, (select count(*) from (select distinct x from u where u.a >= t.a)) n from t
select a, (select max(r) from (select row_number() over (order by x) r from u where u.a >= t.a)) n from t
select a, (select max(u.x) from u join v on u.x = v.x where u.a = t.a) n from t
select a, (select count(v.k) from u left join v on u.x = v.x where u.a >= t.a) n from t
select a, (select a) n from t
select a, (select t.a + 1) n from t
select a, (select max(col) from (select explode(l) col from v where v.x > t.a * 10)) n from t
select a, b from t where a = (select min(a) from u)
select a, b from t where a > (select min(u.a) from u where u.x > 10 * t.a)
select a, b from t where (select count(*) from u where u.a = t.a) = 0
select a, b from t where (select count(*) from u where u.a = t.a) = 2 or b = 'z'
select a, b from t where exists (select 1 from u where u.a = t.a)
select a, b from t where exists (select 1 from u where u.a = t.a limit 1)
select a, b from t where exists (select count(*) from u where u.a = t.a + 100)
select a, b from t where not exists (select count(*) from u where u.a = t.a + 100)
select a, b from t where exists (select count(*) from u where u.a = t.a having count(*) > 1)
select a, b from t where not exists (select 1 from u where u.a = t.a)
select a, b from t where exists (select 1 from u where u.a > t.a)
select a, b from t where exists (select 1 from u where u.a > t.a and u.x < 25) and c > 1
select a, b from t where exists (select 1 from u where u.a = t.a) or c < 1
select a, b from t where not (exists (select 1 from u where u.a = t.a) and c > 1)
select a, b, exists (select 1 from u where u.a = t.a) q from t
select a, b, not exists (select 1 from u where u.a < t.a) q from t
select a, b from t where a in (select a from u)
select a, b from t where a not in (select a from u)
select a, b from t where a not in (select a from u where a is not null)
select a, b from t where a not in (select a from e)
select a, b from t where a in (select u.a from u where u.x > t.c * 8)
select a, b from t where a not in (select u.a from u where u.x > t.c * 8)
select a, b from t where a not in (select u.a from u where u.a is not null and u.x > t.c * 8)
select a, b from t where a in (select u.a from u where u.x > t.c order by x limit 1)
select a, b from t where (a, b) in (select a, 'x' from u)
select a, b from t where (a, b) not in (select a, 'x' from u)
select a, b from t where (a, b) not in (select a, 'x' from u where u.a = t.a)
select a, b from t where a in (select a from u) or b = 'z'
select a, b from t where not (a in (select a from u) or b = 'z')
select a, b from t where case when a in (select a from u) then b = 'x' else b = 'z' end
select a, a in (select a from u) q from t
select a, a not in (select a from u) q from t
select a, a in (select u.a from u where u.x > t.c * 8) q from t
select case when exists (select 1 from u where u.a = t.a) then 'in' else (select max(k) from v) end q from t
select b, sum(a) from t group by b having sum(a) > (select min(a) from u)
select b, sum(a) s from t group by b having sum(a) in (select a from u)
select b, sum(a) s from t group by b having exists (select 1 from u where u.a = sum(t.a))
select b, sum(a) s from t group by b having (select count(*) from u where u.a = max(t.a)) > 0
select b, sum((select max(x) from u where u.a = t.a)) s from t group by b
select (select max(x) from u where u.a = t.a) k, count(*) from t group by 1
select t.a, u.x from t join u on t.a = u.a and u.x in (select x from v)
select t.a, u.x from t left join u on t.a = u.a and u.x in (select x from v where k = 'q')
select t.a, u.x from t left join u on t.a = u.a and exists (select 1 from v where v.x = u.x)
select t.a, u.x from t left join u on t.a = u.a and t.c > (select min(c) from t)
select * from t, lateral (select t.a + 1 as z)
select * from t, lateral (select t.a + 1 as z) where z > 2
select * from t left join lateral (select t.a + 1 as z)
select * from t left join lateral (select x from u where u.a = t.a) l on l.x > 10
select * from t join lateral (select x from u where u.a > t.a) l on l.x > 20
select * from t, lateral (select count(*) n, max(x) m from u where u.a = t.a)
select * from t, lateral (select count(*) n from u where u.a < t.a) l
select * from t, lateral (select x from u where u.a >= t.a order by x desc limit 1)
select * from t left join lateral (select x from u where u.a >= t.a order by x desc limit 2) l on true
select t.a, s.x, s2.y from t, lateral (select x from u where u.a = t.a) s, lateral (select s.x + t.a as y) s2
select t.a, s2.k from t, lateral (select x from u where u.a = t.a) s, lateral (select k from v where v.x <= s.x and v.x >= t.a) s2
select t.a, l.y from t, lateral (select t.a as y union all select t.a * 2 union all select x from u where u.a = t.a) l
select t.a, l.y from t, lateral (select distinct t.a % 2 as y) l
select x, k, e from v, lateral explode(l) as w(e)
select x, k, e from v, lateral (select explode(v.l) as e)
select x, k, w.* from v left join lateral (select max(e) m from (select explode(v.l) e)) w
select * from v, lateral stack(2, x, x + 1) as s(y)
select * from t, lateral values (1), (2) w(q) where t.a = w.q
select * from t, lateral (select a, x from u where u.a = t.a intersect select a, x from u) l
select * from t, lateral (select x from u where u.a = t.a except select 20) l
select * from t, lateral (select x, sum(x) over (order by x) s from u where u.a <= t.a) l
select * from t, lateral (select u.x, v.k from u left join v on u.x = v.x and v.x > t.a * 10 where u.a = t.a) l
select * from t, lateral (select b2, count(*) n from (select t.b as b2 from u where u.a = t.a) group by b2) l
with w as (select a, max(x) m from u group by a) select t.a, (select m from w where w.a = t.a) n from t where exists (select 1 from w where w.a > t.a)
select a, (select x from u where u.a = t.a) n from t
select a, (select a, x from u) n from t
select a, (select x, t.a from u where u.a = t.a limit 1) n from t
select a from t where a in (select a, x from u)
select a from t where (a, b) in (select a from u)
select a from t where a in (select b.nope from u b)
select a, (select max(x) from u where u.a = t.nope) n from t
select * from t, lateral (select nope.x from u)
select * from t right join lateral (select t.a) on true
select a from t group by a having max((select max(x) from u where u.a = t.a)) > 1
select (select sum(x) from u where u.a = s.a) n, s.k from (select a, count(*) k from t group by a) s
select s.a, (select count(*) from u where u.x > s.q) n from (select a, avg(c) q from t group by a) s
select s.a, (select count(*) from u where u.a >= s.a) n from (select a from t order by a nulls last limit 3) s
select a, (select count(*) from u, v where u.x = v.x and u.a <= t.a and v.x > t.c) n from t
select a, (select max(n) from (select count(*) n from u where u.a = t.a)) m from t
select a, (select max(n) from (select x, count(*) n from u where u.a >= t.a group by x)) m from t
select a from t where a = any_value((select min(a) from u))
select a, percentile_approx(c, 0.5) over (partition by (select count(*) from u where u.a = t.a)) p from t
select a, (select count(*) from u where u.x = t.a + u.a * 10 - t.a) n from t
select a from t where exists (select u.a from u where u.a + t.a = u.x - 17 group by u.a having count(*) >= 1)
select a, (select max(x) from u where u.x - t.a = u.a + t.a) n from t
select a from t where if(exists(array(a), z -> z = 2), 3, a) not in (select a from u where a is not null)
select a from t where if(exists(array(a), z -> z = 2), 7, a) not in (select a from u where a is not null)
SELECT null IN (1, 2) in_list, 1 IN (1, null) b, 1 IN (2, null) c, 1 IN (SELECT null) d, 1 NOT IN (2, null) e
SELECT null IN (SELECT id FROM range(0)) in_empty, 1 NOT IN (SELECT cast(null AS int)) h
SELECT a, a IN (1, null) b, a NOT IN (1, null) c, a IN (SELECT * FROM VALUES (1), (2)) d, a IN (SELECT * FROM VALUES (1), (null)) e FROM VALUES (1), (3), (null) AS t(a)
SELECT a, a NOT IN (SELECT * FROM VALUES (1), (null)) in_not FROM VALUES (1), (3), (null) AS t(a)
SELECT a, (a, 1) IN (SELECT * FROM VALUES (1, 1), (null, 1)) b, (a, 1) IN (SELECT * FROM VALUES (1, 1), (null, 2)) c FROM VALUES (1), (3), (null) AS t(a)
SELECT a, a IN (SELECT b FROM VALUES (1), (null) AS u(b) WHERE b IS NULL OR b <= a) x FROM VALUES (1), (2), (null) AS t(a)
"""


def _build(text):
    def build(s, F, W):
        for name, query in VIEWS.items():
            s.sql(f"create or replace temp view {name} as {query}")
        return s.sql(text)

    return build


def _name(text):
    # test_api_cases compares the order of rows when a name says so: that is, for a sort at the end.
    return text if re.search(r"order by [^()]*$", text) else text.replace("order", "·")


CASES = {_name(text): _build(text) for text in QUERIES.strip().splitlines()}
