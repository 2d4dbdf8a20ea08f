# SPDX-License-Identifier: Apache-2.0
"""pandas and Arrow data under a schema, and cells of toPandas(): what PySpark 4.2 gives, seen with its client."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nbaspark.errors import PySparkTypeError, PySparkValueError
from nbaspark.sql import Row

TEN = dt.datetime(2020, 1, 1, 10)


def given(spark, data, *schema):
    made = spark.createDataFrame(data, *schema)
    return made.schema.simpleString()[len("struct<") : -1], made.collect()


@pytest.mark.parametrize(
    "of", [pd.DataFrame, lambda d: pa.table({k: pa.array(v) for k, v in d.items()})]
)
def test_fields_of_structs_go_by_name(spark, of):
    data = of({"a": [{"x": 1, "y": 2}]})
    assert given(spark, data, "a struct<y:int,x:int>")[1] == [Row(a=Row(y=2, x=1))]
    assert given(spark, data, "a struct<y:int,z:int>")[1] == [Row(a=Row(y=2, z=None))]


def test_structs_in_lists_and_maps(spark):
    data = pd.DataFrame({"a": [[{"x": 1, "y": 2}, None]], "m": [{"k": 1}]})
    held = given(spark, data, "a array<struct<y:int,x:int>>, m map<string,int>")[1]
    assert held == [Row(a=[Row(y=2, x=1), None], m={"k": 1})]


def test_times_with_and_without_zone(spark):
    times = pd.DataFrame({"a": pd.to_datetime(["2020-01-01 10:00"])})
    assert given(spark, times) == ("a:timestamp", [Row(a=TEN)])
    assert given(spark, times, "a timestamp_ntz") == ("a:timestamp_ntz", [Row(a=TEN)])
    assert given(spark, times, "a date") == ("a:date", [Row(a=dt.date(2020, 1, 1))])
    objects = pd.DataFrame({"a": [TEN]}, dtype=object)
    assert given(spark, objects)[0] == "a:timestamp_ntz"
    assert given(spark, objects, "a timestamp") == ("a:timestamp", [Row(a=TEN)])
    nested = pa.table({"a": pa.array([[TEN]])})
    assert given(spark, nested) == ("a:array<timestamp>", [Row(a=[TEN])])
    assert given(spark, pa.table({"a": pa.array([TEN])}), "a timestamp_ntz")[0] == "a:timestamp_ntz"


def test_local_times_are_the_sessions(spark):
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", "America/Sao_Paulo")
    try:
        data = pd.DataFrame({"a": pd.to_datetime(["2020-01-01 10:00"]), "b": [[TEN]]})
        made = spark.createDataFrame(data, "a timestamp, b array<timestamp>")
        texts = made.selectExpr("cast(a as long) a", "cast(b[0] as long) b").first()
        assert texts == Row(a=1577883600, b=1577883600)
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([Decimal("1.25")], "decimal(5,1)"),
        ([1.25], "decimal(5,2)"),
        ([Decimal("12345.25")], "decimal(5,2)"),
        ([300], "byte"),
        ([2**40], "int"),
        ([1.5], "int"),
        (["x"], "int"),
    ],
)
def test_what_would_change_a_value_is_refused(spark, values, kind):
    with pytest.raises(PySparkValueError, match="unsafe conversions"):
        spark.createDataFrame(pd.DataFrame({"a": values}), f"a {kind}")


@pytest.mark.parametrize("values", [[1], [1.5], [Decimal("1.5")]])
def test_numbers_are_no_text(spark, values):
    with pytest.raises(PySparkTypeError, match="Exception thrown when converting"):
        spark.createDataFrame(pd.DataFrame({"a": values}), "a string")


def test_losses_in_arrow_tables(spark):
    with pytest.raises(pa.ArrowInvalid):
        spark.createDataFrame(pa.table({"a": [1.5]}), "a int")
    with pytest.raises(pa.ArrowInvalid):
        spark.createDataFrame(pa.table({"a": pa.array([Decimal("1.25")])}), "a decimal(5,1)")
    assert given(spark, pa.table({"a": [1]}), "a string")[1] == [Row(a="1")]


def test_columns_of_objects(spark):
    with pytest.raises(PySparkValueError, match="Exception thrown when converting"):
        spark.createDataFrame(pd.DataFrame({"a": [1, "x"]}))
    with pytest.raises(PySparkValueError, match="CANNOT_INFER_EMPTY_SCHEMA"):
        spark.createDataFrame(pd.DataFrame({"a": []}))
    missing = pd.DataFrame(
        {"a": pd.array([1, None], "Int32"), "b": pd.array(["q", None], "string")}
    )
    assert given(spark, missing)[1] == [Row(a=1, b="q"), Row(a=None, b=None)]


def cell(spark, text):
    return spark.sql(f"select {text} a").toPandas().a[0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("array(1Y)", "int8"),
        ("array(1)", "int32"),
        ("array(1.5f)", "float32"),
        ("array(1, null)", "float64"),
        ("array(1L, null)", "float64"),
        ("array(true)", "bool"),
        ("array(true, null)", "object"),
        ("array('a')", "object"),
        ("array(binary('a'))", "object"),
        ("array()", "object"),
        ("array(interval 1 day)", "timedelta64[us]"),
        ("array(array(1), null)", "object"),
        ("array(timestamp'2020-01-01')", "object"),
    ],
)
def test_arrays_in_cells(spark, text, kind):
    value = cell(spark, text)
    assert isinstance(value, np.ndarray) and str(value.dtype) == kind


def test_values_inside_cells(spark):
    assert cell(spark, "array('a', 'b' || chr(0))").tolist() == ["a", "b\0"]
    rows = cell(spark, "array(array(1), null)")
    assert rows[0].dtype == "int32" and rows[1] is None
    assert cell(spark, "map('a', array(1, 2))")["a"].dtype == "int32"
    assert cell(spark, "struct(array(1) x, 2 y)")["x"].dtype == "int32"
    day = pd.Timestamp("2020-01-01")
    assert cell(spark, "struct(timestamp'2020-01-01' x)") == {"x": day}
    assert cell(spark, "array(timestamp_ntz'2020-01-01')").tolist() == [day]
    assert cell(spark, "map('a', timestamp'2020-01-01')") == {"a": day}
