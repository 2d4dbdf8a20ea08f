# SPDX-License-Identifier: Apache-2.0
"""Pivots whose groups lack values: what results give there, and whether they may be null."""


def data(s):
    rows = [("a", "x", 1), ("c", "y", None), ("c", "y", 4), ("d", "x", None), ("d", "x", 7)]
    return s.createDataFrame(rows, "k string, p string, v int")


RESULTS = {
    "collect_list": lambda F: [F.collect_list("v")],
    "collect_set": lambda F: [F.collect_set("v")],
    "array_agg": lambda F: [F.array_agg("v")],
    "count": lambda F: [F.count("v")],
    "sum": lambda F: [F.sum("v")],
    "count_if": lambda F: [F.count_if(F.col("v") > 0)],
    "bool_and": lambda F: [F.bool_and(F.col("v") > 0)],
    "first": lambda F: [F.first("v")],
    "first of texts": lambda F: [F.first(F.col("v").cast("string"))],
    "last of texts": lambda F: [F.last(F.col("v").cast("string")), F.count("v")],
    "max of texts": lambda F: [F.max("p"), F.count("v").alias("n")],
    "list and count": lambda F: [F.collect_list("v"), F.count("v").alias("n"), F.sum("v") + 1],
    "size of a list": lambda F: [F.size(F.collect_list("v"))],
    "coalesce": lambda F: [F.coalesce(F.sum("v"), F.lit(7))],
    "coalesce and list": lambda F: [F.coalesce(F.sum("v"), F.lit(7)), F.collect_list("v")],
    "a literal": lambda F: [F.sum("v"), F.lit(1)],
    "a column": lambda F: [F.col("v")],
    "a column in a sum": lambda F: [F.sum("v") + F.col("v")],
    "struct": lambda F: [F.max(F.struct("v", "p"))],
    "average": lambda F: [F.avg("v"), F.stddev("v")],
    "dates": lambda F: [F.max(F.lit("2020-01-01").cast("date")), F.count("v")],
}
TEXTS = (
    "collect_list(v) c, count(*) n FOR p IN ('x', 'y')",
    "count(v) c FOR p IN ('x', 'y', 'z')",
    "sum(v) FOR p IN ('x' AS q)",
    "max(p) m, count(v) n FOR k IN ('a', 'b')",
)


def pivoted(results):
    return lambda s, F, W: data(s).groupBy("k").pivot("p", ["x", "z"]).agg(*results(F))


def sql(text):
    def case(s, F, W):
        data(s).createOrReplaceTempView("pivoted_rows")
        return s.sql(f"SELECT * FROM pivoted_rows PIVOT ({text})")

    return case


CASES = {name: pivoted(results) for name, results in RESULTS.items()}
CASES |= {text: sql(text) for text in TEXTS}
