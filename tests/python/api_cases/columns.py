# SPDX-License-Identifier: Apache-2.0
"""Column operators and methods."""

import datetime
import decimal


def values(s):
    return s.createDataFrame(
        [(1, 7, 2.5, "apple", True), (2, -3, None, "Banana", False), (3, None, 0.5, None, None)],
        "i int, j int, d double, t string, b boolean",
    )


def nested(s):
    return s.createDataFrame(
        [([1, 2, None], {"k": 5}, (1, "x")), (None, {}, None)],
        "l array<int>, m map<string,int>, s struct<a: int, b: string>",
    )


def one(s, *cols):
    return s.range(1).select(*cols)


CASES = {
    "arithmetic": lambda s, F, W: values(s).select(
        F.col("i") + F.col("j"), F.col("i") - 1, 2 * F.col("j"), F.col("j") % 4, -F.col("i")
    ),
    "division": lambda s, F, W: values(s).select(F.col("j") / F.col("i"), 1 / F.col("i")),
    "division_by_zero": lambda s, F, W: one(s, F.lit(1) / F.lit(0)),
    "modulo_by_zero": lambda s, F, W: one(s, F.lit(1) % F.lit(0)),
    "overflow_int": lambda s, F, W: one(s, F.lit(2147483647) + F.lit(1)),
    "overflow_long": lambda s, F, W: one(s, F.lit(9223372036854775807) + F.lit(1)),
    "overflow_multiply": lambda s, F, W: one(s, F.lit(2147483647) * F.lit(2)),
    "power": lambda s, F, W: values(s).select(F.col("i") ** 2, 2 ** F.col("i")),
    "widening": lambda s, F, W: values(s).select(
        F.col("i") + F.col("d"), F.col("i") + F.lit(2**40)
    ),
    "text_plus_number": lambda s, F, W: one(s, F.lit("3") + F.lit(4)),
    "text_plus_number_bad": lambda s, F, W: one(s, F.lit("x") + F.lit(4)),
    "comparisons": lambda s, F, W: values(s).select(
        F.col("i") > 1, F.col("i") >= 2, F.col("i") < F.col("j"), F.col("i") == 2, F.col("i") != 2
    ),
    "comparison_text_number": lambda s, F, W: one(s, F.lit("10") == 10),
    "null_safe_equal": lambda s, F, W: values(s).select(
        F.col("j").eqNullSafe(None), F.col("j").eqNullSafe(7)
    ),
    "logic": lambda s, F, W: values(s).select(
        F.col("b") & True, F.col("b") & False, F.col("b") | True, F.col("b") | False, ~F.col("b")
    ),
    "bitwise": lambda s, F, W: values(s).select(
        F.col("i").bitwiseAND(1), F.col("i").bitwiseOR(4), F.col("i").bitwiseXOR(7)
    ),
    "null_tests": lambda s, F, W: values(s).select(
        F.col("j").isNull(), F.col("t").isNotNull(), F.col("d").isNaN()
    ),
    "text_tests": lambda s, F, W: values(s).select(
        F.col("t").contains("an"), F.col("t").startswith("a"), F.col("t").endswith("a")
    ),
    "like": lambda s, F, W: values(s).select(
        F.col("t").like("%an%"), F.col("t").like("_pple"), F.col("t").ilike("B%")
    ),
    "rlike": lambda s, F, W: values(s).select(F.col("t").rlike("^[a-z]+$")),
    "substr": lambda s, F, W: values(s).select(F.col("t").substr(2, 3), F.col("t")[1:2]),
    "isin": lambda s, F, W: values(s).select(
        F.col("i").isin(1, 3), F.col("j").isin([7]), F.col("t").isin("apple", None)
    ),
    "isin_empty": lambda s, F, W: values(s).select(F.col("i").isin([])),
    "between": lambda s, F, W: values(s).select(F.col("i").between(2, 3)),
    "case": lambda s, F, W: values(s).select(
        F.when(F.col("i") == 1, "one").when(F.col("i") == 2, "two").otherwise("many").alias("c"),
        F.when(F.col("j") > 0, F.col("j")).alias("d"),
    ),
    "case_types": lambda s, F, W: values(s).select(
        F.when(F.col("i") == 1, 1).otherwise(2.5).alias("c")
    ),
    "case_name": lambda s, F, W: values(s).select(F.when(F.col("i") == 1, 1).otherwise(2)).columns,
    "cast_numbers": lambda s, F, W: values(s).select(
        F.col("i").cast("double"), F.col("d").cast("int"), F.col("i").cast("string")
    ),
    "cast_text": lambda s, F, W: one(
        s,
        F.lit(" 12 ").cast("int"),
        F.lit("1.5e2").cast("double"),
        F.lit("true").cast("boolean"),
        F.lit("2020-01-02").cast("date"),
        F.lit("12.345").cast("decimal(5,2)"),
    ),
    "cast_bad_int": lambda s, F, W: one(s, F.lit("abc").cast("int")),
    "cast_bad_double": lambda s, F, W: one(s, F.lit("abc").cast("double")),
    "cast_bad_boolean": lambda s, F, W: one(s, F.lit("abc").cast("boolean")),
    "cast_bad_date": lambda s, F, W: one(s, F.lit("abc").cast("date")),
    "cast_overflow": lambda s, F, W: one(s, F.lit(300).cast("tinyint")),
    "cast_decimal_overflow": lambda s, F, W: one(s, F.lit(1234.5).cast("decimal(4,2)")),
    "cast_unknown_type": lambda s, F, W: one(s, F.lit(1).cast("nothing")),
    "try_cast": lambda s, F, W: one(s, F.lit("abc").try_cast("int"), F.lit("5").try_cast("int")),
    "cast_boolean_to_text": lambda s, F, W: one(
        s, F.lit(True).cast("string"), F.lit(True).cast("int")
    ),
    "cast_double_to_text": lambda s, F, W: one(
        s,
        F.lit(1.0).cast("string"),
        F.lit(1e20).cast("string"),
        F.lit(1.5e-7).cast("string"),
        F.lit(float("nan")).cast("string"),
        F.lit(float("inf")).cast("string"),
        F.lit(123456789.125).cast("string"),
    ),
    "cast_timestamp": lambda s, F, W: one(
        s,
        F.lit("2020-01-02 03:04:05.123").cast("timestamp"),
        F.lit("2020-01-02 03:04:05").cast("timestamp").cast("string"),
        F.lit("2020-01-02 03:04:05").cast("timestamp").cast("date"),
        F.lit("2020-01-02 03:04:05").cast("timestamp").cast("bigint"),
    ),
    "literals": lambda s, F, W: one(
        s,
        F.lit(None),
        F.lit(True),
        F.lit(1),
        F.lit(2**40),
        F.lit(1.5),
        F.lit("é"),
        F.lit(b"\x00\x01"),
        F.lit(decimal.Decimal("1.50")),
        F.lit(datetime.date(2020, 2, 29)),
        F.lit(datetime.datetime(2020, 2, 29, 1, 2, 3, 4)),
        F.lit(datetime.timedelta(days=1, seconds=2)),
        F.lit([1, 2]),
    ),
    "literal_names": lambda s, F, W: (
        one(s, F.lit(None), F.lit("a b"), F.lit(-1), F.lit(1.0)).columns
    ),
    "array_items": lambda s, F, W: nested(s).select(F.col("l")[0], F.col("l").getItem(2)),
    "array_item_beyond": lambda s, F, W: nested(s).select(F.col("l")[5]),
    "map_items": lambda s, F, W: nested(s).select(F.col("m")["k"], F.col("m").getItem("z")),
    "struct_fields": lambda s, F, W: nested(s).select(
        "s.a", F.col("s").b, F.col("s").getField("a")
    ),
    "struct_star": lambda s, F, W: nested(s).select("s.*"),
    "struct_no_field": lambda s, F, W: nested(s).select("s.z").schema,
    "with_field": lambda s, F, W: nested(s).select(F.col("s").withField("c", F.lit(1)).alias("s")),
    "drop_fields": lambda s, F, W: nested(s).select(F.col("s").dropFields("a").alias("s")),
    "alias_metadata": lambda s, F, W: (
        one(s, F.lit(1).alias("a", metadata={"k": 2})).schema["a"].metadata
    ),
    "alias_explode_map": lambda s, F, W: nested(s).select(F.explode("m").alias("key", "value")),
    "names_of_operators": lambda s, F, W: (
        values(s)
        .select(
            F.col("i") + 1,
            (F.col("i") * 2) - F.col("j"),
            -F.col("i"),
            ~F.col("b"),
            (F.col("i") > 1) & F.col("b"),
            F.col("t").like("a%"),
            F.col("i").isNull(),
            F.col("i").isin(1, 2),
            F.col("i").cast("string"),
            F.col("i") % 2 == 0,
            F.col("t").substr(1, 2),
            F.col("i").between(1, 2),
        )
        .columns
    ),
    "column_unknown": lambda s, F, W: values(s).select("nothing").schema,
    "column_close": lambda s, F, W: values(s).select("ii").schema,
    "column_ambiguous": lambda s, F, W: s.range(1).join(s.range(1)).select("id").schema,
    "column_of_other_table": lambda s, F, W: (lambda a, b: a.select(b.i).schema)(
        values(s), values(s)
    ),
    "attribute_unknown": lambda s, F, W: (lambda d: d.select(d.nothing).schema)(values(s)),
    "wrong_type_of_operator": lambda s, F, W: values(s).select(F.col("b") + 1).schema,
    "wrong_type_of_condition": lambda s, F, W: values(s).filter(F.col("i")).schema,
    "wrong_type_of_logic": lambda s, F, W: values(s).select(F.col("i") & F.col("b")).schema,
    "case_insensitive": lambda s, F, W: values(s).select("I", "T"),
    "fields_inside_of_names": lambda s, F, W: s.sql(
        "select named_struct('a', 1, 'b', named_struct('c', 2)) as s, "
        "array(named_struct('f', 1)) as l, 1 as x"
    ).select(
        F.col("s.a").cast("string"),
        F.col("s.b.c") + 1,
        F.col("s.a"),
        F.upper("s.b.c"),
        F.concat("l.f", "l.f"),
        F.col("x").cast("string"),
    ),
    "backticks": lambda s, F, W: s.range(1).toDF("a.b").select("`a.b`"),
    "no_backticks": lambda s, F, W: s.range(1).toDF("a.b").select("a.b").schema,
}
