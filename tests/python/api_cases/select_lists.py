# SPDX-License-Identifier: Apache-2.0
"""Windows over groups that HAVING leaves, rows compared with rows, stars with EXCEPT, subqueries that an expression uses more than once."""

VIEWS = {
    "t": "select * from values (1,'x',1.5D), (2,'y',2.5D), (2,'x',null), (null,'z',0.5D), (4,'y',9.0D) as t(a,b,c)",
    "u": "select * from values (1,10), (2,20), (2,25), (3,30), (null,40) as u(a,x)",
    "v": "select struct(1 a, struct(2 x, 3 y) n) s, array(struct(1 a, 2 b)) l, 5 c",
    "w": "select if(c > 5, null, struct(c, 'k' k)) s, c from values (4), (6) w(c)",
}

QUERIES = """
select b, rank() over (order by sum(a)) r from t group by b having count(*) > 1
select b, count(*) n, sum(count(*)) over () s from t group by b having n > 1
select b, count(*) n, sum(count(*)) over () s from t group by b having count(*) > 1 and b <> 'x'
select b, upper(b) ub, row_number() over (order by b) r from t group by b having ub > 'X'
select b, grouping(b) g, rank() over (partition by grouping(b) order by count(*)) r from t group by rollup(b) having count(*) > 1
select b, sum(a) s, sum(sum(a)) over () o from t group by b having max(a) in (select a from u)
select a, sum(sum(c)) over (order by a) r from t group by a having sum(c) is not null
select a, sum(sum(c)) over (order by a) r, avg(count(*)) over (partition by a > 1) q from t group by a having sum(c) > 1
select max(a) m, rank() over (order by max(a)) r from t having count(*) > 1
select max(a) m, rank() over (order by max(a)) r from t having count(*) > 100
select b, row_number() over (order by sum(a)) r from t group by b having count(*) > 1 qualify r = 1
select b, row_number() over (order by sum(a)) r from t group by b having count(*) > 1 order by r desc limit 1
select distinct count(*) over () n from t group by b having count(*) > 1
select a from t where (a, b) = (2, 'x')
select a, (a, b) > (1, 'x') g, (a, b) <> (2, 'y') d from t
select a, (a, b) between (1, 'x') and (2, 'x') i from t
select t.a, u.x from t join u on (t.a, t.a * 10) = (u.a, u.x)
select a, (a, 1) = (a, 1S) e from t
select a, struct(a as q, b) = struct(1 as r, 'x' as s) e, array(struct(a as q)) = array(struct(1 as r)) f from t
select a, case (a, b) when (1, 'x') then 'first' else 'other' end k from t
select * except (s.a) from v
select * except (s.n.x, s.a, l) from v
select * except (s.zz) from v
select * except (c.a) from v
select * except (s, s.a) from v
select * except (c, C) from v
select * except (s.k) from w
select s.* except (a) from v
select s.* except (s.a) from v
select t.* except (a), u.* except (a) from t join u on t.a = u.a
select t.* except (t.a), u.* except (u.a, u.x) from t join u on t.a = u.a
select t.* except (u.a) from t join u on t.a = u.a
select * except (t.a, u.a) from t join u on t.a = u.a
select * except (a) from t join u using (a)
select count(t.*) from t
select a, case (select max(x) from u where u.a <=> t.a) when 10 then 'ten' when a * 15 then 'other' when 40 then 'null' end k from t
select a, case (select max(x) from u where u.a = t.a and t.c is not null) when 10 then 'ten' when 25 then 'two' end k from t
select a, case (select max(x) from u where u.a > t.a and t.c > 1) when 25 then 'two' when 30 then 'three' else 'none' end k from t
select a, nullif((select min(x) from u where u.a >= t.a and t.b > 'w'), 30) k from t
select a, (select count(*) from u where u.a <=> t.a or t.b = 'z') between 1 and 2 k from t
select a from t where (select count(*) from u where u.a <=> t.a or t.b = 'z') between 1 and 2
select a, sum(a) from t group by a having case (select max(x) from u where u.a <=> t.a) when 10 then 1 when 40 then 2 else 3 end < 3
select mode() within group (order by a), mode() within group (order by b desc), mode() within group (order by c desc) from t
select b, mode() within group (order by a desc), mode() within group (order by c) from t group by b
select 1.0BD * 1Y x, 2Y / 4.00BD y, coalesce(1Y, 2.5BD) z, 1.0BD * 1S w, sum(c) + 1Y v from t
select count(*) n, count(t.* except (c)) k from t
"""


def _build(text):
    def build(s, F, W):
        for name, query in VIEWS.items():
            s.sql(f"create or replace temp view {name} as {query}")
        return s.sql(text)

    return build


# test_api_cases compares the order of rows when a name says "order"
CASES = {text.replace("order", "·"): _build(text) for text in QUERIES.strip().splitlines()}
