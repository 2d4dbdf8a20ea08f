# SPDX-License-Identifier: Apache-2.0
"""Lambdas with several parameters, nested ones too, in and above joins: parameters are no columns of the rows."""

VIEWS = (
    "with t as (select id, array(id, id + 1, 7) a, map(string(id), id) m from range(300)), "
    "u as (select id, id * 2 k, array(id) b from range(200)) "
)
QUERIES = [
    "select sum(aggregate(t.a, 0L, (x, y) -> x + y)) from t join u on t.id = u.id",
    "select transform(t.a, (x, i) -> x + i + u.k + size(filter(u.b, z -> exists(t.a, w -> w > z + x)))) r,"
    " size(map_zip_with(t.m, t.m, (k, v1, v2) -> v1 + v2)) n "
    "from t join u on t.id = u.id order by t.id limit 3",
    "select count(*) from t join u on t.id = u.id and exists(t.a, x -> x > u.k - 100) "
    "and aggregate(t.a, 0L, (p, q) -> p + q, r -> r) > size(u.b)",
    "select count(*) from t join u on exists(t.a, x -> x = u.id and forall(u.b, y -> y < 5000 and "
    "aggregate(t.a, 0L, (p, q) -> p + q, r -> r) > 0)) where t.id < 20",
    "select t.id, max(transform(t.a, (x, i) -> x * u.k + i)) v from t left join u on t.id = u.k "
    "group by t.id order by t.id limit 5",
]
CASES = {text: (lambda s, F, W, text=text: s.sql(VIEWS + text)) for text in QUERIES}
