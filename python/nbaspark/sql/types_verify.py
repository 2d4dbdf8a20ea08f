# SPDX-License-Identifier: Apache-2.0
"""Checks Python values against a type, with PySpark's conditions for what does not fit."""

from __future__ import annotations

from nbaspark.errors.raising import type_error, value_error
from nbaspark.sql import types as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_BOUNDS = {
    t.ByteType: (-128, 127),
    t.ShortType: (-32768, 32767),
    t.IntegerType: (-(2**31), 2**31 - 1),
    t.LongType: (-(2**63), 2**63 - 1),
}


def _acceptable() -> dict[type, tuple[type, ...]]:
    """Return the classes of Python values for each type; a subclass does not count."""
    from array import array
    from datetime import date, datetime, time, timedelta
    from decimal import Decimal

    return {
        t.BooleanType: (bool,),
        t.ByteType: (int,),
        t.ShortType: (int,),
        t.IntegerType: (int,),
        t.LongType: (int,),
        t.FloatType: (float,),
        t.DoubleType: (float,),
        t.DecimalType: (Decimal,),
        t.BinaryType: (bytearray, bytes),
        t.DateType: (date, datetime),
        t.TimeType: (time,),
        t.TimestampType: (datetime,),
        t.TimestampNTZType: (datetime,),
        t.DayTimeIntervalType: (timedelta,),
        t.ArrayType: (list, tuple, array),
        t.MapType: (dict,),
    }


def make_verifier(
    data_type: t.DataType, nullable: bool = True, name: str | None = None
) -> Callable[[Any], None]:
    """Return a function that raises an error for a value that does not fit a type.

    Parameters
    ----------
    data_type : DataType
        The type.
    nullable : bool, optional
        Whether None fits.
    name : str, optional
        What the value is called in messages.
    """
    check = _value_verifier(data_type, name)

    def verify(obj: Any) -> None:
        if obj is None:
            if not nullable:
                raise _error(value_error, "FIELD_NOT_NULLABLE", name)
        else:
            check(obj)

    return verify


def _error(make: Any, condition: str, name: str | None, **parameters: Any) -> Exception:
    if name is None:
        return make(condition, **parameters)
    return make(f"{condition}_WITH_NAME", field_name=name, **parameters)


def _unacceptable(data_type: t.DataType, obj: Any, name: str | None) -> Exception:
    return _error(
        type_error,
        "FIELD_DATA_TYPE_UNACCEPTABLE",
        name,
        data_type=data_type,
        obj=repr(obj),
        obj_type=type(obj),
    )


def _value_verifier(data_type: t.DataType, name: str | None) -> Callable[[Any], None]:
    if isinstance(data_type, (t.StringType, t.CharType, t.VarcharType, t.VariantType)):
        return lambda obj: None  # anything has a text
    if isinstance(data_type, t.UserDefinedType):
        return _udt_verifier(data_type, name)
    if isinstance(data_type, t.StructType):
        return _struct_verifier(data_type, name)
    acceptable = _acceptable().get(type(data_type), ())

    def check_class(obj: Any) -> None:
        if type(obj) not in acceptable:
            raise _unacceptable(data_type, obj, name)

    if isinstance(data_type, t.ArrayType):
        element = make_verifier(
            data_type.elementType, data_type.containsNull, f"element in array {name}"
        )

        def verify_array(obj: Any) -> None:
            check_class(obj)
            for v in obj:
                element(v)

        return verify_array
    if isinstance(data_type, t.MapType):
        key = make_verifier(data_type.keyType, False, f"key of map {name}")
        value = make_verifier(
            data_type.valueType, data_type.valueContainsNull, f"value of map {name}"
        )

        def verify_map(obj: Any) -> None:
            check_class(obj)
            for k, v in obj.items():
                key(k)
                value(v)

        return verify_map
    bounds = _BOUNDS.get(type(data_type))
    if bounds is None:
        return check_class
    low, high = bounds

    def verify_integer(obj: Any) -> None:
        check_class(obj)
        if not low <= obj <= high:
            raise value_error(
                "VALUE_OUT_OF_BOUNDS", arg_name="obj", lower_bound=low, upper_bound=high, actual=obj
            )

    return verify_integer


def _udt_verifier(data_type: t.UserDefinedType, name: str | None) -> Callable[[Any], None]:
    stored = make_verifier(data_type.sqlType(), name=name)

    def verify(obj: Any) -> None:
        if getattr(obj, "__UDT__", None) != data_type:
            raise _error(value_error, "FIELD_TYPE_MISMATCH", name, obj=obj, data_type=data_type)
        stored(data_type.toInternal(obj))

    return verify


def _struct_verifier(data_type: t.StructType, name: str | None) -> Callable[[Any], None]:
    within = "" if name is None else f" in {name}"
    verifiers = [
        (f.name, make_verifier(f.dataType, f.nullable, f"field {f.name}{within}"))
        for f in data_type.fields
    ]

    def verify(obj: Any) -> None:
        if isinstance(obj, dict):
            for field, check in verifiers:
                check(obj.get(field))
        elif isinstance(obj, (tuple, list)):
            if len(obj) != len(verifiers):
                raise _error(
                    value_error,
                    "FIELD_STRUCT_LENGTH_MISMATCH",
                    name,
                    object_length=len(obj),
                    field_length=len(verifiers),
                )
            for v, (_, check) in zip(obj, verifiers):
                check(v)
        elif hasattr(obj, "__dict__"):
            for field, check in verifiers:
                check(obj.__dict__.get(field))
        else:
            raise _unacceptable(data_type, obj, name)

    return verify
