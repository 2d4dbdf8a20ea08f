# SPDX-License-Identifier: Apache-2.0
"""Functions over windows, given as text and by name, with frames that they allow and others."""

import numpy


def rows(s):
    return s.createDataFrame(
        [(1, "a", 1.0), (2, "a", None), (3, "b", 2.0), (4, "b", 5.0)], "i int, g string, v double"
    )


def over(text, kind):
    def case(s, F, W):
        ordered = W.partitionBy("g").orderBy("i")
        window = {"all": W.partitionBy("g"), "to here": ordered}.get(
            kind, ordered.rowsBetween(-1, 1)
        )
        return rows(s).select("i", F.expr(text).over(window).alias("x"))

    return case


def sql(text):
    def case(s, F, W):
        rows(s).createOrReplaceTempView("window_rows")
        return s.sql(f"SELECT i, {text} AS x FROM window_rows")

    return case


def array(make, schema=None):
    return lambda s, F, W: s.createDataFrame(make(), schema)


FUNCTIONS = (
    "row_number()",
    "rank()",
    "ntile(2)",
    "cume_dist()",
    "lag(v, 1)",
    "lag(v, 1) ignore nulls",
    "lead(v, 1) ignore nulls",
    "nth_value(v, 1) ignore nulls",
    "first(v) ignore nulls",
    "last(v, true)",
    "sum(v) filter (where i > 1)",
    "median(v)",
    "percentile(v, 0.5)",
    "percentile_cont(0.5) within group (order by v)",
    "count(distinct v)",
    "min_by(v, i)",
)

TEXTS = (
    "median(v) OVER (PARTITION BY g ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
    "percentile_disc(0.5) WITHIN GROUP (ORDER BY v) OVER (ORDER BY i)",
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY v DESC) OVER (ORDER BY i)",
    "row_number() OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
    "row_number() OVER (ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    "row_number() OVER (ORDER BY i RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    "rank() OVER (ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
    "rank() OVER (ORDER BY i ROWS BETWEEN 2 FOLLOWING AND 3 FOLLOWING)",
    "dense_rank() OVER (ORDER BY i RANGE BETWEEN 1 PRECEDING AND 2 FOLLOWING)",
    "percent_rank() OVER (ORDER BY i RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    "cume_dist() OVER (ORDER BY i RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    "cume_dist() OVER (ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    "ntile(2) OVER (ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)",
    "lag(v, 1) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)",
    "lead(v, 1) OVER (ORDER BY i ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING)",
    "lead(v, 1) OVER (ORDER BY i ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING)",
    "nth_value(v, 2) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
)

CASES = {
    f"{text} {kind}": over(text, kind) for text in FUNCTIONS for kind in ("all", "to here", "near")
}
CASES.update({text: sql(text) for text in TEXTS})
CASES["array of texts"] = array(lambda: numpy.array([["a", "b"], ["c", "ddd"]]))
CASES["array of texts, named"] = array(lambda: numpy.array([["a", "b"]]), ["x", "y"])
CASES["array of texts, one column"] = array(lambda: numpy.array(["a", "bb"]))
CASES["array of bytes"] = array(lambda: numpy.array([b"ab"]))
CASES["array of days"] = array(lambda: numpy.array(["2024-02-29"], dtype="datetime64[D]"))
CASES["array of objects"] = array(lambda: numpy.array([["a"], ["b"]], dtype=object))


DAYS = (
    "(SELECT i, CAST(s AS DATE) AS d, CAST(s AS TIMESTAMP) AS ts, i % 2 AS g FROM VALUES (1, '2024-01-31'), "
    "(2, '2024-02-29'), (3, '2024-03-31'), (4, '2023-12-31'), (5, null), (6, '2024-02-29'), (7, '2025-02-28') AS t(i, s))"
)


def days(text):
    return lambda s, F, W: s.sql(f"SELECT i, {text} AS x FROM {DAYS}")


MONTHS = (
    "count(*) OVER (ORDER BY d RANGE BETWEEN INTERVAL 1 MONTH PRECEDING AND CURRENT ROW)",
    "sum(i) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '1' MONTH PRECEDING AND INTERVAL '1' MONTH FOLLOWING)",
    "sum(i) OVER (ORDER BY d DESC RANGE BETWEEN INTERVAL 1 MONTH PRECEDING AND INTERVAL 1 MONTH FOLLOWING)",
    "sum(i) OVER (PARTITION BY g ORDER BY d RANGE BETWEEN INTERVAL '1-1' YEAR TO MONTH PRECEDING AND CURRENT ROW)",
    "min(i) OVER (ORDER BY d RANGE BETWEEN INTERVAL 1 MONTH FOLLOWING AND INTERVAL 12 MONTH FOLLOWING)",
    "count(*) OVER (ORDER BY d RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 MONTH PRECEDING)",
    "count(*) OVER (ORDER BY d NULLS LAST RANGE BETWEEN INTERVAL 2 MONTHS PRECEDING AND CURRENT ROW)",
)
CASES.update({text: days(text) for text in MONTHS})


def frame(values, schema):
    import pandas

    return lambda s, F, W: s.createDataFrame(pandas.DataFrame(values), schema)


CASES["pandas, a fraction as an integer"] = frame({"c": [1.5]}, "c int")
CASES["pandas, whole numbers as integers"] = frame({"c": [1.0, None]}, "c bigint")
CASES["pandas, a long integer as a double"] = frame({"c": [2**60 + 1]}, "c double")

FLOATS = "values (1, float(0)), (2, float(1.1)), (3, float(2.2)) n(id, f)"
RANGES = (
    "f range between 1 preceding and 1.1 following",
    "f desc range between 1.1 preceding and current row",
)
CASES.update(
    {
        f"float keys, {frame}": lambda s, F, W, frame=frame: s.sql(
            f"select id, first(id) over w as a, last(id) over w as b from {FLOATS} window w as (order by {frame})"
        )
        for frame in RANGES
    }
)
