# SPDX-License-Identifier: Apache-2.0
"""SQL beside the corpus: arguments by name, json_tuple, names of columns that depend on types."""

VIEWS = {
    "t": "select * from values (1,'x',1.5D), (2,'y',2.5D), (2,'x',null), (null,'z',0.5D) as t(a,b,c)",
    "u": "select * from values (1,10), (2,20), (3,30) as u(a,x)",
}

QUERIES = """
select mask('aB1', otherChar => 'o', lowerChar => 'q'), mask(str => 'aB1')
select mask('aB1', str => 'o')
select mask(lowerChar => 'x')
select mask(lowerChar => 'x', 'abc')
select mask('a', lowerChar => 'x', lowerChar => 'y')
select abs(expr => 1)
select explode(collection => array(1, 2))
select * from explode(collection => array(1, 2))
select json_tuple('{"a":1,"b":{"c":"x"},"d.e":"q"}', 'a', 'b', 'd.e', 'zz')
select json_tuple('{"a":1,"b":2}', 'a', 'b') as (x, y), 3 as z
select v.* from (select '{"a":1,"b":null}' j) lateral view json_tuple(j, 'a', 'b') v
select j, v.* from (select '{"a":1,"b":null}' j) lateral view json_tuple(j, 'a', 'b') v as x, y
select json_tuple('{"a":1}', 1)
select json_tuple(null, 'a')
select a like any ('1', '2%'), b like all ('x', 'y'), b not like all ('x'), b ilike any ('X') , b not ilike any ('x','y') from t
select b from t where b like any ('x%', null)
select d - interval 1 day, interval 1 day + d from (select date'2020-01-05' d)
select a, (select max(x) from u where u.a = t.a), (select max(x) from u where u.a = t.a and u.x > t.c) from t
select a, exists (select 1 from u where u.a = t.a), (select count(*) from u) from t
select mode() within group (order by a desc), percentile_cont(0.5) within group (order by a desc nulls first) from t
select nth_value(a, 1) ignore nulls over (order by a), lag(a, 2) ignore nulls over (order by a), last_value(a) ignore nulls over (order by a) from t
select last(a) respect nulls, any_value(a) ignore nulls, last_value(a) ignore nulls from t
select map('k', array(1, 2))['k'][1], map(1, 'x')[1], array(1, null)[1], array(array(1))[0][0]
select cast(array(1) as array<string>), size(cast(array(1) as array<string>)), upper(cast(a as string)) from t
select a in (1, 2), (a, b) in ((1, 'x'), (2, 'y')), struct(a, b) in (struct(1, 'x')) from t
select initcap('ßeta ﬁx ŉx')
"""


def _build(text):
    def build(s, F, W):
        for name, query in VIEWS.items():
            s.sql(f"create or replace temp view {name} as {query}")
        return s.sql(text)

    return build


CASES = {text.replace("order", "·"): _build(text) for text in QUERIES.strip().splitlines()}
