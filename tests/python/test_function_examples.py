# SPDX-License-Identifier: Apache-2.0
"""Every example in csrc/expr/functions/*.def gives the result that stands beside it."""

import pathlib
import re

import pytest

TABLES = pathlib.Path(__file__).parents[2] / "csrc" / "expr" / "functions"
TEXT = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(rf"NB_FUNCTION\({TEXT},.*?{TEXT}, {TEXT}, {TEXT}\)\s*$")
FAMILIES = (
    "arithmetic",
    "array",
    "bitwise",
    "cast",
    "lambda",
    "logic",
    "math",
    "misc",
    "nested",
    "window",
)


def unquote(text: str) -> str:
    """A C string literal's content."""
    return text.replace('\\"', '"').replace("\\\\", "\\")


def bare(text: str) -> str:
    """Without what distinguishes the tables' JSON-like spelling from a cast to string."""
    return re.sub(r'[" ]', "", text.replace("->", ":")).replace(" ", "")


def examples() -> list[tuple[str, str, str]]:
    """Name, query, result."""
    found = []
    for family in FAMILIES:
        for line in (TABLES / f"{family}.def").read_text(encoding="utf-8").splitlines():
            row = ROW.match(line)
            if row and row[3]:
                found.append((unquote(row[1]), unquote(row[3]), unquote(row[4])))
    return found


@pytest.mark.parametrize(("name", "query", "result"), examples())
def test_example(spark, name, query, result):
    """The example of one function."""
    kind = spark.sql(query).dtypes[0][1]
    value = spark.sql(f"SELECT CAST(x AS STRING) FROM ({query}) AS t(x)").first()[0]
    want = bare(result)
    if kind.startswith(("struct", "array<struct")):
        want = re.sub(r"\w+:", "", want)
    assert bare("NULL" if value is None else value) == want, name
