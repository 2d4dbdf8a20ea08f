# SPDX-License-Identifier: Apache-2.0
"""Functions in Python over pandas' and Arrow's columns: values, groups, windows, rows of rows."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def people(s):
    return s.createDataFrame(
        [("a", 1, 1.5), ("a", 2, None), ("b", None, 3.5), (None, 4, 4.0), ("b", 5, -0.5)],
        "k string, i int, d double",
    )


def others(s):
    return s.createDataFrame([("a", 10), ("c", 11), ("a", 12), (None, 13)], "k string, x int")


def values(returned, function, *cols, family="pandas_udf"):
    """Make a case of one function of columns of `people`."""
    return lambda s, F, W: people(s).select(
        getattr(F, family)(function, returned)(*(cols or ("i",))).alias("r")
    )


def by_group(returned, function, *cols, family="pandas_udf"):
    return lambda s, F, W: (
        people(s)
        .groupBy("k")
        .agg(getattr(F, family)(function, returned)(*(cols or ("i",))).alias("r"))
        .sort("k")
    )


def refused(use):
    """Make a case of what must fail: the class of the exception, and what Python raised."""

    def case(s, F, W):
        try:
            return use(s, F).collect()
        except Exception as e:
            at = str(e).rfind("Error: ")
            return type(e).__name__, str(e)[at:].split("\n")[0] if at >= 0 else ""

    return case


def plus(a: pd.Series, b: pd.Series) -> pd.Series:
    return a + b


def mean(v: pd.Series) -> float:
    return v.mean()


def weighted(v: pd.Series, w: pd.Series) -> float:
    return (v.fillna(0) * w.fillna(0)).sum()


def total_of_batches(batches: Iterator[pd.Series]) -> float:
    return sum(float(b.sum()) for b in batches)


def doubled(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
    for batch in batches:
        yield batch * 2


def joined(batches: Iterator[tuple[pd.Series, pd.Series]]) -> Iterator[pd.Series]:
    for i, d in batches:
        yield i.fillna(0) + d.fillna(0)


def two_fields(v: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"b": v.fillna(0) > 1, "a": v.fillna(-1)})


def of_struct(v: pd.DataFrame) -> pd.Series:
    return v["i"].fillna(0) + v["d"].fillna(0)


def negated(v: pa.Array) -> pa.Array:
    return pc.negate(v)


def largest(v: pa.Array) -> int:
    return pc.max(v)


def negated_batches(batches: Iterator[pa.Array]) -> Iterator[pa.Array]:
    for batch in batches:
        yield pc.negate(batch)


def first_only(v: pd.Series) -> pd.Series:
    return v[:0]


def no_column(v: pd.Series) -> pd.Series:
    return 5


def too_many(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
    for batch in batches:
        yield batch
        yield pd.Series([1])


def too_few(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
    for batch in batches:
        yield batch[:0]


def frames_of(key: Any, batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        yield pd.DataFrame({"k": [text_of(key)], "n": [len(batch)]})


def batches_of(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.slice(0, 1).select(["k"])


TYPES = """SELECT timestamp'2024-07-01 12:00:00' t, date'2024-02-29' d, array(1, null) a, map('x', 1) m,
 named_struct('p', 1, 'q', array('é')) s, cast(1.5 AS decimal(10, 2)) e, x'4142' b, true o, interval '1' day i,
 timestamp_ntz'2024-07-01 12:00:00' n, cast(null AS bigint) z, 1.5f f, 7Y y, 'ção' w"""


def kinds(frames):
    """Give the classes of what functions see, without those that depend on pandas' version."""
    for frame in frames:
        names = [f"{c} {type(frame[c].iloc[0]).__name__}" for c in frame.columns]
        yield pd.DataFrame({"x": names})


def text_of(key):
    return "none" if pd.isna(key[0]) else str(key[0])


def keyed(key, rows):
    return pd.DataFrame({"k": [text_of(key)], "n": [len(rows)], "s": [rows["d"].sum()]})


def centred(rows):
    return rows.assign(d=rows.d - rows.d.mean())


def sizes(left, right):
    return pd.DataFrame({"n": [len(left)], "m": [len(right)], "c": [",".join(right.columns)]})


def sizes_by_key(key, left, right):
    return pd.DataFrame({"k": [text_of(key)], "n": [len(left)], "m": [len(right)]})


def arrow_sizes(left, right):
    n = pa.array([left.num_rows], pa.int32())
    return pa.table({"n": n, "m": pa.array([right.num_rows], pa.int32())})


def arrow_key(key, rows):
    return pa.table({"k": pa.array([key[0].as_py()], pa.string()), "n": pa.array([rows.num_rows])})


def apply(function, schema, *keys):
    return lambda s, F, W: people(s).groupBy(*(keys or ("k",))).applyInPandas(function, schema)


def cogroup(function, schema, method="applyInPandas", key="k"):
    return lambda s, F, W: getattr(people(s).groupBy("k").cogroup(others(s).groupBy(key)), method)(
        function, schema
    )


def same(batches):
    return batches


CASES = {
    "values": values("long", plus, "i", "i"),
    "name": lambda s, F, W: people(s).select(F.pandas_udf(plus, "long")("i", F.col("i") + 1)),
    "decorated": lambda s, F, W: people(s).select(
        F.pandas_udf("double")(plus)("d", "d").alias("r")
    ),
    "text": values("string", lambda v: v.fillna("?").str.upper(), "k"),
    "struct": values("a long, b boolean", two_fields),
    "of_struct": lambda s, F, W: (
        people(s)
        .select(F.struct("i", "d").alias("v"))
        .select(F.pandas_udf(of_struct, "double")("v").alias("r"))
    ),
    "iterators": values("long", doubled),
    "iterators_of_tuples": values("double", joined, "i", "d"),
    "in_filter": lambda s, F, W: people(s).where(F.pandas_udf(plus, "long")("i", "i") > 3),
    "many_rows": lambda s, F, W: (
        s.range(25000)
        .select(F.pandas_udf(lambda v: v % 7, "long")("id").alias("r"))
        .groupBy("r")
        .count()
        .sort("r")
    ),
    "registered": lambda s, F, W: (
        s.udf.register("summed_", F.pandas_udf(plus, "long")),
        s.sql("SELECT summed_(id, 1) AS r FROM range(3)"),
    )[1],
    "registered_group": lambda s, F, W: (
        s.udf.register("mean_", F.pandas_udf(mean, "double")),
        s.sql("SELECT id % 2 AS k, mean_(id) AS r FROM range(5) GROUP BY id % 2 ORDER BY k"),
    )[1],
    "group": by_group("double", mean),
    "group_of_two": by_group("double", weighted, "i", "d"),
    "group_of_iterators": by_group("double", total_of_batches),
    "group_of_all": lambda s, F, W: people(s).agg(F.pandas_udf(mean, "double")("i").alias("r")),
    "group_in_select": lambda s, F, W: people(s).select(F.pandas_udf(mean, "double")("d")),
    "window": lambda s, F, W: people(s).select(
        "k", "i", F.pandas_udf(mean, "double")("i").over(W.partitionBy("k")).alias("r")
    ),
    "window_of_frame": lambda s, F, W: s.range(6).select(
        "id", F.pandas_udf(mean, "double")("id").over(W.orderBy("id").rowsBetween(-1, 1)).alias("r")
    ),
    "arrow": values("int", negated, family="arrow_udf"),
    "arrow_iterators": values("int", negated_batches, family="arrow_udf"),
    "arrow_group": by_group("int", largest, family="arrow_udf"),
    "map": lambda s, F, W: people(s).mapInPandas(
        lambda it: (f[f.i > 1] for f in it), "k string, i int, d double"
    ),
    "map_to_other_columns": lambda s, F, W: people(s).mapInPandas(
        lambda it: (pd.DataFrame({"n": f.i.fillna(0) + 1}) for f in it), "n double"
    ),
    "map_to_nothing": lambda s, F, W: people(s).mapInPandas(
        lambda it: (f[:0] for f in it), "k string"
    ),
    "map_by_place": lambda s, F, W: people(s).mapInPandas(
        lambda it: (pd.DataFrame({0: f.i, 1: f.d}) for f in it), "x int, y double"
    ),
    "map_arrow": lambda s, F, W: people(s).mapInArrow(same, "k string, i int, d double"),
    "types": lambda s, F, W: s.sql(TYPES).drop("w", "z").mapInPandas(kinds, "x string").sort("x"),
    "types_back": lambda s, F, W: s.sql(TYPES).mapInPandas(same, s.sql(TYPES).schema),
    "types_back_by_arrow": lambda s, F, W: s.sql(TYPES).mapInArrow(same, s.sql(TYPES).schema),
    "types_back_by_group": lambda s, F, W: (
        s.sql(TYPES).groupBy("d").applyInPandas(lambda f: f, s.sql(TYPES).schema)
    ),
    "local_times": lambda s, F, W: s.range(1).select(
        F.pandas_udf(
            lambda v: pd.to_datetime(pd.Series(["2024-07-01 12:00:00"] * len(v))), "timestamp"
        )("id").alias("r")
    ),
    "apply": apply(centred, "k string, i int, d double"),
    "apply_with_key": apply(keyed, "k string, n int, s double"),
    "apply_to_columns_turned": apply(centred, "d double, k string, i int"),
    "apply_to_part": apply(lambda rows: rows[["k", "d"]][:1], "k string, d double"),
    "apply_by_two": lambda s, F, W: (
        people(s)
        .groupBy("k", (F.col("i") % 2).alias("odd"))
        .applyInPandas(lambda key, f: pd.DataFrame([[text_of(key), len(f)]]), "k string, n int")
    ),
    "apply_to_all": lambda s, F, W: (
        people(s).groupBy().applyInPandas(lambda f: pd.DataFrame([[len(f)]]), "n int")
    ),
    "apply_over_iterators": apply(frames_of, "k string, n long"),
    "apply_arrow": lambda s, F, W: (
        people(s).groupBy("k").applyInArrow(arrow_key, "k string, n long")
    ),
    "apply_arrow_over_iterators": lambda s, F, W: (
        people(s).groupBy("k").applyInArrow(batches_of, "k string")
    ),
    "apply_to_nothing": lambda s, F, W: (
        people(s).where("i > 100").groupBy("k").applyInPandas(centred, "k string, i int, d double")
    ),
    "many_groups": lambda s, F, W: (
        s.range(20000)
        .select((F.col("id") % 3000).alias("k"), "id")
        .groupBy("k")
        .applyInPandas(lambda f: f[f.id == f.id.max()], "k long, id long")
        .agg(F.count("*"), F.sum("id"), F.max("k"))
    ),
    "cogroup": cogroup(sizes, "n int, m int, c string"),
    "cogroup_with_key": cogroup(sizes_by_key, "k string, n int, m int"),
    "cogroup_arrow": cogroup(arrow_sizes, "n int, m int", "applyInArrow"),
    "then_others": lambda s, F, W: (
        people(s)
        .mapInPandas(same, "k string, i int, d double")
        .where("i > 1")
        .join(others(s), "k")
        .groupBy("k")
        .agg(F.sum("x").alias("x"))
    ),
    "bad_names": refused(
        lambda s, F: people(s).groupBy("k").applyInPandas(centred, "k string, z int")
    ),
    "bad_number": refused(
        lambda s, F: (
            people(s).groupBy("k").applyInPandas(lambda f: pd.DataFrame([[1, 2]]), "k string")
        )
    ),
    "bad_result": refused(
        lambda s, F: people(s).groupBy("k").applyInPandas(lambda f: 5, "k string")
    ),
    "bad_map": refused(lambda s, F: people(s).mapInPandas(lambda it: 5, "k string")),
    "bad_map_item": refused(lambda s, F: people(s).mapInPandas(lambda it: [5], "k string")),
    "bad_arrow_item": refused(lambda s, F: people(s).mapInArrow(lambda it: [5], "k string")),
    "bad_arrow_type": refused(
        lambda s, F: people(s).groupBy("k").applyInArrow(lambda t: t.select(["k"]), "k int")
    ),
    "raises": refused(lambda s, F: people(s).mapInPandas(lambda it: 1 / 0, "k string")),
    "three_parameters": refused(
        lambda s, F: people(s).groupBy("k").applyInPandas(lambda a, b, c: a, "k string")
    ),
    "four_parameters": refused(
        lambda s, F: (
            people(s)
            .groupBy("k")
            .cogroup(others(s).groupBy("k"))
            .applyInPandas(lambda a, b, c, d: a, "k string")
        )
    ),
    "short": refused(lambda s, F: s.range(1).select(F.pandas_udf(first_only, "long")("id"))),
    "no_column": refused(lambda s, F: people(s).select(F.pandas_udf(no_column, "long")("i"))),
    "too_many": refused(lambda s, F: people(s).select(F.pandas_udf(too_many, "long")("i"))),
    "no_type": refused(lambda s, F: F.pandas_udf(plus)),
    "no_argument": refused(lambda s, F: F.pandas_udf(lambda: 1, "long")),
    "part_of_hints": refused(lambda s, F: F.pandas_udf(half_hinted, "long")),
    "no_such_type": refused(lambda s, F: F.pandas_udf(plus, "long", 7)),
}


def half_hinted(a, b: pd.Series) -> pd.Series:
    return a
