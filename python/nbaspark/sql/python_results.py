# SPDX-License-Identifier: Apache-2.0
"""What a function in Python returns, as a value of the type that it declares: Spark 4.2's rules, recorded from it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from nbaspark.sql import types as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Convert = Callable[[Any], Any]


def converter(data_type: t.DataType) -> Convert:
    """Return the function that makes values of a type; None stays None."""
    make = _maker(data_type)

    def convert(value: Any) -> Any:
        return None if value is None else make(value)

    return convert


def _maker(data_type: t.DataType) -> Convert:
    if isinstance(data_type, t.StringType):
        return _text
    if isinstance(data_type, t.IntegralType):
        return _integer
    if isinstance(data_type, t.FractionalType) and not isinstance(data_type, t.DecimalType):
        return _double
    if isinstance(data_type, t.BooleanType):
        return _boolean
    if isinstance(data_type, t.ArrayType):
        return _array(data_type)
    if isinstance(data_type, t.MapType):
        return _map(data_type)
    if isinstance(data_type, t.StructType):
        return _struct(data_type)
    for kind, classes in _CLASSES:
        if isinstance(data_type, kind):
            return _of_class(data_type, classes)
    return lambda value: value


_CLASSES = (
    (t.DecimalType, (Decimal,)),
    (t.BinaryType, (bytes, bytearray)),
    (t.DateType, (date,)),
    ((t.TimestampType, t.TimestampNTZType), (datetime,)),
    (t.TimeType, (time,)),
    (t.DayTimeIntervalType, (timedelta,)),
)


def _refuse(value: Any, wanted: str) -> Any:
    raise TypeError(f"cannot convert {value!r} of type {type(value).__name__} to {wanted}")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    """Return NumPy's numbers as Python's."""
    return value.item() if hasattr(value, "dtype") and hasattr(value, "item") else value


def _integer(value: Any) -> int:
    value = _plain(value)
    return int(value) if isinstance(value, (int, float)) else _refuse(value, "an integer")


def _double(value: Any) -> float:
    value = _plain(value)
    return float(value) if isinstance(value, (int, float)) else _refuse(value, "a double")


def _boolean(value: Any) -> bool:
    value = _plain(value)
    return bool(value) if isinstance(value, (bool, int)) else _refuse(value, "a boolean")


def _of_class(data_type: t.DataType, classes: tuple) -> Convert:
    def check(value: Any) -> Any:
        return value if isinstance(value, classes) else _refuse(value, data_type.simpleString())

    return check


def _array(data_type: t.ArrayType) -> Convert:
    element = converter(data_type.elementType)

    def make(value: Any) -> list:
        if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
            _refuse(value, data_type.simpleString())
        return [element(v) for v in value]

    return make


def _map(data_type: t.MapType) -> Convert:
    key, item = converter(data_type.keyType), converter(data_type.valueType)

    def make(value: Any) -> dict:
        if not isinstance(value, dict):
            _refuse(value, data_type.simpleString())
        return {key(k): item(v) for k, v in value.items()}

    return make


def _struct(data_type: t.StructType) -> Convert:
    makers = [converter(f.dataType) for f in data_type.fields]
    names = data_type.names

    def make(value: Any) -> tuple:
        if isinstance(value, dict):
            return tuple(m(value.get(n)) for n, m in zip(names, makers, strict=True))
        if not isinstance(value, (tuple, list)):
            if not hasattr(value, "__dict__"):
                _refuse(value, data_type.simpleString())
            value = [value.__dict__.get(n) for n in names]
        return tuple(m(v) for m, v in zip(makers, value, strict=True))

    return make
