# SPDX-License-Identifier: Apache-2.0
"""What would fail is not evaluated behind an argument that is null; moments beyond the range."""

ROWS = "(VALUES (CAST(null AS INT), 'abc', 1), (3, CAST(null AS STRING), 0), (5, '7', 2) AS q(i, t, n))"


def project(text):
    return lambda s, F, W: s.sql(f"SELECT {text} AS x FROM {ROWS}")


def keep(text):
    return lambda s, F, W: s.sql(f"SELECT i FROM {ROWS} WHERE {text}")


def sql(text):
    return lambda s, F, W: s.sql(f"SELECT {text}")


EXPRESSIONS = (
    "i + t",
    "t + i",
    "i = t",
    "t = i",
    "i + 1/(n-1)",
    "n/0 + i",
    "i + n/0",
    "substring('abc', i, cast(t as int))",
    "concat(cast(i as string), cast(cast(t as int) as string))",
    "coalesce(i, cast(t as int))",
    "array(i, cast(t as int))",
    "i in (1, cast(t as int))",
    "i > cast(t as int)",
    "i <=> cast(t as int)",
    "pmod(i, cast(t as int))",
    "greatest(i, cast(t as int))",
    "lpad(cast(i as string), cast(t as int), 'x')",
    "if(i is null, 1, cast(t as int))",
    "i is null or cast(t as int) > 1",
    "cast(t as int) > 1 or i is null",
    "i between cast(t as int) and 3",
    "date_add(cast(null as date), cast(t as int))",
    "hash(i, cast(t as int))",
    "named_struct('a', i, 'b', cast(t as int))",
    "make_date(i, cast(t as int), 1)",
    "try_add(i, cast(t as int))",
    "round(cast(i as double), 1) + cast(t as int)",
    "(i + n) * cast(t as int)",
    "-(i) - cast(t as int)",
    "i % cast(t as int)",
    "i div (n-1)",
    "power(i, cast(t as int))",
    "case when i > 1 then cast(t as int) else 0 end",
    "element_at(array(1,2), i) + cast(t as int)",
    "length(cast(i as string)) + cast(t as int)",
)

CONDITIONS = (
    "i + t > 1",
    "i = CAST(t AS INT) OR n = 1",
    "n > 0 AND i + t > 3",
    "n / (n - 1) > 1",
    "NOT (i > CAST(t AS INT))",
    "i + t IS NULL",
)

AGGREGATES = (
    "var_samp(x) as r from values (1e200D),(-1e200D) as q(x)",
    "std(x) as r from values (1e308D),(1e308D) as q(x)",
    "std(x) as r from values (1e154D),(1e154D) as q(x)",
    "std(x) as r from values (1e155D),(1e155D) as q(x)",
    "std(x) as r from values (1e200D),(1e100D) as q(x)",
    "regr_sxx(x,y) as r from values (1e308D,1e308D),(1D,1D) as q(x,y)",
    "corr(x,y) as r from values (1e308D,1D),(1e308D,2D) as q(x,y)",
    "std(x) r, g from values (1e308D,1),(1D,2),(1e308D,1) as q(x,g) group by g order by g",
    "try_sum(x) r, try_avg(x) a from values (timestamp'2020-01-01 00:00:00') as q(x)",
)

CASES = {text: project(text) for text in EXPRESSIONS}
CASES.update({f"where {text}": keep(text) for text in CONDITIONS})
CASES.update({text: sql(text) for text in AGGREGATES})
CASES["sum"] = sql(f"sum(i + CAST(t AS INT)), max(n / i) FROM {ROWS}")
CASES["grouped"] = sql(f"i + t AS k, count(*) FROM {ROWS} GROUP BY i + t")
CASES["sorted"] = sql(f"i FROM {ROWS} ORDER BY i + t, n")
CASES["joined"] = sql(f"a.i FROM {ROWS} a JOIN {ROWS} b ON a.i + a.t = b.i + b.t")
CASES["lambda"] = sql(
    "transform(array(null, 1), x -> x + CAST(if(x IS NULL, 'b', '2') AS INT)) AS x"
)
CASES["nested"] = sql(f"coalesce(i + t, -1) AS x, if(i + t > 5, n / i, n) AS y FROM {ROWS}")
CASES["long"] = sql(
    "sum(a + CAST(b AS INT)) AS x FROM (SELECT if(id % 3 = 0, null, id) AS a, "
    "if(id % 3 = 0, 'x', CAST(id AS STRING)) AS b FROM range(100000))"
)
