# SPDX-License-Identifier: Apache-2.0
"""Expressions against what Apache Spark answered: tests/data/oracle/functions/*.tsv, recorded by record.py there."""

import json
import math
import pathlib

import pytest

from nbaspark.errors import PySparkException

DATA = pathlib.Path(__file__).parents[1] / "data" / "oracle" / "functions"
ESCAPES = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}


def unescape(text: str) -> str:
    """Undo record.py's escapes."""
    out, i = [], 0
    while i < len(text):
        pair = text[i : i + 2]
        if pair in ESCAPES:
            out.append(ESCAPES[pair])
            i += 2
        else:
            out.append(text[i])
            i += 1
    return "".join(out)


def cases(family: str) -> list[list[str]]:
    """Rows of one family's table."""
    lines = (DATA / f"{family}.tsv").read_text(encoding="utf-8").splitlines()
    return [[unescape(part) for part in line.split("\t")] for line in lines]


def answer(spark, expression: str) -> list[str]:
    """What this engine says, in the form of a recorded row."""
    try:
        kind, value = spark.sql(
            f"SELECT typeof(x), CAST(x AS STRING) FROM (SELECT {expression} AS x)"
        ).collect()[0]
    except PySparkException as error:
        return [expression, f"!{error.getCondition()}"]
    return [expression, kind, "NULL" if value is None else value]


def same(kind: str, here: str | None, there: str | None) -> bool:
    """Equal, or doubles that differ in the last bits: libm and Java's do for transcendental functions."""
    if here == there or kind != "double" or here is None or there is None:
        return here == there
    try:
        return math.isclose(float(here), float(there), rel_tol=4e-16)
    except ValueError:
        return False


def agree(got: list, want: list) -> bool:
    """Do two rows say the same?"""
    return (
        got[:2] == want[:2]
        and len(got) == len(want)
        and all(same(want[1], a, b) for a, b in zip(got[2:], want[2:]))
    )


@pytest.mark.parametrize(
    "family", ["operators", "cast", "math", "nested", "numbers", "text_formats"]
)
def test_recorded_expressions(spark, family):
    """Every answer agrees; the message lists those that do not."""
    wrong = []
    for row in cases(family):
        got = answer(spark, row[0])
        if not agree(got, row):
            wrong.append(f"{row[0]}\n  Spark {row[1:]}\n  here  {got[1:]}")
    assert not wrong, f"{len(wrong)} of {family} differ:\n" + "\n".join(wrong)


def column_answer(spark, expression: str) -> list:
    """The values of an expression over the rows of view t, as record_columns.py has them."""
    try:
        frame = spark.sql(f"SELECT id, {expression} AS x FROM t")
        kind = frame.schema["x"].dataType.simpleString()
        rows = frame.selectExpr("id", "CAST(x AS STRING) AS x").orderBy("id").collect()
    except PySparkException as error:
        return [expression, f"!{error.getCondition()}"]
    return [expression, kind, *[row.x for row in rows]]


@pytest.mark.parametrize(("name", "ansi"), [("columns", "true"), ("legacy", "false")])
def test_recorded_columns(spark, name, ansi):
    """Expressions over vectors with nulls among them, with ANSI mode on and off."""
    data = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    spark.sql(data["table"]).createOrReplaceTempView("t")
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    wrong = []
    try:
        for row in data["rows"]:
            got = column_answer(spark, row[0])
            if not agree(got, row):
                wrong.append(f"{row[0]}\n  Spark {row[1:]}\n  here  {got[1:]}")
    finally:
        spark.conf.set("spark.sql.ansi.enabled", "true")
        spark.catalog.dropTempView("t")
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong)
