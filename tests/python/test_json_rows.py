# SPDX-License-Identifier: Apache-2.0
"""JSON texts in columns: rows that look alike are walked by their layout, a batch at a time. That gives what the careful parser gives, which is what
batches of three rows and a path that differs from row to row take.
"""

import json
import random

import pytest

from nbaspark.sql import functions as F

VALUES = [
    0,
    -1,
    12345678901234567890,
    1.5,
    17.0,
    0.001,
    0.0001,
    1e7,
    12345678.5,
    0.1,
    100.0,
    1e-7,
    "",
    "text",
    'a "quote"',
    "café",
]
VALUES += [
    "line\nbreak",
    "a much longer text, which lies apart",
    None,
    True,
    False,
    {"x": 1, "y": "z"},
    {},
    [],
    [1, 2],
    [{"x": 5}],
    "1996-03-13",
]
RAW = ['{"a":1.50,"b":00}', '{"a":2.0,"b":1', "{'a':'single','b':2}", '{"b":"x","a":"order"}', '{"a":1,"a":2}', "[1]", "", "null"]  # fmt: skip
SCHEMA = "a string, b double, c int, d date, e struct<x: int, y: string>, g array<int>"


def _texts(seed, n, separators):
    rng = random.Random(seed)
    for _ in range(n):
        if rng.random() < 0.05:
            yield rng.choice([*RAW, None])
        else:
            record = {k: rng.choice(VALUES) for k in "abcdefgh" if rng.random() < 0.95}
            yield json.dumps(record, separators=separators, ensure_ascii=rng.random() < 0.5)


@pytest.fixture(params=[(",", ":"), (", ", ": ")], ids=["dense", "spaced"])
def texts(spark, request):
    rows = [(t, "$.b") for t in _texts(7, 3000, request.param)]
    return spark.createDataFrame(rows, "v string, path string")


@pytest.mark.parametrize("path", ["$.b", "$.e.y", "$.g[0]", "$['a']", "$.nothing"])
def test_paths(spark, texts, path):
    texts.createOrReplaceTempView("texts")
    p = path.replace("'", "\\'")
    # the second path is no constant: "$.b" stands in each row
    careful = f"get_json_object(v, concat('{p}', substring(path, 4)))"
    rows = spark.sql(f"SELECT v, get_json_object(v, '{p}') a, {careful} b FROM texts").collect()
    assert len(rows) == 3000
    for v, a, b in rows:
        assert a == b, v


def test_from_json(spark, texts):
    df = texts.select(F.from_json("v", SCHEMA).alias("j"))
    many = df.collect()
    spark.conf.set("nbaspark.debug.batchRows", "3")
    try:
        few = df.collect()
    finally:
        spark.conf.unset("nbaspark.debug.batchRows")
    assert many == few
    assert sum(r.j is not None and r.j.a is not None for r in many) > 2000


def test_maps_behind_one_that_cannot_be_read(spark):
    rows = [f'{{"n":{{"k{i}":"value number {i} is longer"}}}}' for i in range(20)]
    rows[3] = '{"n":{"k3":}}'
    rows[9] = '{"n":{"x":1,"y":'
    df = spark.createDataFrame([(r,) for r in rows], "s string")
    found = [r.n for r in df.selectExpr("from_json(s, 'n map<string,string>').n AS n").collect()]
    right = [None if i in (3, 9) else {f"k{i}": f"value number {i} is longer"} for i in range(20)]
    assert found == right
