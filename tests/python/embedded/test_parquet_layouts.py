# SPDX-License-Identifier: Apache-2.0
"""Layouts of old writers: lists of two levels, "bag" and "array", maps of before the standard, packed levels, framed LZ4."""

import datetime
import struct

import parquet_bytes as pb
import pytest
from parquet_bytes import (
    BINARY,
    INT32,
    INT64,
    LIST,
    MAP,
    MAP_KEY_VALUE,
    OPTIONAL,
    REPEATED,
    REQUIRED,
    UTF8,
    Element,
    Leaf,
    int32s,
    page,
    strings,
)

# [1, 2], [], [3]: what is there in each layout is a matter of the greatest level
REP = [0, 1, 0, 0]
VALUES = int32s(1, 2, 3)


def two_level(inner, repetition=OPTIONAL, levels=None, outer="f"):
    top = 2 if repetition == OPTIONAL else 1
    elements = [Element(outer, None, repetition, 1, LIST), *inner]
    full = levels or [top, top, top - 1, top]
    return elements, page(VALUES, 4, REP, full, 1, max(full)), "f array<int>"


def leaf(name, repetition):
    return Element(name, INT32, repetition)


def group(name, repetition, children, converted=None):
    return Element(name, None, repetition, children, converted)


PLAIN_LISTS = {
    "two levels": two_level([leaf("element", REPEATED)]),
    "two levels, required": two_level([leaf("array", REPEATED)], REQUIRED),
    "unannotated": (
        [leaf("f", REPEATED)],
        page(VALUES, 4, REP, [1, 1, 0, 1], 1, 1),
        "f array<int>",
    ),
    "bag": (
        [group("f", OPTIONAL, 1, LIST), group("bag", REPEATED, 1), leaf("array", OPTIONAL)],
        page(VALUES, 4, REP, [3, 3, 1, 3], 1, 3),
        "f array<int>",
    ),
    "bag, array_element": (
        [group("f", OPTIONAL, 1, LIST), group("bag", REPEATED, 1), leaf("array_element", REQUIRED)],
        page(VALUES, 4, REP, [2, 2, 1, 2], 1, 2),
        "f array<int>",
    ),
}


@pytest.mark.parametrize("case", PLAIN_LISTS)
def test_lists(spark, tmp_path, case):
    elements, pages, schema = PLAIN_LISTS[case]
    (tmp_path / "x.parquet").write_bytes(pb.parquet(elements, [Leaf(INT32, pages, 4)], 3))
    frame = spark.read.parquet(str(tmp_path / "x.parquet"))
    assert frame.schema.simpleString() == f"struct<{schema.replace(' ', ':')}>"
    assert [r.f for r in frame.collect()] == [[1, 2], [], [3]]


@pytest.mark.parametrize("name", ["array", "f_tuple", "other"])
def test_a_group_that_is_the_element(spark, tmp_path, name):
    """One field in the repeated group: a struct where the group is called so, else the field itself."""
    elements = [group("f", OPTIONAL, 1, LIST), group(name, REPEATED, 1), leaf("x", REQUIRED)]
    pages = page(VALUES, 4, REP, [2, 2, 1, 2], 1, 2)
    (tmp_path / "x.parquet").write_bytes(pb.parquet(elements, [Leaf(INT32, pages, 4)], 3))
    frame = spark.read.parquet(str(tmp_path / "x.parquet"))
    if name == "other":
        assert [r.f for r in frame.collect()] == [[1, 2], [], [3]]
    else:
        assert [[s.x for s in r.f] for r in frame.collect()] == [[1, 2], [], [3]]


def test_a_tuple_of_two_fields(spark, tmp_path):
    elements = [
        group("f", OPTIONAL, 1, LIST),
        group("anything", REPEATED, 2),
        leaf("x", REQUIRED),
        leaf("y", OPTIONAL),
    ]
    leaves = [
        Leaf(INT32, page(VALUES, 4, REP, [2, 2, 1, 2], 1, 2), 4),
        Leaf(INT32, page(int32s(9), 4, REP, [2, 3, 1, 2], 1, 3), 4),
    ]
    (tmp_path / "x.parquet").write_bytes(pb.parquet(elements, leaves, 3))
    rows = spark.read.parquet(str(tmp_path / "x.parquet")).collect()
    assert [[tuple(s) for s in r.f] for r in rows] == [[(1, None), (2, 9)], [], [(3, None)]]


@pytest.mark.parametrize("converted", [MAP, MAP_KEY_VALUE])
@pytest.mark.parametrize("inner", ["map", "key_value", "entries"])
def test_maps(spark, tmp_path, converted, inner):
    elements = [
        group("f", OPTIONAL, 1, converted),
        group(inner, REPEATED, 2, MAP_KEY_VALUE if inner == "map" else None),
        Element("k", BINARY, REQUIRED, converted=UTF8),
        leaf("v", OPTIONAL),
    ]
    leaves = [
        Leaf(BINARY, page(strings("a", "b", "c"), 4, REP, [2, 2, 1, 2], 1, 2), 4),
        Leaf(INT32, page(int32s(7, 8), 4, REP, [3, 2, 1, 3], 1, 3), 4),
    ]
    (tmp_path / "x.parquet").write_bytes(pb.parquet(elements, leaves, 3))
    rows = spark.read.parquet(str(tmp_path / "x.parquet")).collect()
    assert [r.f for r in rows] == [{"a": 7, "b": None}, {}, {"c": 8}]


def test_packed_levels(spark, tmp_path):
    """BIT_PACKED levels: the highest bit first, no length before them."""
    flat = page(b"\xb0" + VALUES, 4, level_encoding=pb.BIT_PACKED)  # 1 0 1 1
    listed = page(b"\x40" + b"\xba\xc0"[:1] + VALUES, 4, level_encoding=pb.BIT_PACKED)
    (tmp_path / "x.parquet").write_bytes(
        pb.parquet([leaf("f", OPTIONAL)], [Leaf(INT32, flat, 4)], 4)
    )
    rows = spark.read.parquet(str(tmp_path / "x.parquet")).collect()
    assert [r.f for r in rows] == [1, None, 2, 3]
    elements = [group("f", OPTIONAL, 1, LIST), leaf("element", REPEATED)]
    listed = page(b"\x40" + bytes([0b10100110]) + VALUES, 4, level_encoding=pb.BIT_PACKED)
    (tmp_path / "y.parquet").write_bytes(pb.parquet(elements, [Leaf(INT32, listed, 4)], 3))
    rows = spark.read.parquet(str(tmp_path / "y.parquet")).collect()
    assert [r.f for r in rows] == [[1, 2], [], [3]]


@pytest.mark.parametrize("framed", [True, False])
def test_lz4_of_hadoop(spark, tmp_path, framed):
    def pack(body):
        block = bytes([len(body) << 4]) + body  # one literal
        return struct.pack(">II", len(body), len(block)) + block if framed else block

    pages = page(int32s(5, 6), 2, codec=pack)
    file = pb.parquet([leaf("f", REQUIRED)], [Leaf(INT32, pages, 2, codec=5)], 2)
    (tmp_path / "x.parquet").write_bytes(file)
    assert [r.f for r in spark.read.parquet(str(tmp_path / "x.parquet")).collect()] == [5, 6]


def test_millis_and_interval_types(spark, tmp_path):
    elements = [
        Element("t", INT64, REQUIRED, converted=9),
        Element("i", INT32, REQUIRED),
    ]
    leaves = [
        Leaf(INT64, page(struct.pack("<q", -1500), 1), 1),
        Leaf(INT32, page(int32s(14), 1), 1),
    ]
    keys = [
        (
            b"org.apache.spark.sql.parquet.row.metadata",
            b'{"type":"struct","fields":[{"name":"i","type":"interval year to month",'
            b'"nullable":true,"metadata":{"comment":"x"}}]}',
        )
    ]
    (tmp_path / "x.parquet").write_bytes(pb.parquet(elements, leaves, 1, keys))
    frame = spark.read.parquet(str(tmp_path / "x.parquet"))
    assert frame.schema["i"].metadata == {"comment": "x"}
    assert frame.selectExpr("cast(t as string) t", "cast(i as string) i").collect() == [
        ("1969-12-31 23:59:58.5", "INTERVAL '1-2' YEAR TO MONTH")
    ]
    assert frame.select("t").collect()[0].t == datetime.datetime(1969, 12, 31, 23, 59, 58, 500000)
