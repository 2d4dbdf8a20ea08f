# SPDX-License-Identifier: Apache-2.0
"""Schemas that are found in text files: remembered while nothing changes, found anew when a file, an option or a setting does."""

import json
import os

import pytest


def settle(path):
    """Make a file look as if it had been there for a while."""
    os.utime(path, (os.stat(path).st_mtime - 60,) * 2)


def types(df):
    return [(f.name, f.dataType.simpleString()) for f in df.schema.fields]


def test_a_changed_file_is_looked_at_again(session, tmp_path):
    path = tmp_path / "t.json"
    for content, found in (
        ({"a": 1}, [("a", "bigint")]),
        ({"a": "x"}, [("a", "string")]),
        ({"a": 1.5, "b": True}, [("a", "double"), ("b", "boolean")]),
    ):
        path.write_text(json.dumps(content) + "\n")
        assert types(session.read.json(str(path))) == found
        settle(path)
        for _ in range(2):
            assert types(session.read.json(str(path))) == found
    settled = os.stat(path).st_mtime_ns
    path.write_text('{"a":"y","b":1 }\n')
    os.utime(path, ns=(settled + 1_000_000, settled + 1_000_000))
    assert types(session.read.json(str(path))) == [("a", "string"), ("b", "bigint")]


def test_options_and_settings_count(session, tmp_path):
    path = tmp_path / "t.json"
    path.write_text('{"a": 1.5, "t": "2024-01-01T00:00:00"}\n')
    settle(path)
    plain = session.read
    assert types(plain.json(str(path))) == [("a", "double"), ("t", "string")]
    assert types(session.read.option("prefersDecimal", True).json(str(path)))[0][1] == "decimal(2,1)"  # fmt: skip
    assert types(session.read.option("inferTimestamp", True).json(str(path)))[1][1] == "timestamp"
    session.conf.set("spark.sql.timestampType", "TIMESTAMP_NTZ")
    try:
        found = types(session.read.option("inferTimestamp", True).json(str(path)))
        assert found[1][1] == "timestamp_ntz"
    finally:
        session.conf.unset("spark.sql.timestampType")


def test_csv(session, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2024-01-01\n")
    settle(path)
    reader = session.read.option("header", True)
    assert types(reader.option("inferSchema", True).csv(str(path))) == [("a", "int"), ("b", "date")]
    assert types(reader.option("inferSchema", False).csv(str(path))) == [("a", "string"), ("b", "string")]  # fmt: skip
    assert types(reader.option("inferSchema", True).csv(str(path))) == [("a", "int"), ("b", "date")]
    other = tmp_path / "u.csv"
    other.write_text("a,b\nx,y\n")
    settle(other)
    both = session.read.option("header", True).option("inferSchema", True).csv([str(path), str(other)])  # fmt: skip
    assert types(both) == [("a", "string"), ("b", "string")]


@pytest.mark.parametrize(
    "lines, found, rows",
    [
        # the order of fields changes, fields are missing, unknown, or come twice; names with escapes
        (['{"a":1,"b":2}', '{"b":3,"a":4}', '{"b":5}', '{"c":6,"a":7}'], "a bigint, b bigint, c bigint", [(1, 2, None), (4, 3, None), (None, 5, None), (7, None, 6)]),
        (['{"a" : 1 , "b":2}', '{ "a":3,"b" :4 }'], "a bigint, b bigint", [(1, 2), (3, 4)]),
        ([r'{"a\\":1,"b":2}', r'{"a\\":3,"b":4}'], "`a\\` bigint, b bigint", [(1, 2), (3, 4)]),
        ([r'{"x\ty":1}', r'{"x\ty":2}'], "`x\ty` bigint", [(1,), (2,)]),
        (['{"a":1}', '{"a":1.5}', '{"a":9999999999999999999999}'], "a double", [(1.0,), (1.5,), (1e22,)]),
        (['{"a":{"x":1,"y":[1,2]}}', '{"a":{"y":[null,3],"x":null}}'], "a struct<x:bigint,y:array<bigint>>", [((1, [1, 2]),), ((None, [None, 3]),)]),
        (['{"a":true}', '{"a":null}', "{}"], "a boolean", [(True,), (None,), (None,)]),
    ],
)  # fmt: skip
def test_records_of_many_orders(session, tmp_path, lines, found, rows):
    path = tmp_path / "t.json"
    path.write_text("\n".join(lines * 3) + "\n")
    df = session.read.json(str(path))
    assert df.schema == session.read.schema(found).json(str(path)).schema
    assert [tuple(r) for r in df.collect()] == rows * 3
    some = df.select(df.columns[-1])
    assert [tuple(r) for r in some.collect()] == [(r[-1],) for r in rows * 3]


def test_bad_names_stay_bad(session, tmp_path):
    """Bytes that equal a remembered name, but are no such name in JSON."""
    path = tmp_path / "t.json"
    path.write_text('{"a\\\\":1,"b":2}\n{"a\\":3,"b":4}\n{"a\\\\":5,"b":6}\n')
    df = session.read.json(str(path))
    assert df.columns == ["_corrupt_record", "a\\", "b"]
    rows = [tuple(r) for r in df.collect()]
    assert rows == [(None, 1, 2), ('{"a\\":3,"b":4}', None, None), (None, 5, 6)]
