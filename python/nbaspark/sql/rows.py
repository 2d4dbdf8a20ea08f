# SPDX-License-Identifier: Apache-2.0
"""Results as Python objects: rows, pandas and pyarrow. The engine makes the values."""

from __future__ import annotations

from nbaspark.errors import PySparkTypeError, UnsupportedOperationException
from nbaspark.sql.types import (
    Row,
    StructType,
    TimestampType,
    YearMonthIntervalType,
)
from nbaspark.sql.types_proto import from_tree, user_defined_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def schema_of(result: Any) -> StructType:
    """Return the names and types of a result's columns."""
    from nbaspark import _core

    return from_tree(_core.message_unpack("spark.connect.DataType", result.schema))


def user_type(python_class: str | None, jvm_class: str | None, serialized: Any = None) -> Any:
    """Return the type that makes values of a user-defined type."""
    return user_defined_type(python_class, jvm_class)


# How a year_month_interval of a DataType begins in its message; other bytes may look like it.
_MONTH_INTERVAL = b"\x92\x01"


def _refuse_month_intervals(result: Any) -> None:
    """Raise as PySpark does for years and months: Python has no type for their values."""
    if _MONTH_INTERVAL not in result.schema:
        return
    for field in schema_of(result).fields:
        if isinstance(field.dataType, YearMonthIntervalType):
            raise PySparkTypeError(
                errorClass="UNSUPPORTED_DATA_TYPE_FOR_ARROW_CONVERSION",
                messageParameters={"data_type": "month_interval"},
            )


def to_rows(result: Any) -> list[Row]:
    """Return the rows of a result."""
    _refuse_month_intervals(result)
    return result.rows(Row, user_type)


def to_arrow(result: Any) -> Any:
    """Return a result as a pyarrow.Table."""
    import pyarrow

    return pyarrow.RecordBatchReader.from_stream(result).read_all()


def _as_dict(names: list[str], values: Any) -> dict[str, Any]:
    if len(set(names)) < len(names):
        raise UnsupportedOperationException(
            errorClass="DUPLICATED_FIELD_NAME_IN_ARROW_STRUCT",
            messageParameters={"field_names": str(list(names))},
        )
    return dict(zip(names, values))


def _as_numbered_dict(names: list[str], values: Any) -> dict[str, Any]:
    """Return a dictionary in which names that occur more than once are numbered."""
    if len(set(names)) == len(names):
        return dict(zip(names, values))
    seen: dict[str, int] = {}
    numbered = []
    for name in names:
        n = seen[name] = seen.get(name, -1) + 1
        numbered.append(f"{name}_{n}" if list(names).count(name) > 1 else name)
    return dict(zip(numbered, values))


def _as_row(names: list[str], values: Any) -> Row:
    return Row(*names)(*values)


class _OfDictionaries:
    """A user-defined type whose stored structs come as dictionaries, as pandas gets structs."""

    def __init__(self, udt: Any):
        self._udt = udt

    def deserialize(self, value: Any) -> Any:
        values = tuple(value.values()) if isinstance(value, dict) else value
        return self._udt.deserialize(values)


def _user_type(python_class: str | None, jvm_class: str | None, serialized: Any = None) -> Any:
    return _OfDictionaries(user_type(python_class, jvm_class, serialized))


_STRUCTS = {"legacy": _as_dict, "row": _as_row, "dict": _as_numbered_dict}


def to_pandas(result: Any, session: Any) -> Any:
    """Return a result as a pandas.DataFrame; arrays become ndarrays.

    Structs become dictionaries, or rows if `spark.sql.execution.pandas.structHandlingMode` says so.

    Timestamps are local times of the session's zone, as in PySpark.
    """
    import pandas

    from nbaspark.sql.pandas_cells import cell_converter

    _refuse_month_intervals(result)
    schema = schema_of(result)
    columns = {}
    mode = session.conf.get("spark.sql.execution.pandas.structHandlingMode", "legacy")
    make_struct = _STRUCTS.get(mode.lower(), _as_dict)
    for i, field in enumerate(schema.fields):
        values = result.column_numpy(i, make_struct, _user_type)
        convert = cell_converter(field.dataType)
        if convert is not None:
            values = _cells(values, convert)
        elif isinstance(field.dataType, TimestampType):
            values = _local_times(values, session)
        columns[i] = pandas.Series(values)
    frame = pandas.DataFrame(columns, index=None if columns else range(result.n_rows))
    frame.columns = schema.names
    return frame


def _cells(values: Any, convert: Any) -> Any:
    """Return an array of objects, each in the form that pandas' users expect."""
    import numpy

    out = numpy.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        out[i] = value if value is None else convert(value)
    return out


def _local_times(values: Any, session: Any) -> Any:
    """Return points in time as local times without zone."""
    import pandas

    zone = session.conf.get("spark.sql.session.timeZone", "UTC")
    times = pandas.Series(values)
    if getattr(times.dt, "tz", None) is None:
        times = times.dt.tz_localize("UTC")
    return times.dt.tz_convert(zone).dt.tz_localize(None)
