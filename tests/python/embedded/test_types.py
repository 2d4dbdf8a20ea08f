# SPDX-License-Identifier: Apache-2.0
"""Data types: their spellings equal pyspark's, and text, JSON and messages lead back to them."""

import json

import pytest

from nbaspark import _core
from nbaspark.errors import ParseException
from nbaspark.sql import types
from nbaspark.sql.types_proto import from_tree, to_tree

expected_types = pytest.importorskip("pyspark.sql.types")

# source text of a type, evaluated with the names of either module
SOURCES = """
    NullType() StringType() StringType("UNICODE_CI") CharType(3) VarcharType(5) BinaryType()
    BooleanType() DateType() TimeType() TimeType(0) TimestampType() TimestampNTZType() DecimalType()
    DecimalType(38,18) DoubleType() FloatType() ByteType() ShortType() IntegerType() LongType()
    DayTimeIntervalType() DayTimeIntervalType(0,1) DayTimeIntervalType(3) YearMonthIntervalType()
    YearMonthIntervalType(0) CalendarIntervalType() VariantType() ArrayType(IntegerType())
    ArrayType(ArrayType(StringType(),False),True) MapType(StringType(),DoubleType(),False)
    StructType([]) StructType([StructField("a",IntegerType(),False,{"k":1}),StructField("b",StringType())])
    StructType([StructField("x",MapType(StringType(),ArrayType(DecimalType(5,2))))])
    StructType([StructField("c",StringType("UNICODE")),StructField("d",ArrayType(StringType("UNICODE")))])
""".split()


def pair(source):
    return eval(source, vars(types)), eval(source, vars(expected_types))


@pytest.mark.parametrize("source", SOURCES)
def test_spellings(source):
    mine, theirs = pair(source)
    assert repr(mine) == repr(theirs)
    assert mine.simpleString() == theirs.simpleString()
    assert mine.typeName() == theirs.typeName()
    assert mine.json() == theirs.json()
    assert hash(mine) == hash(pair(source)[0])


@pytest.mark.parametrize("source", SOURCES)
def test_message_round_trip(source):
    mine, _ = pair(source)
    packed = _core.message_pack("spark.connect.DataType", to_tree(mine))
    assert from_tree(_core.message_unpack("spark.connect.DataType", packed)) == mine


@pytest.mark.parametrize("source", SOURCES)
def test_message_equals_theirs(source):
    connect = pytest.importorskip("pyspark.sql.connect.types")
    mine, theirs = pair(source)
    packed = _core.message_pack("spark.connect.DataType", to_tree(mine))
    assert connect.pb2.DataType.FromString(packed) == connect.pyspark_types_to_proto_types(theirs)


@pytest.mark.parametrize("source", SOURCES)
def test_json_round_trip(source):
    mine, _ = pair(source)
    struct = types.StructType([types.StructField("f", mine)])
    assert types.StructType.fromJson(json.loads(struct.json())) == struct


@pytest.mark.parametrize("source", [s for s in SOURCES if s.startswith("StructType([S")])
def test_tree_text(source):
    mine, theirs = pair(source)
    assert mine.treeString() == theirs.treeString()
    assert mine.treeString(1) == theirs.treeString(1)


DDL = {
    "int": types.IntegerType(),
    "a int": types.StructType().add("a", "integer"),
    "a: int, b: string": types.StructType().add("a", "integer").add("b", "string"),
    "a INT NOT NULL COMMENT 'it''s', `b c` BIGINT": types.StructType()
    .add("a", "integer", False, {"comment": "it''s"})
    .add("b c", "long"),
    "decimal(5, 2)": types.DecimalType(5, 2),
    "decimal": types.DecimalType(10, 0),
    "array<map<string, array<int>>>": types.ArrayType(
        types.MapType(types.StringType(), types.ArrayType(types.IntegerType()))
    ),
    "struct<a: int, b: struct<c: date>>": types.StructType()
    .add("a", "integer")
    .add("b", types.StructType().add("c", "date")),
    "struct<>": types.StructType(),
    "timestamp_ntz": types.TimestampNTZType(),
    "x interval day to second": types.StructType().add("x", types.DayTimeIntervalType()),
    "interval year": types.YearMonthIntervalType(0, 0),
    "string collate UNICODE": types.StringType("UNICODE"),
    "varchar(3)": types.VarcharType(3),
}


@pytest.mark.parametrize("text", DDL)
def test_ddl(text):
    assert types.DataType.fromDDL(text) == DDL[text]


@pytest.mark.parametrize(
    "text", ["", "a", "a nothing", "array<int", "a int,", "a int b", "varchar", "'"]
)
def test_ddl_wrong(text):
    with pytest.raises(ParseException):
        types.DataType.fromDDL(text)


def test_ddl_of_struct():
    text = "a INT NOT NULL,`b c` ARRAY<STRING>,s STRUCT<x: INT, y: MAP<STRING, DOUBLE>>"
    assert types.DataType.fromDDL(text).toDDL() == text


def test_row():
    from pyspark.sql import Row as TheirRow

    from nbaspark.sql import Row

    for cls in (Row, TheirRow):
        row = cls(a=1, b=cls(c=[cls(d=2)]))
        assert repr(row) == "Row(a=1, b=Row(c=[Row(d=2)]))"
        assert row.asDict(True) == {"a": 1, "b": {"c": [{"d": 2}]}}
        assert (row.a, row["a"], row[0], row[0:1]) == (1, 1, 1, (1,))
        assert "a" in row and 1 not in row
        assert repr(cls("x", "y")) == "<Row('x', 'y')>"
        assert repr(cls("x", "y")(1, 2)) == "Row(x=1, y=2)"
        with pytest.raises(AttributeError):
            row.nothing  # noqa: B018
        with pytest.raises(ValueError):
            row["nothing"]
        with pytest.raises(RuntimeError):
            row.a = 2


def test_row_pickles():
    import copy
    import pickle

    from nbaspark.sql import Row

    row = Row(a=1, b="x")
    for other in (pickle.loads(pickle.dumps(row)), copy.deepcopy(row)):
        assert repr(other) == repr(row)


def test_struct_access():
    struct = types.StructType().add("a", "integer").add("b", "string")
    assert [f.name for f in struct] == ["a", "b"] == struct.names == struct.fieldNames()
    assert struct["b"] == struct[1] and struct[:1] == types.StructType().add("a", "integer")
    for key, error in (("z", KeyError), (9, IndexError), (1.5, TypeError)):
        with pytest.raises(error):
            struct[key]


def test_types_are_shared():
    assert types.IntegerType() is types.IntegerType()
    assert types.DecimalType(5, 2) == types.DecimalType(5, 2) != types.DecimalType(5, 1)


def test_internal_forms():
    import datetime

    for mine, theirs, value in (
        ("DateType", "DateType", datetime.date(1969, 12, 31)),
        ("TimestampType", "TimestampType", datetime.datetime(2020, 1, 2, 3, 4, 5, 6)),
        ("TimestampNTZType", "TimestampNTZType", datetime.datetime(1950, 1, 2, 3, 4, 5, 6)),
        ("DayTimeIntervalType", "DayTimeIntervalType", datetime.timedelta(days=-1, microseconds=1)),
        ("TimeType", "TimeType", datetime.time(1, 2, 3, 4)),
    ):
        kind, expected = getattr(types, mine)(), getattr(expected_types, theirs)()
        inside = kind.toInternal(value)
        assert inside == expected.toInternal(value)
        assert kind.fromInternal(inside) == value
