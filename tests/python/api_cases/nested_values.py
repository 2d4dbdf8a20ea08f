# SPDX-License-Identifier: Apache-2.0
"""Structs, arrays and maps that windows, CASE, joins and the like put together of parts."""

WINDOWS = [
    "first(named_struct('y', id, 'q', cast(null as int))) over (order by id)",
    "first(named_struct('a', array(id))) over (order by id)",
    "first(named_struct('s', repeat('x', int(20 * id)))) over (order by id desc)",
    "last(named_struct('q', named_struct('r', if(id = 2, null, array(id))))) over (order by id)",
    "max(named_struct('a', array(id, 7L))) "
    "over (order by id rows between 1 preceding and current row)",
    "max(named_struct('y', id, 'q', if(id = 1, null, id))) over (partition by id % 2)",
    "min(array(id)) over (partition by id % 2 order by id)",
    "nth_value(named_struct('a', array(id)), 3) over (order by id)",
    "nth_value(struct(cast(null as string) s, id), 2) over (order by id)",
    "lag(named_struct('a', array(id)), 1, named_struct('a', array(99L))) over (order by id)",
    "lag(named_struct('y', id, 'q', if(id = 1, null, id))) over (order by id)",
    "lag(array(id), 1, array(99L, 98L)) over (order by id)",
    "lag(named_struct('s', repeat('x', int(20 * id))), 1, "
    "named_struct('s', repeat('y', int(20 * id)))) over (order by id)",
    "lead(map(id, 'x'), 1, map(5L, 'y')) over (order by id)",
    "lead(named_struct('y', id, 'q', if(id = 1, null, id)), 1, "
    "named_struct('y', 9L, 'q', cast(null as bigint))) over (order by id)",
    "collect_list(named_struct('q', array(id))) over (order by id)",
    "array_agg(array(id)) over (order by id rows 1 preceding)",
]
CHOICES = [
    "transform(array(named_struct('x', 1, 'y', 2), null), "
    "x -> if(x is null, null, named_struct('y', x.y, 'q', cast(null as int))))",
    "if(id = 0, null, named_struct('y', id, 'q', cast(null as int)))",
    "if(id = 0, named_struct('y', 1L, 'q', 5), named_struct('y', id, 'q', cast(null as int)))",
    "case when id = 0 then null when id = 1 then named_struct('y', id, 'q', cast(null as int)) "
    "else named_struct('y', id, 'q', 3) end",
    "coalesce(if(id = 0, null, named_struct('a', cast(null as string), 'b', id)), "
    "named_struct('a', 'z', 'b', 9L))",
    "if(id = 0, array(), array(null, id))",
    "if(id = 0, null, map('k', cast(null as int)))",
    "if(id = 0, named_struct('s', named_struct('t', 1)), "
    "named_struct('s', cast(null as struct<t:int>)))",
    "array(if(id = 0, null, named_struct('y', id, 'q', cast(null as int))), "
    "named_struct('y', id, 'q', 7))",
]
ARRAYS = "(values (1, array(1, 2)), (2, array(1, 2)), (3, array(5)) t(id, ai))"
LAMBDAS = [
    "select transform(ai, v -> v + 1) k, count(*) n from ARRAYS group by 1 order by 1",
    "select transform(ai, v -> v + 1) k, count(*) n from ARRAYS "
    "group by transform(ai, w -> w + 1) order by k",
    "select transform(ai, v -> v + 1) k, count(*) n from ARRAYS "
    "group by transform(ai, w -> w + 2) order by k",
    "select transform(ai, v -> v + 1) k, transform(ai, q -> q + 1) r, "
    "transform(ai, (q, i) -> q + i) s, transform(ai, (i, q) -> i + q) u, "
    "transform(ai, (i, q) -> q + 1) w from ARRAYS order by id",
    "select transform(ai, v -> size(filter(ai, u -> u > v))) k, max(id) from ARRAYS "
    "group by transform(ai, a -> size(filter(ai, b -> b > a))) order by k",
    "select transform(ai, v -> size(filter(ai, u -> u > v))) k, max(id) from ARRAYS "
    "group by transform(ai, a -> size(filter(ai, b -> a > b))) order by k",
    "select aggregate(ai, 0, (x, y) -> x + y) s, aggregate(ai, 0, (y, x) -> x + y) t, "
    "aggregate(ai, 0, (y, x) -> x - y) u, aggregate(ai, 0, (x, y) -> x - y) w "
    "from ARRAYS order by id",
]
QUERIES = [
    *(text.replace("ARRAYS", ARRAYS) for text in LAMBDAS),
    *(f"select id, {text} c from range(5) order by id" for text in WINDOWS),
    *(f"select id, {text} c from range(3) order by id" for text in CHOICES),
    "select sum(size(c.a)), sum(c.a[0]), sum(c.a[size(c.a) - 1]) from "
    "(select max(named_struct('k', id, 'a', sequence(id, id + 3))) over "
    "(order by id rows between 2 preceding and current row) c from range(20000))",
    "select sum(size(c.a)), sum(c.a[0]), count(c) from (select lag(named_struct('a', "
    "sequence(id, id + 3)), 3000, named_struct('a', array(-1L))) over (order by id) c "
    "from range(20000))",
    "select sum(size(c)), sum(c[0]) from "
    "(select lag(sequence(id, id + 3), 3000, array(-1L)) over (order by id) c from range(20000))",
    "select count(c.s), sum(length(c.s)), count(c) from (select first(named_struct('s', "
    "if(id % 3 = 0, null, cast(id as string)))) over (partition by id div 10 order by id desc) c "
    "from range(20000))",
    "select id % 2 k, max(named_struct('y', id, 'q', if(id = 1, null, id))) a, "
    "first(named_struct('y', id, 'q', cast(null as int))) b, "
    "min_by(named_struct('q', cast(null as int)), id) c from range(3) group by 1 order by 1",
    "select a.id, b.s from range(3) a left join (select id, named_struct('y', id, 'q', "
    "cast(null as int)) s from range(2)) b on a.id = b.id order by 1",
    "select named_struct('y', id, 'q', if(id = 1, null, id)) s from range(3) order by s desc",
    "select * from (select id % 2 k, id, named_struct('q', if(id = 1, null, id)) v from range(3)) "
    "pivot (first(v) for id in (0, 1, 2)) order by k",
    "select named_struct('q', id) v from range(2) union all "
    "select named_struct('q', cast(null as bigint)) order by v",
    "select inline(array(named_struct('a', cast(null as int), 'b', id))) from range(2)",
    "select named_struct('a', if(id = 0, null, id)) k, count(*) from range(2) "
    "group by cube(named_struct('a', if(id = 0, null, id))) order by k",
]

CASES = {text: (lambda s, F, W, text=text: s.sql(text)) for text in QUERIES}
