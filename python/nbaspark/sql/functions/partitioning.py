# SPDX-License-Identifier: Apache-2.0
"""Partition transforms of tables, for `DataFrameWriterV2.partitionedBy`."""

from __future__ import annotations

from nbaspark.errors.raising import check
from nbaspark.sql.column import Column
from nbaspark.sql.functions.base import invoke, lit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nbaspark.sql.functions.base import ColumnOrName


def years(col: ColumnOrName) -> Column:
    """Partition by the year of a time."""
    return invoke("years", col)


def months(col: ColumnOrName) -> Column:
    """Partition by the month of a time."""
    return invoke("months", col)


def days(col: ColumnOrName) -> Column:
    """Partition by the day of a time."""
    return invoke("days", col)


def hours(col: ColumnOrName) -> Column:
    """Partition by the hour of a time."""
    return invoke("hours", col)


def bucket(numBuckets: Column | int, col: ColumnOrName) -> Column:
    """Partition by a hash, into `numBuckets` parts."""
    check("numBuckets", numBuckets, (int, Column), "Column or int")
    return invoke("bucket", lit(numBuckets), col)
