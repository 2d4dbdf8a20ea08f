# SPDX-License-Identifier: Apache-2.0
"""Data types from Python values: what `createDataFrame` does without a schema.

Rows are looked at one by one and their types merged, so that a null, or a map that is empty, in
the first row is filled in by a later one. The rules and the order of fields are PySpark's.
"""

from __future__ import annotations

from nbaspark.errors import PySparkTypeError
from nbaspark.errors.raising import type_error
from nbaspark.sql import types as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Inference:
    """The switches of schema inference, as the session's configuration has them."""

    def __init__(
        self,
        dict_as_struct: bool = False,
        array_from_first: bool = False,
        map_from_first: bool = False,
        prefer_ntz: bool = False,
    ):
        from datetime import date, datetime, time, timedelta
        from decimal import Decimal

        self.dict_as_struct = dict_as_struct
        self.array_from_first = array_from_first
        self.map_from_first = map_from_first
        self.prefer_ntz = prefer_ntz
        self.by_class = {
            type(None): t.NullType(),
            bool: t.BooleanType(),
            int: t.LongType(),
            float: t.DoubleType(),
            str: t.StringType(),
            bytes: t.BinaryType(),
            bytearray: t.BinaryType(),
            # Digits differ from row to row, so the widest usual type is taken.
            Decimal: t.DecimalType(38, 18),
            date: t.DateType(),
            time: t.TimeType(),
            timedelta: t.DayTimeIntervalType(),
        }
        self.datetime = datetime

    def of_rows(self, rows: list[Any], names: list[str] | None) -> t.StructType:
        """Return the merged schema of all rows."""
        from nbaspark._core import same_shape

        merged: Any = None
        i = 0
        while i < len(rows):
            schema = self.schema(rows[i], names)
            merged = schema if merged is None else merge(merged, schema)
            shape = self.shape(rows[i])
            # Same classes at the same places, or None: nothing new to learn.
            i = i + 1 if shape is None else same_shape(rows, i + 1, shape)
        return merged

    def shape(self, row: Any) -> tuple | None:
        """Return a key under which rows have the same schema, or None if that is not cheap."""
        if type(row) is not tuple:
            return None
        classes = tuple(map(type, row))
        return classes if all(c in self.by_class for c in classes) else None

    def schema(self, row: Any, names: list[str] | None = None) -> t.StructType:
        """Return the schema of one row: a dict, a tuple, a named tuple, a Row or an object."""
        items: Iterable[tuple[str, Any]]
        if isinstance(row, dict):
            items = sorted(row.items())
        elif isinstance(row, (tuple, list)):
            if hasattr(row, "__fields__"):
                items = zip(row.__fields__, tuple(row))
            elif hasattr(row, "_fields"):
                items = zip(row._fields, tuple(row))
            else:
                if names is None:
                    names = [f"_{i}" for i in range(1, len(row) + 1)]
                elif len(names) < len(row):
                    # The caller's list grows on purpose: it names the columns afterwards.
                    names.extend(f"_{i}" for i in range(len(names) + 1, len(row) + 1))
                items = zip(names, row)
        elif hasattr(row, "__dict__"):
            items = sorted(row.__dict__.items())
        else:
            raise type_error("CANNOT_INFER_SCHEMA_FOR_TYPE", data_type=type(row).__name__)
        fields = []
        for name, value in items:
            try:
                fields.append(t.StructField(name, self.type(value), True))
            except TypeError:
                raise type_error("CANNOT_INFER_TYPE_FOR_FIELD", field_name=name) from None
        return t.StructType(fields)

    def type(self, value: Any) -> t.DataType:
        """Return the type of one value."""
        known = self.by_class.get(type(value))
        if known is not None:
            return known
        if hasattr(value, "__UDT__"):
            return value.__UDT__
        if isinstance(value, self.datetime):
            ntz = self.prefer_ntz and value.tzinfo is None
            return t.TimestampNTZType() if ntz else t.TimestampType()
        if isinstance(value, dict):
            return self.mapping(value)
        if isinstance(value, list):
            return self.array(value)
        if type(value).__module__ == "array" and hasattr(value, "typecode"):
            return t.ArrayType(_array_element(value.typecode), False)
        dtype = getattr(value, "dtype", None)
        if dtype is not None and getattr(value, "ndim", None) == 0:
            scalar = from_numpy(dtype)
            if scalar is not None:
                return scalar
        if dtype is not None and getattr(value, "ndim", None) == 1:
            element = from_numpy(dtype)
            if element is not None:
                return t.ArrayType(element, True)
        try:
            return self.schema(value)
        except TypeError:
            raise type_error("UNSUPPORTED_DATA_TYPE", data_type=type(value).__name__) from None

    def mapping(self, value: dict) -> t.DataType:
        if self.dict_as_struct:
            struct = t.StructType()
            for k, v in value.items():
                if k is not None and v is not None:
                    struct.add(k, self.type(v), True)
            return struct
        key_type: Any = t.NullType()
        value_type: Any = t.NullType()
        for k, v in value.items():
            if self.map_from_first:
                if k is not None and v is not None:
                    return t.MapType(self.type(k), self.type(v), True)
                continue
            if k is not None:
                key_type = merge(key_type, self.type(k))
            if v is not None:
                value_type = merge(value_type, self.type(v))
        return t.MapType(key_type, value_type, True)

    def array(self, value: list) -> t.DataType:
        element: Any = t.NullType()
        for v in value[:1] if self.array_from_first else value:
            element = merge(element, self.type(v))
        return t.ArrayType(element, True)


def _array_element(typecode: str) -> t.DataType:
    """Return the type of an `array.array`; unsigned numbers need one bit more than they have."""
    if typecode in "fdu":
        return {"f": t.FloatType, "d": t.DoubleType, "u": t.StringType}[typecode]()
    from array import array

    if typecode in "bhilBHIL":
        bits = array(typecode).itemsize * 8 + (1 if typecode.isupper() else 0)
        for width, cls in (
            (8, t.ByteType),
            (16, t.ShortType),
            (32, t.IntegerType),
            (64, t.LongType),
        ):
            if bits <= width:
                return cls()
    raise type_error("UNSUPPORTED_DATA_TYPE", data_type=f"array({typecode})")


_NUMPY = {
    "bool": t.BooleanType,
    "int8": t.ByteType,
    "int16": t.ShortType,
    "int32": t.IntegerType,
    "int64": t.LongType,
    "float32": t.FloatType,
    "float64": t.DoubleType,
}


def from_numpy(dtype: Any) -> t.DataType | None:
    """Return the type for a NumPy dtype, or None where Spark has none."""
    if getattr(dtype, "kind", "") == "U":
        return t.StringType()
    cls = _NUMPY.get(getattr(dtype, "name", ""))
    return cls() if cls else None


def has_null_type(dt: t.DataType) -> bool:
    """Return whether a type is still unknown somewhere inside."""
    if isinstance(dt, t.StructType):
        return any(has_null_type(f.dataType) for f in dt.fields)
    if isinstance(dt, t.ArrayType):
        return has_null_type(dt.elementType)
    if isinstance(dt, t.MapType):
        return has_null_type(dt.keyType) or has_null_type(dt.valueType)
    return isinstance(dt, t.NullType)


def merge(a: t.DataType, b: t.DataType) -> t.DataType:
    """Return the type that holds values of both types.

    An unknown type gives way, text takes in every atomic type, structs are united by field name;
    all else must be of one class.
    """
    if a is b or isinstance(b, t.NullType):
        return a
    if isinstance(a, t.NullType):
        return b
    if isinstance(a, t.TimestampType) and isinstance(b, t.TimestampNTZType):
        return a
    if isinstance(a, t.TimestampNTZType) and isinstance(b, t.TimestampType):
        return b
    if isinstance(a, t.AtomicType) and isinstance(b, t.StringType):
        return b
    if isinstance(a, t.StringType) and isinstance(b, t.AtomicType):
        return a
    if type(a) is not type(b):
        raise PySparkTypeError(
            errorClass="CANNOT_MERGE_TYPE",
            messageParameters={"data_type1": type(a).__name__, "data_type2": type(b).__name__},
        )
    if isinstance(a, t.StructType):
        others = {f.name: f.dataType for f in b.fields}
        fields = [
            t.StructField(f.name, merge(f.dataType, others.get(f.name, t.NullType())))
            for f in a.fields
        ]
        known = {f.name for f in fields}
        fields.extend(t.StructField(n, dt) for n, dt in others.items() if n not in known)
        return t.StructType(fields)
    if isinstance(a, t.ArrayType):
        return t.ArrayType(merge(a.elementType, b.elementType), True)
    if isinstance(a, t.MapType):
        return t.MapType(merge(a.keyType, b.keyType), merge(a.valueType, b.valueType), True)
    return a
