# SPDX-License-Identifier: Apache-2.0
"""Functions in Python: calls, types of results, errors."""

import datetime
import decimal


def people(s):
    return s.createDataFrame(
        [("Ana", 11, 1.5), ("Bia", 5, None), (None, None, -1.0)],
        "name string, age int, score double",
    )


def call(returned, function, *cols):
    """Make a case of one function of columns of `people`."""
    return lambda s, F, W: people(s).select(
        F.udf(function, returned)(*(cols or ("age",))).alias("r")
    )


def refused(returned, function):
    """Make a case of a call that must fail: the class of the exception and what it names."""

    def use(s, F, W):
        try:
            return people(s).select(F.udf(function, returned)("age")).collect()
        except Exception as e:
            return type(e).__name__, "[PYTHON_EXCEPTION]" in str(e)

    return use


def given(kind, text):
    """Make a case of what a function gets for a value of SQL."""
    return lambda s, F, W: s.sql(f"SELECT {text} AS v").select(
        F.udf(lambda v: f"{type(v).__name__} {v!r}")("v").alias(kind)
    )


def registered(text, *functions):
    def use(s, F, W):
        for name, function, *returned in functions:
            s.udf.register(name, function, *returned)
        return s.sql(text)

    return use


CASES = {
    "name": lambda s, F, W: people(s).select(F.udf(lambda x: x)("name"), F.udf(len_of)("name")),
    "default_type": lambda s, F, W: people(s).select(F.udf(lambda x: x)("age").alias("r")),
    "two_columns": call("string", lambda n, a: f"{n}:{a}", "name", "age"),
    "no_column": lambda s, F, W: people(s).select(F.udf(lambda: 7, "int")().alias("r")),
    "of_expression": lambda s, F, W: people(s).select(
        F.udf(lambda x: x, "bigint")(F.col("age") + 1).alias("r")
    ),
    "of_literal": lambda s, F, W: people(s).select(F.udf(lambda x: x, "int")(F.lit(3)).alias("r")),
    "in_filter": lambda s, F, W: people(s).where(F.udf(lambda a: a == 5, "boolean")("age")),
    "in_group": lambda s, F, W: (
        people(s).groupBy(F.udf(lambda a: a is None, "boolean")("age").alias("k")).count().sort("k")
    ),
    "of_aggregate": lambda s, F, W: people(s).agg(F.udf(lambda a: a * 2, "bigint")(F.sum("age"))),
    "in_aggregate": lambda s, F, W: people(s).agg(F.sum(F.udf(lambda a: a or 0, "int")("age"))),
    "in_sort": lambda s, F, W: people(s).orderBy(F.udf(lambda a: -(a or 0), "int")("age")),
    "in_join": lambda s, F, W: (
        people(s)
        .select("age")
        .join(s.range(12), F.udf(lambda a, b: a == b, "boolean")("age", "id"))
        .sort("age")
    ),
    "nested": lambda s, F, W: people(s).select(
        F.udf(lambda x: x + 1 if x else 0, "int")(F.udf(lambda x: x, "int")("age")).alias("r")
    ),
    "empty": lambda s, F, W: people(s).where("false").select(F.udf(lambda x: x, "int")("age")),
    "many_rows": lambda s, F, W: (
        s.range(10000)
        .select(F.udf(lambda x: x % 7, "int")("id").alias("r"))
        .groupBy("r")
        .count()
        .sort("r")
    ),
    "decorated": lambda s, F, W: people(s).select(doubled(F)("age")),
    "ddl": call("array<struct<a:int,b:string>>", lambda x: [(x, str(x)), {"a": 1}, None]),
    "struct_of_dict": call("a int, b string", lambda x: {"b": "x", "a": x}),
    "map": call("map<string,int>", lambda x: {"k": x}),
    "date": call("date", lambda x: datetime.date(2020, 2, 29)),
    "timestamp": call("timestamp", lambda x: datetime.datetime(2020, 2, 29, 1, 2, 3, 4)),
    "decimal": call("decimal(10,2)", lambda x: decimal.Decimal("1.50")),
    "binary": call("binary", lambda x: b"\x00\xff"),
    "float_as_int": call("int", lambda x: 1.7),
    "int_as_double": call("double", lambda x: x),
    "int_as_string": call("string", lambda x: x),
    "bool_as_string": call("string", lambda x: x == 5),
    "list_as_string": call("string", lambda x: [1, "a"]),
    "int_as_boolean": call("boolean", lambda x: 1),
    "raises": refused("int", lambda x: 1 // 0),
    "text_as_int": refused("int", lambda x: "x"),
    "text_as_date": refused("date", lambda x: "2020-01-01"),
    "text_as_binary": refused("binary", lambda x: "ab"),
    "double_as_decimal": refused("decimal(5,2)", lambda x: 1.5),
    "too_large": refused("int", lambda x: 2**40),
    "gets_int": given("r", "1"),
    "gets_double": given("r", "1.5D"),
    "gets_decimal": given("r", "1.50BD"),
    "gets_text": given("r", "'é'"),
    "gets_binary": given("r", "X'00ff'"),
    "gets_date": given("r", "DATE'2020-02-29'"),
    "gets_ntz": given("r", "TIMESTAMP_NTZ'2020-02-29 01:02:03'"),
    "gets_array": given("r", "array(1, null)"),
    "gets_map": given("r", "map('a', 1)"),
    "gets_struct": given("r", "named_struct('a', 1, 'b', 'x')"),
    "gets_null": given("r", "CAST(null AS int)"),
    "sql": registered("SELECT twice(id) FROM range(3)", ("twice", lambda x: x * 2, "bigint")),
    "sql_any_case": registered(
        "SELECT TWICE_B(id) FROM range(3)", ("twice_b", lambda x: x * 2, "int")
    ),
    "sql_default_type": registered("SELECT as_text(id) FROM range(2)", ("as_text", lambda x: x)),
    "sql_again": registered(
        "SELECT again(1)", ("again", lambda x: x, "int"), ("again", lambda x: x + 1, "int")
    ),
    "sql_where": registered(
        "SELECT id FROM range(5) WHERE is_even(id)", ("is_even", lambda x: x % 2 == 0, "boolean")
    ),
    "call_function": lambda s, F, W: (
        s.udf.register("thrice", lambda x: x * 3, "bigint"),
        s.range(2).select(F.call_function("thrice", "id")),
    )[1],
    "unknown_name": lambda s, F, W: s.sql("SELECT no_such_udf(1)"),
    "not_callable": lambda s, F, W: F.udf(1, "int")("age"),
}


def len_of(x):
    return None if x is None else len(x)


def doubled(F):
    @F.udf("int")
    def double_it(x):
        return None if x is None else x * 2

    return double_it
