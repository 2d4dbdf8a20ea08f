# SPDX-License-Identifier: Apache-2.0
"""Columns, constants, conditions, predicates and sort keys. Each function builds a call that the engine resolves by name."""

from __future__ import annotations

from nbaspark.errors.raising import check
from nbaspark.sql.column import Column, references, to_column
from nbaspark.sql.expressions import function
from nbaspark.sql.functions.base import given, invoke, lit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.sql.dataframe import DataFrame
    from nbaspark.sql.functions.base import ColumnOrName


def asc(col: ColumnOrName) -> Column:
    """Return a sort key: ascending, nulls first."""
    return to_column(col).asc()


def asc_nulls_first(col: ColumnOrName) -> Column:
    """Return a sort key: ascending, nulls first."""
    return to_column(col).asc_nulls_first()


def asc_nulls_last(col: ColumnOrName) -> Column:
    """Return a sort key: ascending, nulls last."""
    return to_column(col).asc_nulls_last()


def broadcast(df: DataFrame) -> DataFrame:
    """Mark a DataFrame as small enough to be copied to every task of a join."""
    from nbaspark.sql.dataframe import DataFrame

    check("df", df, DataFrame, "DataFrame")
    return df.hint("broadcast")


def call_function(funcName: str, *cols: ColumnOrName) -> Column:
    """Call a function by name, built in or registered, with columns."""
    columns = [to_column(c) for c in cols]
    call = {"function_name": funcName, "arguments": [c._expr for c in columns]}
    return Column({"call_function": call}, references(columns))


def call_udf(udfName: str, *cols: ColumnOrName) -> Column:
    """Call a registered function by name."""
    return invoke(udfName, *cols)


def coalesce(*cols: ColumnOrName) -> Column:
    """Return the first value that is not null."""
    return invoke("coalesce", *cols)


def desc(col: ColumnOrName) -> Column:
    """Return a sort key: descending, nulls last."""
    return to_column(col).desc()


def desc_nulls_first(col: ColumnOrName) -> Column:
    """Return a sort key: descending, nulls first."""
    return to_column(col).desc_nulls_first()


def desc_nulls_last(col: ColumnOrName) -> Column:
    """Return a sort key: descending, nulls last."""
    return to_column(col).desc_nulls_last()


def equal_null(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return whether both are equal or both null; never null itself."""
    return invoke("equal_null", col1, col2)


def expr(str: str) -> Column:
    """Return the column that SQL text describes."""
    return Column({"expression_string": {"expression": str}})


def ifnull(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return `col1`, or `col2` where `col1` is null."""
    return invoke("ifnull", col1, col2)


def ilike(str: ColumnOrName, pattern: ColumnOrName, escapeChar: Column | None = None) -> Column:
    """Return whether text matches an SQL pattern in any letter case."""
    return invoke("ilike", str, pattern, *given(escapeChar))


def isnan(col: ColumnOrName) -> Column:
    """Return whether the value is NaN."""
    return invoke("isnan", col)


def isnotnull(col: ColumnOrName) -> Column:
    """Return whether the value is not null."""
    return invoke("isnotnull", col)


def isnull(col: ColumnOrName) -> Column:
    """Return whether the value is null."""
    return invoke("isnull", col)


def like(str: ColumnOrName, pattern: ColumnOrName, escapeChar: Column | None = None) -> Column:
    """Return whether text matches an SQL pattern of ``%`` and ``_``."""
    return invoke("like", str, pattern, *given(escapeChar))


def nanvl(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return `col1`, or `col2` where `col1` is NaN."""
    return invoke("nanvl", col1, col2)


def nullif(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return null where both are equal, else `col1`."""
    return invoke("nullif", col1, col2)


def nullifzero(col: ColumnOrName) -> Column:
    """Return null for zero, else the value."""
    return invoke("nullifzero", col)


def nvl(col1: ColumnOrName, col2: ColumnOrName) -> Column:
    """Return `col1`, or `col2` where `col1` is null."""
    return invoke("nvl", col1, col2)


def nvl2(col1: ColumnOrName, col2: ColumnOrName, col3: ColumnOrName) -> Column:
    """Return `col2` where `col1` is not null, else `col3`."""
    return invoke("nvl2", col1, col2, col3)


def regexp(str: ColumnOrName, regexp: ColumnOrName) -> Column:
    """Return whether a regular expression is found in the text."""
    return invoke("regexp", str, regexp)


def regexp_like(str: ColumnOrName, regexp: ColumnOrName) -> Column:
    """Return whether a regular expression is found in the text."""
    return invoke("regexp_like", str, regexp)


def rlike(str: ColumnOrName, regexp: ColumnOrName) -> Column:
    """Return whether a regular expression is found in the text."""
    return invoke("rlike", str, regexp)


def when(condition: Column, value: Any) -> Column:
    """Begin a list of conditions; continue it with `Column.when` and `Column.otherwise`."""
    check("condition", condition, Column, "Column")
    result = lit(value)
    arguments = [condition._expr, result._expr]
    return Column(function("when", arguments), condition._refs + result._refs)


def zeroifnull(col: ColumnOrName) -> Column:
    """Return zero for null, else the value."""
    return invoke("zeroifnull", col)
