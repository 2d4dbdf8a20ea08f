# SPDX-License-Identifier: Apache-2.0
"""Functions of a window, and functions that return several rows. Each function builds a call that the engine resolves by name."""

from __future__ import annotations

from nbaspark.sql.functions.base import invoke, lit, lits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql.column import Column
    from nbaspark.sql.functions.base import ColumnOrName


def cume_dist() -> Column:
    """Return the share of rows of the partition up to this one."""
    return invoke("cume_dist")


def dense_rank() -> Column:
    """Return the rank, without gaps after ties."""
    return invoke("dense_rank")


def explode(col: ColumnOrName) -> Column:
    """Return a row for each element of an array, or entry of a map."""
    return invoke("explode", col)


def explode_outer(col: ColumnOrName) -> Column:
    """Return a row for each element; one with null where there is none."""
    return invoke("explode_outer", col)


def inline(col: ColumnOrName) -> Column:
    """Return a row for each struct of an array, a column for each field."""
    return invoke("inline", col)


def inline_outer(col: ColumnOrName) -> Column:
    """Return a row for each struct of an array; one with nulls where there is none."""
    return invoke("inline_outer", col)


def lag(col: ColumnOrName, offset: int = 1, default: Any | None = None) -> Column:
    """Return the value `offset` rows before."""
    return invoke("lag", col, lit(offset), *lits(default))


def lead(col: ColumnOrName, offset: int = 1, default: Any | None = None) -> Column:
    """Return the value `offset` rows after."""
    return invoke("lead", col, lit(offset), *lits(default))


def nth_value(col: ColumnOrName, offset: int, ignoreNulls: bool | None = False) -> Column:
    """Return the n-th value of the frame, counted from 1."""
    return invoke("nth_value", col, lit(offset), *lits(ignoreNulls))


def ntile(n: int) -> Column:
    """Return which of `n` equal parts of the partition the row is in."""
    return invoke("ntile", lit(n))


def percent_rank() -> Column:
    """Return the rank as a number from 0 to 1."""
    return invoke("percent_rank")


def posexplode(col: ColumnOrName) -> Column:
    """Return a row for each element, with its position."""
    return invoke("posexplode", col)


def posexplode_outer(col: ColumnOrName) -> Column:
    """Return a row for each element, with its position; one with nulls where there is none."""
    return invoke("posexplode_outer", col)


def rank() -> Column:
    """Return the rank, with gaps after ties."""
    return invoke("rank")


def row_number() -> Column:
    """Return the number of the row in its partition, from 1."""
    return invoke("row_number")


def stack(*cols: ColumnOrName) -> Column:
    """Return values laid out as n rows; n is the first argument."""
    return invoke("stack", *cols)
