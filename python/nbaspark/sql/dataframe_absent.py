# SPDX-License-Identifier: Apache-2.0
"""The part of DataFrame that the engine has nothing for: table functions, streams, pandas API.

The methods exist with PySpark's signatures, so that a program that calls one is told what is missing.
"""

from __future__ import annotations

from nbaspark.errors.raising import not_implemented

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class DataFrameAbsent:
    """Methods that raise `PySparkNotImplementedError`; a base class of DataFrame only."""

    def asTable(self) -> Any:
        """Return this table as an argument of a table function; not implemented."""
        raise not_implemented("asTable")

    def mergeInto(self, table: str, condition: Any) -> Any:
        """Merge the rows into a table; not implemented."""
        raise not_implemented("mergeInto")

    def pandas_api(self, index_col: Any = None) -> Any:
        """Return this table with the interface of pandas; not implemented."""
        raise not_implemented("pandas_api")

    @property
    def writeStream(self) -> Any:
        """A writer of streams; not implemented."""
        raise not_implemented("writeStream")
