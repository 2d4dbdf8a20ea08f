# SPDX-License-Identifier: Apache-2.0
"""Names in ORDER BY that several columns of the select list have: they are looked up below, as names that none has."""

QUERIES = """
select a, -b as a from t order by a desc
select -a as a, -b as a from t order by a
select -a as x, -b as x from t order by x
select a, -b as a from t order by a + 1 desc
select b, b as b, a from t order by b
select a, a from t order by a
select * from t join t u on t.a = u.a order by a
select t.a, u.b as a from t join t u on t.a = u.a order by a
select t.a, u.b as a from t join t u on t.a = u.a order by u.a desc
select max(a) as b, min(b) as b from t group by b order by b
select a, max(b) as a from t group by a order by a desc
select distinct a, -b as a from t order by a
select a, -b as a from t union all select 1, 2 order by a
select a x, b x, a * b from t order by x, a
select a, -b as a from t having a > 1
"""
VIEW = "select * from values (1, 2), (2, 1), (3, 7) t(a, b)"


def _view(s):
    s.sql(f"create or replace temp view t as {VIEW}")
    return s.sql("select * from t")


def _text(text):
    def build(s, F, W):
        _view(s)
        return s.sql(text)

    return build


def _sorted(sort):
    return lambda s, F, W: sort(_view(s).select("a", (-F.col("b")).alias("a")), _view(s), F)


CASES = {
    **{text: _text(text) for text in QUERIES.strip().splitlines()},
    "sort": _sorted(lambda e, d, F: e.sort("a")),
    "sort, desc": _sorted(lambda e, d, F: e.sort(F.desc("a"))),
    "sort by own column": _sorted(lambda e, d, F: e.sort(e.a)),
    "sort by another frame's": _sorted(lambda e, d, F: e.sort(d.a)),
    "sort, filtered": _sorted(lambda e, d, F: e.filter("b > 1").sort("a")),
    "sort, aliased": _sorted(lambda e, d, F: e.alias("z").sort("z.a")),
    "filter": _sorted(lambda e, d, F: e.filter("a > 1")),
}
