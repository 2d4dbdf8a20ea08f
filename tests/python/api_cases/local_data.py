# SPDX-License-Identifier: Apache-2.0
"""createDataFrame, and what rows become."""

import array
import collections
import datetime
import decimal

Point = collections.namedtuple("Point", "x y")


class Thing:
    def __init__(self, a, b):
        self.b = b
        self.a = a


def row(s, **fields):
    from nbaspark.sql import Row

    return Row(**fields)


def types():
    from nbaspark.sql import types as t

    return t


CASES = {
    "tuples": lambda s, F, W: s.createDataFrame([("a", 1), ("b", 2)]),
    "tuples_named": lambda s, F, W: s.createDataFrame([("a", 1), ("b", 2)], ["t", "n"]),
    "tuples_few_names": lambda s, F, W: s.createDataFrame([("a", 1)], ["t"]),
    "tuples_many_names": lambda s, F, W: s.createDataFrame([("a", 1)], ["a", "b", "c"]),
    "tuples_ddl": lambda s, F, W: s.createDataFrame([("a", 1)], "t string, n smallint"),
    "tuples_ddl_not_null": lambda s, F, W: s.createDataFrame(
        [("a", 1)], "t string not null, n int"
    ),
    "lists": lambda s, F, W: s.createDataFrame([["a", 1], ["b", None]]),
    "dicts": lambda s, F, W: s.createDataFrame([{"b": 1, "a": "x"}, {"b": None, "a": "y"}]),
    "dicts_missing_key": lambda s, F, W: s.createDataFrame([{"a": 1}, {"b": 2}]),
    "dicts_ddl": lambda s, F, W: s.createDataFrame([{"b": 1, "a": "x"}], "b int, a string"),
    "rows": lambda s, F, W: s.createDataFrame([row(s, name="a", n=1), row(s, name="b", n=2)]),
    "rows_nested": lambda s, F, W: s.createDataFrame([row(s, p=row(s, x=1, y="z"), n=1)]),
    "named_tuples": lambda s, F, W: s.createDataFrame([Point(1, 2.5), Point(3, None)]),
    "objects": lambda s, F, W: s.createDataFrame([Thing(1, "x")]),
    "single_values_ddl": lambda s, F, W: s.createDataFrame([1, 2, None], "int"),
    "single_values_type": lambda s, F, W: s.createDataFrame(["a", "b"], types().StringType()),
    "generator": lambda s, F, W: s.createDataFrame(((i, str(i)) for i in range(3)), ["i", "t"]),
    "inferred_types": lambda s, F, W: s.createDataFrame(
        [
            (
                True,
                1,
                1.5,
                "t",
                b"b",
                decimal.Decimal("1.25"),
                datetime.date(2020, 1, 2),
                datetime.datetime(2020, 1, 2, 3, 4, 5, 6),
                datetime.timedelta(hours=1),
                [1, 2],
                {"k": 1.5},
                (1, "x"),
            )
        ]
    ),
    "inferred_over_rows": lambda s, F, W: s.createDataFrame(
        [(None, []), (1, [2]), (2, None)], ["a", "l"]
    ),
    "inferred_mixed": lambda s, F, W: s.createDataFrame([(1,), ("a",)], ["a"]),
    "inferred_mixed_bad": lambda s, F, W: s.createDataFrame([(1,), ([1],)], ["a"]),
    "inferred_int_and_float": lambda s, F, W: s.createDataFrame([(1,), (1.5,)], ["a"]),
    "inferred_nothing": lambda s, F, W: s.createDataFrame([(None,)], ["a"]),
    "inferred_array_module": lambda s, F, W: s.createDataFrame(
        [(array.array("i", [1, 2]),)], ["a"]
    ),
    "empty_without_schema": lambda s, F, W: s.createDataFrame([]),
    "empty_names": lambda s, F, W: s.createDataFrame([], ["a"]),
    "empty_ddl": lambda s, F, W: s.createDataFrame([], "a int, b string"),
    "empty_dataframe": lambda s, F, W: s.createDataFrame([], types().StructType([])),
    "all_types_ddl": lambda s, F, W: s.createDataFrame(
        [
            (1, 2, 3, 4, 1.5, 2.5, decimal.Decimal("3.50"), "s", b"x", True),
            (None,) * 10,
        ],
        "a tinyint, b smallint, c int, d bigint, e float, f double, g decimal(10,2), h string, "
        "i binary, j boolean",
    ),
    "times_ddl": lambda s, F, W: s.createDataFrame(
        [
            (
                datetime.date(1600, 1, 1),
                datetime.datetime(2020, 6, 1, 12),
                datetime.datetime(1, 1, 1),
            )
        ],
        "d date, t timestamp, n timestamp_ntz",
    ),
    "timestamp_with_zone": lambda s, F, W: s.createDataFrame(
        [
            (
                datetime.datetime(
                    2020, 1, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=-3))
                ),
            )
        ],
        "t timestamp",
    ),
    "nested_ddl": lambda s, F, W: s.createDataFrame(
        [([{"k": [1]}], ("x", (2.5,))), (None, None)],
        "a array<map<string,array<int>>>, b struct<x: string, y: struct<z: double>>",
    ),
    "struct_from_dict": lambda s, F, W: s.createDataFrame(
        [({"x": 1},)], "s struct<x: int, y: string>"
    ),
    "schema_object": lambda s, F, W: s.createDataFrame(
        [(1, "x")],
        types().StructType(
            [
                types().StructField("a", types().IntegerType(), False),
                types().StructField("b", types().StringType(), True, {"k": "v"}),
            ]
        ),
    ).schema.json(),
    "of_dataframe": lambda s, F, W: s.createDataFrame(s.range(1)),
    "of_nothing_schema": lambda s, F, W: s.createDataFrame([(1,)], 5),
    "unicode": lambda s, F, W: s.createDataFrame([("日本 ñ 😀", "")], ["á", "b c"]),
    "many_rows": lambda s, F, W: s.createDataFrame(
        [(i, i % 7) for i in range(5000)], "a int, b int"
    ).agg(F.count("*"), F.sum("a"), F.sum("b")),
    "row_access": lambda s, F, W: (lambda r: (r.a, r["b"], r[0], r.asDict(), "a" in r, len(r)))(
        s.createDataFrame([(1, "x")], "a int, b string").first()
    ),
    "row_nested_dict": lambda s, F, W: s.createDataFrame(
        [((1, [(2,)]),)], "s struct<a: int, l array<struct<b: int>>>"
    ).first(),
    "range_numpy": lambda s, F, W: s.createDataFrame(__import__("numpy").arange(3.0)),
    "numpy_matrix": lambda s, F, W: s.createDataFrame(__import__("numpy").arange(6).reshape(3, 2)),
    "numpy_named": lambda s, F, W: s.createDataFrame(
        __import__("numpy").arange(6).reshape(3, 2), ["a", "b"]
    ),
    "numpy_three_dimensions": lambda s, F, W: s.createDataFrame(
        __import__("numpy").zeros((1, 1, 1))
    ),
    "pandas": lambda s, F, W: s.createDataFrame(
        __import__("pandas").DataFrame({"a": [1, 2], "b": ["x", None], "c": [1.5, None]})
    ),
    "pandas_named": lambda s, F, W: s.createDataFrame(
        __import__("pandas").DataFrame({"a": [1, 2], "b": ["x", "y"]}), ["n", "t"]
    ),
    "pandas_ddl": lambda s, F, W: s.createDataFrame(
        __import__("pandas").DataFrame({"a": [1, 2], "b": ["x", "y"]}), "n bigint, t string"
    ),
    "pandas_times": lambda s, F, W: s.createDataFrame(
        __import__("pandas").DataFrame(
            {"t": __import__("pandas").to_datetime(["2020-01-01 12:00"])}
        )
    ),
    "arrow": lambda s, F, W: s.createDataFrame(
        __import__("pyarrow").table({"a": [1, None], "b": ["x", "y"]})
    ),
    # text columns are of dtype object or str, as the version of pandas has it
    "to_pandas": lambda s, F, W: (
        lambda p: (p.to_dict("list"), [str(t).replace("str", "object") for t in p.dtypes])
    )(s.createDataFrame([(1, "x", 1.5), (2, "y", 2.5)], "a int, b string, c double").toPandas()),
    "to_arrow": lambda s, F, W: (lambda t: (t.to_pydict(), [str(f.type) for f in t.schema]))(
        s.createDataFrame([(1, "x"), (2, None)], "a int, b string").toArrow()
    ),
}
