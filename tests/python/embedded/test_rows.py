# SPDX-License-Identifier: Apache-2.0
"""Rows of Python objects to columns and back."""

import datetime as dt
import os
import random
import sys
import time
from array import array
from decimal import Decimal

import pytest

from nbaspark import _core
from nbaspark.sql import Row
from nbaspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    ByteType,
    DateType,
    DayTimeIntervalType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    MapType,
    NullType,
    ShortType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
    TimeType,
    _create_row,
)
from nbaspark.sql.types_proto import to_tree

UTC = dt.timezone.utc


def pack(schema):
    return _core.message_pack("spark.connect.DataType", to_tree(schema))


def column(data_type, values, **options):
    """Return values as they come back from a column of a type."""
    schema = StructType().add("c", data_type)
    table = _core.Table.from_rows([(v,) for v in values], pack(schema), **options)
    return [row[0] for row in table.rows(Row)]


@pytest.mark.parametrize(
    "data_type, values",
    [
        (ByteType(), [-128, None, 127]),
        (ShortType(), [-32768, None, 32767]),
        (IntegerType(), [-(2**31), None, 2**31 - 1]),
        (LongType(), [-(2**63), None, 2**63 - 1]),
        (FloatType(), [0.5, None, float("inf")]),
        (DoubleType(), [0.1, None, -0.0]),
        (BooleanType(), [True, None, False]),
        (StringType(), ["", None, "ção", "longer than twelve bytes", "a\0b", "x" * 100_000]),
        (BinaryType(), [b"", None, b"\0" * 13]),
        (DateType(), [dt.date(1, 1, 1), None, dt.date(9999, 12, 31)]),
        (TimestampNTZType(), [dt.datetime.min, None, dt.datetime.max]),
        (TimestampType(), [dt.datetime(2020, 1, 1, 2, 3, 4, 5), None]),
        (TimeType(6), [dt.time(0), None, dt.time(23, 59, 59, 999999)]),
        (DayTimeIntervalType(), [dt.timedelta(days=-3, seconds=7), None, dt.timedelta(0)]),
        (DecimalType(5, 2), [Decimal("999.99"), None, Decimal("-0.01")]),
        (DecimalType(38, 0), [Decimal(10**38 - 1), None, Decimal(-1)]),
        (ArrayType(LongType()), [[], None, [1, None, 3]]),
        (ArrayType(ArrayType(StringType())), [[["a"], None, []], None]),
        (MapType(StringType(), LongType()), [{}, None, {"a": 1, "b": None}]),
        (StructType().add("a", LongType()).add("b", StringType()), [Row(a=1, b="x"), None]),
        (ArrayType(StructType().add("a", LongType())), [[Row(a=1), None], [], None]),
        (NullType(), [None, None]),
    ],
)
def test_values_come_back(data_type, values):
    assert column(data_type, values) == values
    assert column(data_type, values * 1000) == values * 1000


def test_what_converts():
    assert column(StringType(), [1, 1.5, True]) == ["1", "1.5", "true"]
    assert column(BinaryType(), [bytearray(b"x")]) == [b"x"]
    assert column(ArrayType(LongType()), [(1, 2), array("l", [3])]) == [[1, 2], [3]]
    assert column(DateType(), [dt.datetime(2020, 1, 2, 3)]) == [dt.date(2020, 1, 2)]
    assert column(DecimalType(4, 1), [Decimal("1.25"), Decimal("1.35"), Decimal("NaN")]) == [
        Decimal("1.2"),
        Decimal("1.4"),
        None,
    ]
    assert column(DecimalType(10, 3), [Decimal("1E+3")]) == [Decimal(1000)]
    assert column(DoubleType(), [1, True], strict=False) == [1.0, 1.0]
    assert column(LongType(), [1.9, True], strict=False) == [1, 1]


def test_shapes_of_rows():
    schema = StructType().add("a", LongType()).add("b", StringType())

    class Thing:
        def __init__(self):
            self.b = "y"
            self.other = 1

    rows = [(1, "x"), [2, None], {"b": "z", "c": 1}, Row(b=3, a="w"), Thing()]
    table = _core.Table.from_rows(rows, pack(schema))
    assert table.rows() == [(1, "x"), (2, None), (None, "z"), (3, "w"), (None, "y")]
    assert _core.Table.from_rows([], pack(schema)).rows(Row) == []
    assert _core.Table.from_rows([()] * 3, pack(StructType())).rows() == [()] * 3


def test_kinds_of_rows():
    schema = StructType().add("a", LongType()).add("s", StructType().add("b", LongType()))
    table = _core.Table.from_rows([(1, (2,))], pack(schema))
    (plain,), (row,), (made,) = table.rows(), table.rows(Row), table.rows(_create_row)
    assert type(plain) is tuple and type(plain[1]) is tuple
    assert row == made == plain
    assert repr(row) == repr(made) == "Row(a=1, s=Row(b=2))"
    assert row.s.b == 2 and row["a"] == 1 and row.asDict(True) == {"a": 1, "s": {"b": 2}}


@pytest.mark.parametrize(
    "data_type, value, error, path",
    [
        (LongType(), "x", TypeError, "c"),
        (LongType(), True, TypeError, "c"),
        (LongType(), 2**63, ValueError, "c"),
        (ByteType(), 128, ValueError, "c"),
        (DoubleType(), 1, TypeError, "c"),
        (BooleanType(), 1, TypeError, "c"),
        (BinaryType(), "x", TypeError, "c"),
        (DateType(), "2020-01-01", TypeError, "c"),
        (TimestampType(), dt.date(2020, 1, 1), TypeError, "c"),
        (TimestampNTZType(), dt.datetime(2020, 1, 1, tzinfo=UTC), ValueError, "c"),
        (DecimalType(3, 1), Decimal("100"), ValueError, "c"),
        (DecimalType(3, 1), Decimal("Infinity"), ValueError, "c"),
        (DecimalType(3, 1), 1, TypeError, "c"),
        (StringType(), "\ud800", ValueError, "c"),
        (ArrayType(LongType()), [1, "x"], TypeError, "c.element"),
        (ArrayType(LongType(), False), [None], ValueError, "c.element"),
        (ArrayType(StringType()), "text", TypeError, "c"),
        (MapType(StringType(), LongType()), {"a": "b"}, TypeError, "c.value"),
        (MapType(StringType(), LongType()), {None: 1}, ValueError, "c.key"),
        (StructType().add("d", LongType()), ("x",), TypeError, "c.d"),
        (StructType().add("d", LongType()), (1, 2), ValueError, "c"),
        (NullType(), 1, TypeError, "c"),
    ],
)
def test_values_that_do_not_fit(data_type, value, error, path):
    with pytest.raises(error, match=rf"^field {path}: "):
        column(data_type, [value])


def test_references_come_back():
    values = [object() for _ in range(3)]
    text = "".join(["some ", "text of our own"])
    before = [sys.getrefcount(v) for v in [*values, text]]
    for v in values:
        with pytest.raises(TypeError):
            column(LongType(), [v])
    del v
    column(StringType(), [text])
    assert [sys.getrefcount(v) for v in [*values, text]] == before


def test_rows_that_change_while_they_are_read():
    rows = []

    class Evil:
        def __str__(self):
            rows.clear()
            return "x"

    rows.extend([(Evil(),), ("b",)])
    with pytest.raises(RuntimeError, match="changed"):
        _core.Table.from_rows(rows, pack(StructType().add("c", StringType())))


def test_recursive_values_end_in_an_error():
    loop = []
    loop.append(loop)
    deep = LongType()
    for _ in range(100):
        deep = ArrayType(deep)
    with pytest.raises(TypeError):
        column(deep, [loop])


@pytest.fixture
def zone(request):
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(
    "zone", ["UTC", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Tehran"], indirect=True
)
def test_local_times_are_those_of_datetime(zone):
    draw = random.Random(1)
    values = [
        dt.datetime(1900, 1, 1) + dt.timedelta(seconds=draw.randrange(140 * 365 * 86400))
        for _ in range(2000)
    ]
    for start in (dt.datetime(2018, 11, 3, 22), dt.datetime(2018, 2, 17, 20)):
        values += [start + dt.timedelta(minutes=7 * i) for i in range(600)]
    values += [v.replace(fold=1) for v in values]
    table = _core.Table.from_rows(
        [(v,) for v in values], pack(StructType().add("c", TimestampType()))
    )
    got = table.column_numpy(0).astype("int64").tolist()
    epoch = dt.datetime(1970, 1, 1, tzinfo=UTC)
    # astimezone() reads times that were skipped in another way before Python 3.13
    assert got == [round(v.timestamp()) * 1000000 for v in values]
    back = [(epoch + dt.timedelta(microseconds=u)).astimezone().replace(tzinfo=None) for u in got]
    assert [row[0] for row in table.rows()] == back


def test_instants_keep_their_zone():
    east = dt.timezone(dt.timedelta(hours=5, minutes=30))
    table = _core.Table.from_rows(
        [(dt.datetime(2020, 1, 1, 5, 30, tzinfo=east),)],
        pack(StructType().add("c", TimestampType())),
    )
    assert table.column_numpy(0)[0].item() == dt.datetime(2020, 1, 1)


def test_rows_of_one_shape():
    rows = [(1, "a"), (None, "b"), (2, None), (3, "c", 1), (1, 2), [1, "a"], (True, "a")]
    assert _core.same_shape(rows, 0, (int, str)) == 3
    assert _core.same_shape(rows, 3, (int, str)) == 3
    assert _core.same_shape(rows, 4, (int, str)) == 4
    assert _core.same_shape(rows, 5, (int, str)) == 5
    assert _core.same_shape(rows, 6, (int, str)) == 6
    assert _core.same_shape(rows, 7, (int, str)) == 7
    assert _core.same_shape([], 0, ()) == 0


def test_inference_sees_every_row():
    from nbaspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    rows = [(None, 1)] * 1000 + [("x", 2), (None, None)] * 1000
    df = spark.createDataFrame(rows, ["s", "n"])
    assert df.dtypes == [("s", "string"), ("n", "bigint")]
    with pytest.raises(TypeError, match="CANNOT_MERGE_TYPE"):
        spark.createDataFrame([*rows, ("y", 2.5)], ["s", "n"])
