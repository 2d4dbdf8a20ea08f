# SPDX-License-Identifier: Apache-2.0
"""Cells of toPandas() that hold arrays, maps and structs, in the forms that PySpark gives them.

Arrays are ndarrays of their elements' type, where NumPy has it; integers among which are nulls become
floats, as Arrow makes them. Times are pandas' own. Structs stay what `structHandlingMode` made of them.
"""

from __future__ import annotations

from nbaspark.sql import types as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_INTEGERS = {
    t.ByteType: "int8",
    t.ShortType: "int16",
    t.IntegerType: "int32",
    t.LongType: "int64",
}
_OTHERS = {
    t.FloatType: "float32",
    t.DoubleType: "float64",
    t.DayTimeIntervalType: "timedelta64[us]",
}


def cell_converter(dt: t.DataType) -> Callable[[Any], Any] | None:
    """Return what makes a cell of a column of this type, or None if its values are cells already."""
    if isinstance(dt, t.ArrayType):
        return _of_array(dt)
    if isinstance(dt, t.MapType):
        key, item = cell_converter(dt.keyType), _inner(dt.valueType)
        if key is None and item is None:
            return None
        return lambda value: {
            (k if key is None else key(k)): (v if v is None or item is None else item(v))
            for k, v in value.items()
        }
    if isinstance(dt, t.StructType):
        parts = [_inner(f.dataType) for f in dt.fields]
        if not any(parts):
            return None
        return lambda value: _struct(value, parts)
    return None


def _inner(dt: t.DataType) -> Callable[[Any], Any] | None:
    """Return what makes a value inside a cell; unlike columns, Arrow has no array for its times."""
    if isinstance(dt, (t.TimestampType, t.TimestampNTZType)):
        import pandas

        return pandas.Timestamp
    return cell_converter(dt)


def _struct(value: Any, parts: list) -> Any:
    if isinstance(value, dict):
        return {
            name: v if v is None or part is None else part(v)
            for (name, v), part in zip(value.items(), parts)
        }
    made = (v if v is None or part is None else part(v) for v, part in zip(value, parts))
    return t.Row(*value.__fields__)(*made)


def _of_array(dt: t.ArrayType) -> Callable[[Any], Any]:
    import numpy

    kind = type(dt.elementType)
    integer, other, element = _INTEGERS.get(kind), _OTHERS.get(kind), _inner(dt.elementType)

    def convert(values: Any) -> Any:
        if integer is not None:
            return numpy.array(values, "float64" if None in values else integer)
        if other is not None:
            return numpy.array(values, other)
        if kind is t.BooleanType and None not in values:
            return numpy.array(values, "bool")
        out = numpy.empty(len(values), dtype=object)
        for i, v in enumerate(values):
            out[i] = v if v is None or element is None else element(v)
        return out

    return convert
