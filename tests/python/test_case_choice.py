# SPDX-License-Identifier: Apache-2.0
"""CASE of two values: types of 4 and 8 bytes and others, nulls on all sides, constants, dictionaries, values that can fail."""

from __future__ import annotations

import decimal

import pytest

ROWS = [
    (
        None if i % 11 == 3 else i - 500,
        None if i % 7 == 2 else i * 10**10,
        None if i % 5 == 1 else i / 4,
        None if i % 13 == 6 else f"t{i % 6}",
        None if i % 3 == 0 else (decimal.Decimal(i) / 100).quantize(decimal.Decimal("0.01")),
    )
    for i in range(3000)
]
CONDITIONS = {
    "a > 0": lambda a, b, c, t, d: a is not None and a > 0,
    "t = 't2'": lambda a, b, c, t, d: t == "t2",
    "t IN ('t1', 't4') AND a < 900": lambda a, b, c, t, d: t in ("t1", "t4") and a is not None and a < 900,
    "c IS NULL": lambda a, b, c, t, d: c is None,
}  # fmt: skip
VALUES = {
    "a ELSE 0": (lambda r: r[0], lambda r: 0),
    "b ELSE a": (lambda r: r[1], lambda r: r[0]),
    "b": (lambda r: r[1], lambda r: None),
    "1": (lambda r: 1, lambda r: None),
    "NULL ELSE c": (lambda r: None, lambda r: r[2]),
    "c ELSE 1.5D": (lambda r: r[2], lambda r: 1.5),
    "d ELSE 0": (lambda r: r[4], lambda r: decimal.Decimal("0.00")),
    "d": (lambda r: r[4], lambda r: None),
    "t ELSE 'none'": (lambda r: r[3], lambda r: "none"),
    "a > 5 ELSE false": (lambda r: None if r[0] is None else r[0] > 5, lambda r: False),
    "1000 div a ELSE -1": (lambda r: int(1000 / r[0]), lambda r: -1),
}


@pytest.fixture(params=[False, True], ids=["rows", "file"])
def table(spark, request, tmp_path):
    frame = spark.createDataFrame(
        ROWS, "a int, b bigint, c double, t string, d decimal(9, 2)"
    ).repartition(1)
    if request.param:
        frame.write.parquet(str(tmp_path / "t"))
        frame = spark.read.parquet(str(tmp_path / "t"))
    frame.createOrReplaceTempView("t")


@pytest.mark.parametrize("condition", CONDITIONS)
def test_values(spark, table, condition):
    holds = CONDITIONS[condition]
    for value, (then, otherwise) in VALUES.items():
        if "div" in value and condition != "a > 0":
            continue
        found = spark.sql(f"SELECT a, CASE WHEN {condition} THEN {value} END FROM t").collect()
        expected = [(r[0], then(r) if holds(*r) else otherwise(r)) for r in ROWS]
        assert sorted(map(repr, map(tuple, found))) == sorted(map(repr, expected)), value
