# SPDX-License-Identifier: Apache-2.0
"""Results as Python objects: rows, pandas and pyarrow. The engine makes the values."""

from __future__ import annotations

from nbaspark.sql.types import Row, StructType, _create_row
from nbaspark.sql.types_proto import from_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def schema_of(result: Any) -> StructType:
    """Return the names and types of a result's columns."""
    from nbaspark import _core

    return from_tree(_core.message_unpack("spark.connect.DataType", result.schema))


def to_rows(result: Any) -> list[Row]:
    """Return the rows of a result."""
    return result.rows(_create_row)


def to_arrow(result: Any) -> Any:
    """Return a result as a pyarrow.Table."""
    import pyarrow

    return pyarrow.RecordBatchReader.from_stream(result).read_all()


def to_pandas(result: Any, session: Any) -> Any:
    """Return a result as a pandas.DataFrame."""
    import pandas

    schema = schema_of(result)
    frame = pandas.DataFrame({i: result.column_numpy(i) for i in range(len(schema))})
    frame.columns = schema.names
    return frame
