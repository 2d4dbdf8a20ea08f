# SPDX-License-Identifier: Apache-2.0
"""Rows in order of texts of few different values, which share long beginnings, beside Python's sort; nulls at either end."""

from __future__ import annotations

import pytest

from nbaspark.sql import functions as F

N = 3000


def text(i: int, n_values: int) -> str | None:
    k = i * 7919 % n_values
    return None if k == 3 else f"a long beginning that all have {k // 3:05}" + "\u00e9" * (k % 3)


def rows(n_values: int) -> list[tuple]:
    return [(text(i, n_values), text(i * 31, 5), i * 104729 % 1000, i) for i in range(N)]


def key(value, descending: bool, nulls_last: bool) -> tuple:
    if value is None:
        return (nulls_last, b"")
    coded = value.encode() if isinstance(value, str) else value.to_bytes(4, "big")
    if descending:  # longer texts come first, so each byte needs one behind its end
        coded = bytes(255 - b for b in coded) + b"\xff"
    return (not nulls_last, coded)


@pytest.mark.parametrize("n_values", [1, 4, 150, 2500])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("nulls_last", [False, True])
def test_texts(spark, n_values, descending, nulls_last):
    def order(column):
        c = F.col(column)
        if descending:
            return c.desc_nulls_last() if nulls_last else c.desc_nulls_first()
        return c.asc_nulls_last() if nulls_last else c.asc_nulls_first()

    data = rows(n_values)
    frame = spark.createDataFrame(data, "a string, b string, c int, id int")
    found = [r.id for r in frame.orderBy(order("b"), order("a"), order("c"), "id").collect()]

    def by(row):
        return (*(key(row[k], descending, nulls_last) for k in (1, 0, 2)), row[3])

    assert found == [row[3] for row in sorted(data, key=by)]
