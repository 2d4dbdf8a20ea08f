# SPDX-License-Identifier: Apache-2.0
"""pandas' columns as Arrow arrays of the types that a schema asks for.

Arrow converts and refuses, as for PySpark: what would change a value raises, unless
`spark.sql.execution.pandas.convertToArrowArraySafely` is off. Where Python holds a value in another form
than Arrow expects (rows for structs, dictionaries for maps, local times), it is brought into that form.
"""

from __future__ import annotations

from nbaspark.errors import PySparkTypeError, PySparkValueError
from nbaspark.sql import types as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from nbaspark.sql.session import SparkSession

_SAFELY = "spark.sql.execution.pandas.convertToArrowArraySafely"


def arrow_of_pandas(
    session: SparkSession, data: Any, schema: t.StructType | None, arrow: Any
) -> Any:
    """Return columns of pandas as a pyarrow.Table.

    Parameters
    ----------
    session : SparkSession
        Whose settings say how strict to be, and what zone local times are in.
    data : pandas.DataFrame
        As many columns as the schema has.
    schema : StructType or None
        The types wanted; None: those that Arrow finds.
    arrow : pyarrow.Schema or None
        The same in Arrow's types.

    Raises
    ------
    PySparkTypeError
        If values are of a kind that the type does not take.
    PySparkValueError
        If a value would be changed.
    """
    import pyarrow

    safe = session.conf.get(_SAFELY, "true").lower() == "true"
    zone = session.conf.get("spark.sql.session.timeZone", "UTC")
    arrays = []
    for i in range(len(data.columns)):
        series = data.iloc[:, i]
        if schema is None:
            arrays.append(_array(pyarrow, series, str(data.columns[i]), None, safe))
            continue
        field, kind = schema.fields[i], arrow.field(i).type
        convert = _converter(field.dataType, zone)
        if series.dtype.kind == "M" and isinstance(field.dataType, t.TimestampType):
            # The engine knows the session's zone; times with a zone are points in time already.
            kind = pyarrow.timestamp("us", getattr(series.dt, "tz", None) and "UTC")
        elif convert is not None and series.dtype == object:
            series = series.map(lambda v, convert=convert: v if _is_missing(v) else convert(v))
        arrays.append(_array(pyarrow, series, str(data.columns[i]), kind, safe))
    return pyarrow.Table.from_arrays(arrays, names=[f"_{i}" for i in range(len(arrays))])


def _array(pyarrow: Any, series: Any, name: str, kind: Any, safe: bool) -> Any:
    # pandas' own arrays with missing values bring their mask.
    mask = None if hasattr(series.array, "__arrow_array__") else series.isnull()
    try:
        return pyarrow.Array.from_pandas(series, mask=mask, type=kind, safe=safe)
    except TypeError as e:
        raise PySparkTypeError(_failed(series, name, kind) + ".") from e
    except ValueError as e:
        raise PySparkValueError(
            f"{_failed(series, name, kind)}. It can be caused by overflows or other unsafe "
            "conversions warned by Arrow. Arrow safe type check can be disabled by using SQL "
            f"config `{_SAFELY}`."
        ) from e


def _failed(series: Any, name: str, kind: Any) -> str:
    return (
        f"Exception thrown when converting pandas.Series ({series.dtype}) "
        f"with name {name!r} to Arrow Array ({kind})"
    )


def _is_missing(value: Any) -> bool:
    return value is None or value != value or type(value).__name__ in ("NaTType", "NAType")


def _converter(dt: t.DataType, zone: str) -> Callable[[Any], Any] | None:
    """Return what brings a value into Arrow's form, or None if it is in it already."""
    if isinstance(dt, t.TimestampType):
        return lambda value: _point_in_time(value, zone)
    if isinstance(dt, t.ArrayType):
        element = _converter(dt.elementType, zone)
        if element is None:
            return None
        return lambda value: [v if v is None else element(v) for v in value]
    if isinstance(dt, t.MapType):
        key, item = _converter(dt.keyType, zone), _converter(dt.valueType, zone)
        return lambda value: [
            (k if key is None else key(k), v if item is None or v is None else item(v))
            for k, v in (value.items() if isinstance(value, dict) else value)
        ]
    if isinstance(dt, t.StructType):
        fields = [(f.name, _converter(f.dataType, zone)) for f in dt.fields]
        return lambda value: _fields(value, fields)
    return None


def _fields(value: Any, fields: list) -> dict[str, Any]:
    """Return a struct's values by name: of a dictionary by their names, of rows in order."""
    if isinstance(value, dict):
        values = [value.get(name) for name, _ in fields]
    else:
        values = list(value)
    return {
        name: v if v is None or convert is None else convert(v)
        for (name, convert), v in zip(fields, values)
    }


def _point_in_time(value: Any, zone: str) -> Any:
    import pandas

    time = pandas.Timestamp(value)
    return (time.tz_localize(zone) if time.tz is None else time).tz_convert("UTC")
