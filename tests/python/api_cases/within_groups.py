# SPDX-License-Identifier: Apache-2.0
"""Aggregates of ordered groups: listagg, percentile_cont, percentile_disc and mode, with and without WITHIN GROUP."""

VIEW = "create or replace temp view t as select * from values ('b',1,1),('a',2,1),('c',3,1),(null,4,2),('b',5,2),('a',null,2),('d',0,3) as t(a,b,g)"

QUERIES = """
select listagg(a) from t
select listagg(a, ',') from t
select listagg(a, ',') within group (order by a) from t
select listagg(a, ',') within group (order by a desc) from t
select listagg(a, ',') within group (order by a desc nulls first) from t
select listagg(a, ',') within group (order by b, a desc nulls last) from t
select listagg(distinct a, ',') within group (order by a desc) from t
select listagg(distinct b, ',') within group (order by b) from t
select listagg(distinct cast(b as string), ',') within group (order by b) from t
select listagg(b, ',') within group (order by b desc) from t
select listagg(b) within group (order by a) from t
select g, listagg(a, ', ') within group (order by b desc) from t group by g order by g
select g, listagg(a, ', ') within group (order by b desc) filter (where b > 1) from t group by g order by g
select listagg(a, g) from t
select listagg(a, cast(g as string)) within group (order by a) from t
select listagg(a, 1) from t
select listagg(a, null) within group (order by a) from t
select listagg(cast(a as binary), cast(', ' as binary)) within group (order by a) from t
select listagg(cast(a as binary)) within group (order by a) from t
select listagg(cast(a as binary), ', ') within group (order by a) from t
select listagg(null) within group (order by a) from t
select listagg(null, null) from t
select listagg(array(a)) from t
select listagg(array(a)) within group (order by a) from t
select listagg(a) within group (order by map(1,2)) from t
select listagg(date'2020-01-01') within group (order by a) from t
select listagg(c) within group (order by c) from (select 1.5bd + b as c from t)
select listagg(distinct c) within group (order by c) from (select 1.5bd + b as c from t)
select listagg(distinct c, ',') within group (order by c) from (select date'2020-01-01' + b as c from t)
select listagg(distinct c, ',') within group (order by c) from (select b > 1 as c from t)
select listagg(a) within group (order by a) over (partition by g) from t
select listagg(a) over (partition by g order by b), b from t order by b
select listagg(a, ',') over (order by b rows between 1 preceding and 1 following) from t
select listagg(a, ',') over () from t
select g, listagg(a,',') within group (order by a) from t group by rollup(g) order by g
select listagg(a, ',') within group (order by a), listagg(a, ',') within group (order by a desc), count(distinct b) from t
select listagg(a, ',') within group (order by 1) from t
select listagg(a, ',') within group (order by b + 1, upper(a)) from t
select listagg(a, ',') within group (order by (select max(b) from t)) from t
select listagg(a, ',') within group (order by sum(b)) from t
select listagg(upper(a), ',') within group (order by upper(a)) from t
select listagg(distinct upper(a), ',') within group (order by upper(a)) from t
select listagg() from t
select listagg(a, ',', b) from t
select listagg(a) within group () from t
select sum(b) within group (order by a) from t
select max(a) within group (order by b) from t
select upper(a) within group (order by b) from t
select count(*) within group (order by b) from t
select percentile_cont(0.5) from t
select percentile_cont(0.5) within group (order by b, a) from t
select percentile_cont(b, 0.5) within group (order by b) from t
select percentile_cont() within group (order by b) from t
select percentile_cont(b) within group (order by b) from t
select percentile_cont(null) within group (order by b) from t
select percentile_cont('0.5') within group (order by b) from t
select percentile_cont(array(0.1, 0.5)) within group (order by b desc) from t
select percentile_disc(array(0.1, 0.5)) within group (order by b desc) from t
select percentile_cont(distinct 0.5) within group (order by b) from t
select percentile_cont(0.25) within group (order by b desc) filter (where b > 1) from t
select percentile_cont(0.25) within group (order by b) over (partition by g) from t
select percentile_cont(0.5) within group (order by c), percentile_disc(0.5) within group (order by c desc) from (select make_dt_interval(b) as c from t)
select percentile_cont(0.5) within group (order by c), percentile_disc(0.5) within group (order by c desc) from (select 1.5bd*b as c from t)
select percentile_cont(0.5) within group (order by 1) from t
select mode() from t
select mode(b) within group (order by b) from t
select mode() within group (order by b, a) from t
select mode() within group (order by b desc) from t
select mode() within group (order by a) from t
select mode() within group (order by a) over (partition by g) from t
select mode() within group (order by a) over (partition by g order by b) from t
select mode() within group (order by a) filter (where b > 1) from t
select mode() within group (order by b nulls first) from t
select mode(b, null) from t
select mode(b, g > 1) from t
select mode(b, 1) from t
select median(distinct b), median(b) filter (where b > 1) from t
select median(b) over (partition by g), b from t
select percentile(b, 0.5, 1), percentile(b, array(0.2, 0.3)), percentile(b, 0.5, b) from t where b is not null
select percentile_approx(b, 0.5), approx_percentile(b, array(0.1,0.9), 10) from t
select count(distinct a) within group (order by b) from t
select listagg(a, ',') within group (order by all) from t
select listagg(all a, ',') within group (order by a) from t
select g, listagg(a, ',') within group (order by g, a) s from t group by g having listagg(a, ',') within group (order by g, a) is not null order by listagg(a, ',') within group (order by a desc)
select listagg(a, ',') within group (order by b) from t where false
select g, count(*) from t group by g order by listagg(a) within group (order by a)
select any_value(a) within group (order by b) from t
select collect_list(a) within group (order by b) from t
select first(a) within group (order by b) ignore nulls from t
select system.builtin.listagg(a, ',') within group (order by a) from t
select listagg(s.f, ',') within group (order by s.f) from (select struct(a as f) s from t)
select listagg(distinct c, ',') within group (order by c) from (select tinyint(b) as c from t)
select listagg(c, ',') within group (order by c) from (select double(b) as c from t)
select listagg(distinct b, ',') within group (order by cast(b as string)) from t
select listagg(distinct cast(b as string), ',') within group (order by cast(b as string)) from t
select listagg(distinct cast(a as int), ',') within group (order by a) from (values ('1'),('2')) t(a)
select listagg(distinct c, ',') within group (order by c) from (select timestamp_ntz'2020-01-01' as c)
select listagg(distinct c, ',') within group (order by c) from (select interval '1' day as c)
select listagg(distinct c, ',') within group (order by c) from (select interval '1' year as c)
select listagg(distinct cast(c as string), ',') within group (order by c) from (select double(1) as c)
select listagg(distinct cast(c as string), ',') within group (order by c) from (select cast('a' as binary) as c)
select listagg(distinct cast(c as binary)) within group (order by c) from (select 'a' as c)
select listagg(distinct cast(c as varchar(3))) within group (order by c) from (select 'a' as c)
select listagg(distinct c, ',') within group (order by c) from (select null as c)
select listagg(c, ',') within group (order by c) from (select interval '1' day as c)
select listagg(cast(c as binary), ', ') from (select 'a' as c)
select listagg(c, cast(', ' as binary)) from (select 'a' as c)
select listagg(c, 1) from (select cast('a' as binary) as c)
select listagg(1, 2.5)
select listagg(c, concat(',', ' ')) from (select 'a' as c)
select listagg(c, array(1)) from (select 'a' as c)
select sum() within group (order by 1)
select percentile_disc(0.5, 1) within group (order by 1, 2)
select percentile(1, 0.5) within group (order by 1)
select median(1) within group (order by 1)
select rank() within group (order by 1)
select rank() within group (order by 1) over ()
select listagg(c) within group (order by nosuch) from (select 'a' as c)
select max(listagg(c)) from (select 'a' as c)
select listagg(c, ',') within group (order by d) from values ('x', array(2)), ('y', array(1)), ('z', null), ('a', array(1, 0)) t(c, d)
select listagg(c, ',') within group (order by d) from values ('x', struct(2, 'b')), ('y', struct(2, 'a')), ('z', null), ('a', struct(1, 'c')) t(c, d)
select listagg(c, ',') within group (order by d desc) from values ('x', double('nan')), ('y', -0.0D), ('z', null), ('a', 0.0D), ('b', double('-infinity')) t(c, d)
select k, listagg(c, '') within group (order by d desc, c) from values (1, 'x', 2), (1, 'y', 2), (2, 'z', 1), (2, null, 7) t(k, c, d) group by cube(k) order by k
select listagg(c, ',') within group (order by (select max(d) from values (3) u(d)) - d) from values ('x', 1), ('y', 2) t(c, d)
select (select listagg(u.c, ',') within group (order by u.d desc) from values ('x', 1), ('y', 2) u(c, d) where u.d <= t.d) from values (1), (2) t(d)
select listagg(c, ',') within group (order by d desc) over (partition by k), k from values (1, 'x', 1), (1, 'y', 2), (2, 'z', 3) t(k, c, d)
select mode() within group (order by c desc), mode() within group (order by d) from values ('x', 1), ('y', 2), ('y', 1) t(c, d)
select mode(c, false) from values ('x'), ('y'), ('y') t(c)
select mode(c, c) from values (true) t(c)
select mode(c, 'x') from values (true) t(c)
select string_agg(a, '|') within group (order by b desc) from t
select mode(distinct b) from t
"""


def _build(text):
    def build(s, F, W):
        s.sql(VIEW)
        return s.sql(text)

    return build


CASES = {text: _build(text) for text in QUERIES.strip().splitlines()}

_CALLS = {
    "string_agg": lambda F: F.string_agg("a", ","),
    "listagg with a delimiter": lambda F: F.listagg("a", ", "),
    "listagg_distinct": lambda F: F.listagg_distinct("g", ","),
    "listagg": lambda F: F.listagg("a"),
    "string_agg_distinct": lambda F: F.string_agg_distinct("g"),
    "mode, deterministic": lambda F: F.mode("g", True),
    "listagg with a delimiter as a column": lambda F: F.listagg("a", F.lit("-")),
}


def _frame(make):
    def build(s, F, W):
        s.sql(VIEW)
        return s.table("t").filter("g = 1").select(make(F))

    return build


CASES.update({name: _frame(make) for name, make in _CALLS.items()})
