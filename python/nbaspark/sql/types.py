# SPDX-License-Identifier: Apache-2.0
"""Data types and Row.

The classes, their constructors and their three spellings (``repr``, `simpleString`, JSON) are
PySpark's. What turns a type into protocol messages, infers one from Python values, or checks
values against one is next door: `types_proto.py`, `types_infer.py`, `types_verify.py`,
`types_parse.py`.
"""

from __future__ import annotations

from nbaspark.errors import (
    PySparkAttributeError,
    PySparkKeyError,
    PySparkRuntimeError,
    PySparkTypeError,
    PySparkValueError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = [
    "DataType",
    "NullType",
    "CharType",
    "StringType",
    "VarcharType",
    "BinaryType",
    "BooleanType",
    "DateType",
    "TimeType",
    "TimestampType",
    "TimestampNTZType",
    "DecimalType",
    "DoubleType",
    "FloatType",
    "ByteType",
    "IntegerType",
    "LongType",
    "DayTimeIntervalType",
    "YearMonthIntervalType",
    "CalendarIntervalType",
    "Row",
    "ShortType",
    "ArrayType",
    "MapType",
    "StructField",
    "StructType",
    "VariantType",
    "UserDefinedType",
]

_INT_MAX = 2147483647
_EPOCH_ORDINAL = 719163  # datetime.date(1970, 1, 1).toordinal()


class DataType:
    """Base of all data types."""

    def __repr__(self) -> str:
        return type(self).__name__ + "()"

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.__dict__ == other.__dict__

    def __ne__(self, other: object) -> bool:
        return not self.__eq__(other)

    @classmethod
    def typeName(cls) -> str:
        """Return the name of the type, such as ``"integer"``."""
        return cls.__name__[:-4].lower()

    def simpleString(self) -> str:
        """Return the type as SQL writes it, such as ``"int"`` or ``"array<int>"``."""
        return self.typeName()

    def jsonValue(self) -> str | dict[str, Any]:
        """Return the value that stands for this type in JSON."""
        return self.typeName()

    def json(self) -> str:
        """Return the type as compact JSON text with sorted keys."""
        import json

        return json.dumps(self.jsonValue(), separators=(",", ":"), sort_keys=True)

    def needConversion(self) -> bool:
        """Return whether values have another form inside the engine than in Python."""
        return False

    def toInternal(self, obj: Any) -> Any:
        """Return the internal form of a Python value."""
        return obj

    def fromInternal(self, obj: Any) -> Any:
        """Return the Python value of an internal form."""
        return obj

    def _as_nullable(self) -> DataType:
        return self

    @classmethod
    def fromDDL(cls, ddl: str) -> DataType:
        """Read a type, or the fields of a struct, from DDL text.

        Examples
        --------
        >>> from nbaspark.sql.types import DataType
        >>> DataType.fromDDL("array<int>")
        ArrayType(IntegerType(), True)
        >>> DataType.fromDDL("b: string, a: int")
        StructType([StructField('b', StringType(), True), StructField('a', IntegerType(), True)])
        """
        from nbaspark.sql.types_parse import parse_ddl

        return parse_ddl(ddl)

    def _tree_name(self) -> str:
        return self.typeName()

    def _tree_lines(self, prefix: str, depth: int, lines: list[str]) -> None:
        pass


class _Singleton(type):
    """Makes a class without parameters hand out one instance."""

    _instances: dict[type, Any] = {}

    def __call__(cls):
        if cls not in _Singleton._instances:
            _Singleton._instances[cls] = super().__call__()
        return _Singleton._instances[cls]


class NullType(DataType, metaclass=_Singleton):
    """The type of None, before anything better is known."""

    @classmethod
    def typeName(cls) -> str:
        return "void"


class AtomicType(DataType):
    """Base of the types that hold one value."""


class NumericType(AtomicType):
    """Base of the numbers."""


class IntegralType(NumericType, metaclass=_Singleton):
    """Base of the whole numbers of fixed width."""


class FractionalType(NumericType):
    """Base of the numbers with a fraction."""


class StringType(AtomicType):
    """Text.

    Parameters
    ----------
    collation : str, optional
        How text is compared; bytewise by default.
    """

    def __init__(self, collation: str = "UTF8_BINARY"):
        self.collation = collation

    @classmethod
    def collationProvider(cls, collationName: str) -> str:
        """Return who implements a collation: ``"spark"`` or ``"icu"``."""
        return "spark" if collationName.startswith("UTF8") else "icu"

    def isUTF8BinaryCollation(self) -> bool:
        """Return whether text is compared bytewise."""
        return self.collation == "UTF8_BINARY"

    def simpleString(self) -> str:
        return "string" if self.isUTF8BinaryCollation() else f"string collate {self.collation}"

    def jsonValue(self) -> str:
        return self.simpleString()

    def __repr__(self) -> str:
        return "StringType()" if self.isUTF8BinaryCollation() else f"StringType('{self.collation}')"


class CharType(AtomicType):
    """Text of exactly `length` characters, padded with spaces."""

    def __init__(self, length: int):
        self.length = length

    def simpleString(self) -> str:
        return f"char({self.length})"

    def jsonValue(self) -> str:
        return f"char({self.length})"

    def __repr__(self) -> str:
        return f"CharType({self.length})"

    _tree_name = simpleString


class VarcharType(AtomicType):
    """Text of at most `length` characters."""

    def __init__(self, length: int):
        self.length = length

    def simpleString(self) -> str:
        return f"varchar({self.length})"

    def jsonValue(self) -> str:
        return f"varchar({self.length})"

    def __repr__(self) -> str:
        return f"VarcharType({self.length})"

    _tree_name = simpleString


class BinaryType(AtomicType, metaclass=_Singleton):
    """Bytes."""


class BooleanType(AtomicType, metaclass=_Singleton):
    """True or false."""


class DatetimeType(AtomicType):
    """Base of dates and times."""

    def needConversion(self) -> bool:
        return True


class DateType(DatetimeType, metaclass=_Singleton):
    """A day; inside the engine the days since 1970-01-01."""

    EPOCH_ORDINAL = _EPOCH_ORDINAL

    def toInternal(self, d):
        return None if d is None else d.toordinal() - _EPOCH_ORDINAL

    def fromInternal(self, v):
        from datetime import date

        return None if v is None else date.fromordinal(v + _EPOCH_ORDINAL)


class AnyTimeType(DatetimeType):
    """Base of the times of day."""


class TimeType(AnyTimeType):
    """A time of day; inside the engine the nanoseconds since midnight."""

    def __init__(self, precision: int = 6):
        self.precision = precision

    def toInternal(self, t):
        if t is None:
            return None
        seconds = t.hour * 3600 + t.minute * 60 + t.second
        return seconds * 1_000_000_000 + t.microsecond * 1_000

    def fromInternal(self, nano):
        from datetime import time

        if nano is None:
            return None
        seconds, nanoseconds = divmod(nano, 1_000_000_000)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        return time(hour, minute, second, nanoseconds // 1_000)

    def simpleString(self) -> str:
        return f"time({self.precision})"

    def jsonValue(self) -> str:
        return f"time({self.precision})"

    def __repr__(self) -> str:
        return f"TimeType({self.precision})"

    _tree_name = simpleString


class TimestampType(DatetimeType, metaclass=_Singleton):
    """A point in time; inside the engine the microseconds since 1970-01-01 00:00:00 UTC.

    A `datetime` without zone is a time of the machine's local zone, in both directions.
    """

    def toInternal(self, dt):
        if dt is None:
            return None
        if dt.tzinfo is None:
            from time import mktime

            seconds = int(mktime(dt.timetuple()))
        else:
            from calendar import timegm

            seconds = timegm(dt.utctimetuple())
        return seconds * 1_000_000 + dt.microsecond

    def fromInternal(self, ts):
        from datetime import datetime

        if ts is None:
            return None
        seconds, micros = divmod(ts, 1_000_000)
        return datetime.fromtimestamp(seconds).replace(microsecond=micros)


class TimestampNTZType(DatetimeType, metaclass=_Singleton):
    """A date and time without zone; inside the engine microseconds, as if it were UTC."""

    @classmethod
    def typeName(cls) -> str:
        return "timestamp_ntz"

    def toInternal(self, dt):
        if dt is None:
            return None
        from calendar import timegm

        return timegm(dt.timetuple()) * 1_000_000 + dt.microsecond

    def fromInternal(self, ts):
        from datetime import datetime, timezone

        if ts is None:
            return None
        seconds, micros = divmod(ts, 1_000_000)
        moment = datetime.fromtimestamp(seconds, timezone.utc)
        return moment.replace(microsecond=micros, tzinfo=None)


class DecimalType(FractionalType):
    """A decimal number of at most `precision` digits, `scale` of them after the point.

    Parameters
    ----------
    precision : int, optional
        Digits in all, at most 38.
    scale : int, optional
        Digits after the point.
    """

    def __init__(self, precision: int = 10, scale: int = 0):
        self.precision = precision
        self.scale = scale
        self.hasPrecisionInfo = True

    def simpleString(self) -> str:
        return f"decimal({self.precision},{self.scale})"

    def jsonValue(self) -> str:
        return f"decimal({self.precision},{self.scale})"

    def __repr__(self) -> str:
        return f"DecimalType({self.precision},{self.scale})"

    _tree_name = simpleString


class DoubleType(FractionalType, metaclass=_Singleton):
    """A floating-point number of 64 bits."""


class FloatType(FractionalType, metaclass=_Singleton):
    """A floating-point number of 32 bits."""


class ByteType(IntegralType):
    """A whole number of 8 bits."""

    def simpleString(self) -> str:
        return "tinyint"


class ShortType(IntegralType):
    """A whole number of 16 bits."""

    def simpleString(self) -> str:
        return "smallint"


class IntegerType(IntegralType):
    """A whole number of 32 bits."""

    def simpleString(self) -> str:
        return "int"


class LongType(IntegralType):
    """A whole number of 64 bits."""

    def simpleString(self) -> str:
        return "bigint"


class AnsiIntervalType(AtomicType):
    """Base of the intervals of the SQL standard."""

    _fields: dict[int, str] = {}
    _title = ""

    def _set_fields(self, start: int | None, end: int | None, default_end: int) -> None:
        if start is None and end is None:
            start, end = 0, default_end
        elif start is not None and end is None:
            end = start
        if start not in self._fields or end not in self._fields:
            raise PySparkRuntimeError(
                errorClass="INVALID_INTERVAL_CASTING",
                messageParameters={"start_field": str(start), "end_field": str(end)},
            )
        self.startField = start
        self.endField = end

    def simpleString(self) -> str:
        start, end = self._fields[self.startField], self._fields[self.endField]
        return f"interval {start}" if start == end else f"interval {start} to {end}"

    jsonValue = simpleString
    _tree_name = simpleString

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.startField}, {self.endField})"


class DayTimeIntervalType(AnsiIntervalType):
    """A duration in days to seconds; inside the engine microseconds."""

    DAY = 0
    HOUR = 1
    MINUTE = 2
    SECOND = 3

    _fields = {0: "day", 1: "hour", 2: "minute", 3: "second"}

    def __init__(self, startField: int | None = None, endField: int | None = None):
        self._set_fields(startField, endField, self.SECOND)

    def needConversion(self) -> bool:
        return True

    def toInternal(self, dt):
        return None if dt is None else (dt.days * 86400 + dt.seconds) * 1_000_000 + dt.microseconds

    def fromInternal(self, micros):
        from datetime import timedelta

        return None if micros is None else timedelta(microseconds=micros)


class YearMonthIntervalType(AnsiIntervalType):
    """A duration in years and months; inside the engine months. Python has no such value."""

    YEAR = 0
    MONTH = 1

    _fields = {0: "year", 1: "month"}

    def __init__(self, startField: int | None = None, endField: int | None = None):
        self._set_fields(startField, endField, self.MONTH)


class CalendarIntervalType(DataType, metaclass=_Singleton):
    """A duration of months, days and microseconds. Python has no such value."""

    @classmethod
    def typeName(cls) -> str:
        return "interval"


class ArrayType(DataType):
    """A list of values of one type.

    Parameters
    ----------
    elementType : DataType
        The type of each element.
    containsNull : bool, optional
        Whether elements may be null.
    """

    def __init__(self, elementType: DataType, containsNull: bool = True):
        assert isinstance(elementType, DataType), (
            f"elementType {elementType} should be an instance of {DataType}"
        )
        self.elementType = elementType
        self.containsNull = containsNull

    def simpleString(self) -> str:
        return f"array<{self.elementType.simpleString()}>"

    def _as_nullable(self) -> ArrayType:
        return ArrayType(self.elementType._as_nullable(), True)

    def toNullable(self) -> ArrayType:
        """Return this type with nulls allowed at every level."""
        return self._as_nullable()

    def __repr__(self) -> str:
        return f"ArrayType({self.elementType}, {self.containsNull})"

    def jsonValue(self) -> dict[str, Any]:
        return {
            "type": self.typeName(),
            "elementType": self.elementType.jsonValue(),
            "containsNull": self.containsNull,
        }

    @classmethod
    def fromJson(cls, json: dict[str, Any], fieldPath: str = "", collationsMap=None) -> ArrayType:
        """Read the type from the value that `jsonValue` returned."""
        from nbaspark.sql.types_parse import from_json_value

        element = f"{fieldPath}.element" if fieldPath else "element"
        return ArrayType(
            from_json_value(json["elementType"], element, collationsMap), json["containsNull"]
        )

    def needConversion(self) -> bool:
        return self.elementType.needConversion()

    def toInternal(self, obj):
        if not self.needConversion() or obj is None:
            return obj
        return [self.elementType.toInternal(v) for v in obj]

    def fromInternal(self, obj):
        if not self.needConversion() or obj is None:
            return obj
        return [self.elementType.fromInternal(v) for v in obj]

    def _tree_lines(self, prefix: str, depth: int, lines: list[str]) -> None:
        if depth > 0:
            null = str(self.containsNull).lower()
            lines.append(
                f"{prefix}-- element: {self.elementType._tree_name()} (containsNull = {null})"
            )
            self.elementType._tree_lines(f"{prefix}    |", depth - 1, lines)


class MapType(DataType):
    """A mapping of keys of one type to values of one type; keys are never null.

    Parameters
    ----------
    keyType, valueType : DataType
        The types of keys and values.
    valueContainsNull : bool, optional
        Whether values may be null.
    """

    def __init__(self, keyType: DataType, valueType: DataType, valueContainsNull: bool = True):
        assert isinstance(keyType, DataType), (
            f"keyType {keyType} should be an instance of {DataType}"
        )
        assert isinstance(valueType, DataType), (
            f"valueType {valueType} should be an instance of {DataType}"
        )
        self.keyType = keyType
        self.valueType = valueType
        self.valueContainsNull = valueContainsNull

    def simpleString(self) -> str:
        return f"map<{self.keyType.simpleString()},{self.valueType.simpleString()}>"

    def _as_nullable(self) -> MapType:
        return MapType(self.keyType._as_nullable(), self.valueType._as_nullable(), True)

    def toNullable(self) -> MapType:
        """Return this type with nulls allowed at every level."""
        return self._as_nullable()

    def __repr__(self) -> str:
        return f"MapType({self.keyType}, {self.valueType}, {self.valueContainsNull})"

    def jsonValue(self) -> dict[str, Any]:
        return {
            "type": self.typeName(),
            "keyType": self.keyType.jsonValue(),
            "valueType": self.valueType.jsonValue(),
            "valueContainsNull": self.valueContainsNull,
        }

    @classmethod
    def fromJson(cls, json: dict[str, Any], fieldPath: str = "", collationsMap=None) -> MapType:
        """Read the type from the value that `jsonValue` returned."""
        from nbaspark.sql.types_parse import from_json_value

        key = f"{fieldPath}.key" if fieldPath else "key"
        value = f"{fieldPath}.value" if fieldPath else "value"
        return MapType(
            from_json_value(json["keyType"], key, collationsMap),
            from_json_value(json["valueType"], value, collationsMap),
            json["valueContainsNull"],
        )

    def needConversion(self) -> bool:
        return self.keyType.needConversion() or self.valueType.needConversion()

    def toInternal(self, obj):
        if not self.needConversion() or obj is None:
            return obj
        return {self.keyType.toInternal(k): self.valueType.toInternal(v) for k, v in obj.items()}

    def fromInternal(self, obj):
        if not self.needConversion() or obj is None:
            return obj
        return {
            self.keyType.fromInternal(k): self.valueType.fromInternal(v) for k, v in obj.items()
        }

    def _tree_lines(self, prefix: str, depth: int, lines: list[str]) -> None:
        if depth > 0:
            lines.append(f"{prefix}-- key: {self.keyType._tree_name()}")
            self.keyType._tree_lines(f"{prefix}    |", depth - 1, lines)
            null = str(self.valueContainsNull).lower()
            lines.append(
                f"{prefix}-- value: {self.valueType._tree_name()} (valueContainsNull = {null})"
            )
            self.valueType._tree_lines(f"{prefix}    |", depth - 1, lines)


class StructField(DataType):
    """One field of a struct.

    Parameters
    ----------
    name : str
        The name.
    dataType : DataType
        The type.
    nullable : bool, optional
        Whether the field may be null.
    metadata : dict, optional
        Anything that JSON can hold.
    """

    def __init__(
        self,
        name: str,
        dataType: DataType,
        nullable: bool = True,
        metadata: dict[str, Any] | None = None,
    ):
        assert isinstance(dataType, DataType), (
            f"dataType {dataType} should be an instance of {DataType}"
        )
        assert isinstance(name, str), f"field name {name} should be a string"
        self.name = name
        self.dataType = dataType
        self.nullable = nullable
        self.metadata = metadata or {}

    def simpleString(self) -> str:
        return f"{self.name}:{self.dataType.simpleString()}"

    def __repr__(self) -> str:
        return f"StructField('{self.name}', {self.dataType}, {self.nullable})"

    def jsonValue(self) -> dict[str, Any]:
        from nbaspark.sql.types_parse import (
            COLLATIONS_KEY,
            collation_metadata,
            without_collations,
        )

        metadata, data_type = self.metadata, self.dataType
        collations = collation_metadata(self.name, data_type)
        if collations:
            # They go to the metadata, so that readers that know none see plain text.
            metadata = {**metadata, COLLATIONS_KEY: collations}
            data_type = without_collations(data_type)
        return {
            "name": self.name,
            "type": data_type.jsonValue(),
            "nullable": self.nullable,
            "metadata": metadata,
        }

    @classmethod
    def fromJson(cls, json: dict[str, Any]) -> StructField:
        """Read the field from the value that `jsonValue` returned."""
        from nbaspark.sql.types_parse import COLLATIONS_KEY, collations_of, from_json_value

        metadata = json.get("metadata")
        collations = collations_of(metadata)
        if metadata and COLLATIONS_KEY in metadata:
            metadata = {k: v for k, v in metadata.items() if k != COLLATIONS_KEY}
        return StructField(
            json["name"],
            from_json_value(json["type"], json["name"], collations),
            json.get("nullable", True),
            metadata,
        )

    def needConversion(self) -> bool:
        return self.dataType.needConversion()

    def toInternal(self, obj):
        return self.dataType.toInternal(obj)

    def fromInternal(self, obj):
        return self.dataType.fromInternal(obj)

    def typeName(self) -> str:  # type: ignore[override]
        raise PySparkTypeError(errorClass="INVALID_TYPENAME_CALL", messageParameters={})

    def _tree_lines(self, prefix: str, depth: int, lines: list[str]) -> None:
        if depth > 0:
            null = str(self.nullable).lower()
            lines.append(
                f"{prefix}-- {self.name}: {self.dataType._tree_name()} (nullable = {null})"
            )
            self.dataType._tree_lines(f"{prefix}    |", depth - 1, lines)


class StructType(DataType):
    """Named fields: the type of a struct column, and the schema of a DataFrame.

    Iterating gives the fields; a name, a position or a slice selects among them.

    Examples
    --------
    >>> from nbaspark.sql.types import IntegerType, StringType, StructField, StructType
    >>> schema = StructType([StructField("id", IntegerType(), False)]).add("name", "string")
    >>> schema.simpleString()
    'struct<id:int,name:string>'
    >>> schema["id"]
    StructField('id', IntegerType(), False)
    """

    def __init__(self, fields: list[StructField] | None = None):
        if not fields:
            self.fields: list[StructField] = []
            self.names: list[str] = []
        else:
            self.fields = fields
            self.names = [f.name for f in fields]
            assert all(isinstance(f, StructField) for f in fields), (
                "fields should be a list of StructField"
            )

    def add(
        self,
        field: str | StructField,
        data_type: str | DataType | None = None,
        nullable: bool = True,
        metadata: dict[str, Any] | None = None,
    ) -> StructType:
        """Append a field, and return this type.

        Parameters
        ----------
        field : str or StructField
            The name, or the whole field.
        data_type : str or DataType, optional
            The type, when `field` is a name.
        nullable : bool, optional
            Whether the field may be null.
        metadata : dict, optional
            Anything that JSON can hold.
        """
        if not isinstance(field, StructField):
            if data_type is None:
                raise PySparkValueError(
                    errorClass="ARGUMENT_REQUIRED",
                    messageParameters={
                        "arg_name": "data_type",
                        "condition": "passing name of struct_field to create",
                    },
                )
            if isinstance(data_type, str):
                from nbaspark.sql.types_parse import from_json_value

                data_type = from_json_value(data_type)
            field = StructField(field, data_type, nullable, metadata)
        self.fields.append(field)
        self.names.append(field.name)
        return self

    def __iter__(self) -> Iterator[StructField]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __getitem__(self, key: str | int | slice) -> StructField | StructType:
        if isinstance(key, str):
            for field in self.fields:
                if field.name == key:
                    return field
            raise PySparkKeyError(errorClass="KEY_NOT_EXISTS", messageParameters={"key": str(key)})
        if isinstance(key, int):
            try:
                return self.fields[key]
            except IndexError:
                from nbaspark.errors import PySparkIndexError

                raise PySparkIndexError(
                    errorClass="INDEX_OUT_OF_RANGE",
                    messageParameters={"arg_name": "StructType", "index": str(key)},
                ) from None
        if isinstance(key, slice):
            return StructType(self.fields[key])
        raise PySparkTypeError(
            errorClass="NOT_EXPECTED_TYPE",
            messageParameters={
                "expected_type": "int, slice or str",
                "arg_name": "key",
                "arg_type": type(key).__name__,
            },
        )

    def simpleString(self) -> str:
        return "struct<%s>" % ",".join(f.simpleString() for f in self)

    def _as_nullable(self) -> StructType:
        return StructType(
            [StructField(f.name, f.dataType._as_nullable(), True, f.metadata) for f in self.fields]
        )

    def toNullable(self) -> StructType:
        """Return this type with nulls allowed at every level."""
        return self._as_nullable()

    def __repr__(self) -> str:
        return "StructType([%s])" % ", ".join(str(field) for field in self)

    def jsonValue(self) -> dict[str, Any]:
        return {"type": self.typeName(), "fields": [f.jsonValue() for f in self]}

    @classmethod
    def fromJson(cls, json: dict[str, Any]) -> StructType:
        """Read the type from the value that `jsonValue` returned."""
        return StructType([StructField.fromJson(f) for f in json["fields"]])

    def fieldNames(self) -> list[str]:
        """Return the names of the fields."""
        return list(self.names)

    def needConversion(self) -> bool:
        # A struct is a Row in Python and a tuple inside, whatever its fields are.
        return True

    def toInternal(self, obj):
        if obj is None:
            return None
        if isinstance(obj, dict):
            values = [obj.get(n) for n in self.names]
        elif isinstance(obj, (tuple, list)):
            values = obj
        elif hasattr(obj, "__dict__"):
            values = [obj.__dict__.get(n) for n in self.names]
        else:
            raise PySparkValueError(
                errorClass="UNEXPECTED_TUPLE_WITH_STRUCT", messageParameters={"tuple": str(obj)}
            )
        return tuple(
            f.dataType.toInternal(v) if f.dataType.needConversion() else v
            for f, v in zip(self.fields, values)
        )

    def fromInternal(self, obj):
        if obj is None or isinstance(obj, Row):
            return obj
        values = [
            f.dataType.fromInternal(v) if f.dataType.needConversion() else v
            for f, v in zip(self.fields, obj)
        ]
        return _create_row(self.names, values)

    def treeString(self, maxDepth: int = _INT_MAX) -> str:
        """Return the schema as a tree in text, down to `maxDepth` levels."""
        lines = ["root"]
        self._tree_lines(" |", maxDepth if maxDepth > 0 else _INT_MAX, lines)
        return "\n".join(lines) + "\n"

    def toDDL(self) -> str:
        """Return the fields as DDL text, as `DataType.fromDDL` reads it."""
        from nbaspark.sql.types_parse import to_ddl

        return to_ddl(self)

    def _tree_lines(self, prefix: str, depth: int, lines: list[str]) -> None:
        for field in self.fields:
            field._tree_lines(prefix, depth, lines)


class VariantType(AtomicType, metaclass=_Singleton):
    """A value of any type, as JSON has them."""

    def toInternal(self, variant: Any) -> Any:
        return variant


class UserDefinedType(DataType):
    """A type of the user's own, stored as another type.

    A subclass says with `sqlType` how it is stored, and converts with `serialize` and
    `deserialize`; the class of its values names it in ``__UDT__``.
    """

    @classmethod
    def typeName(cls) -> str:
        return cls.__name__.lower()

    @classmethod
    def sqlType(cls) -> DataType:
        """Return the type that values are stored as."""
        raise _udt_method("sqlType")

    @classmethod
    def module(cls) -> str:
        """Return the Python module of the type."""
        raise _udt_method("module")

    @classmethod
    def scalaUDT(cls) -> str:
        """Return the name of the JVM class of the type, or ``""``."""
        return ""

    def needConversion(self) -> bool:
        return True

    def toInternal(self, obj):
        return None if obj is None else self.sqlType().toInternal(self.serialize(obj))

    def fromInternal(self, obj):
        value = self.sqlType().fromInternal(obj)
        return None if value is None else self.deserialize(value)

    def serialize(self, obj: Any) -> Any:
        """Return the stored form of a value."""
        raise _udt_method("serialize")

    def deserialize(self, datum: Any) -> Any:
        """Return the value of a stored form."""
        raise _udt_method("deserialize")

    def simpleString(self) -> str:
        return "udt"

    def jsonValue(self) -> dict[str, Any]:
        name = f"{self.module()}.{type(self).__name__}"
        value: dict[str, Any] = {
            "type": "udt",
            "pyClass": name,
            "sqlType": self.sqlType().jsonValue(),
        }
        if self.scalaUDT():
            value["class"] = self.scalaUDT()
        return value

    @classmethod
    def fromJson(cls, json: dict[str, Any]) -> UserDefinedType:
        """Read the type from the value that `jsonValue` returned."""
        from nbaspark.sql.types_proto import user_defined_type

        return user_defined_type(json.get("pyClass"), json.get("class"))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    __hash__ = DataType.__hash__


def _udt_method(name: str) -> Exception:
    from nbaspark.errors.raising import not_implemented

    return not_implemented(f"{name}()")


def _create_row(fields: list[str] | tuple[str, ...], values: Any) -> Row:
    row = tuple.__new__(Row, values)
    row.__dict__["__fields__"] = fields
    return row


class Row(tuple):
    """A row of a DataFrame: a tuple whose fields also have names.

    Keyword arguments make a row with values; positional ones make a row of names, which can then
    be called with values.

    Examples
    --------
    >>> from nbaspark.sql import Row
    >>> row = Row(name="Ana", age=11)
    >>> row
    Row(name='Ana', age=11)
    >>> row["name"], row.age, "name" in row
    ('Ana', 11, True)
    >>> Person = Row("name", "age")
    >>> Person("Bia", 5)
    Row(name='Bia', age=5)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Row:
        if args and kwargs:
            raise PySparkValueError(
                errorClass="CANNOT_SET_TOGETHER",
                messageParameters={"arg_list": "args and kwargs"},
            )
        if kwargs:
            row = tuple.__new__(cls, kwargs.values())
            row.__dict__["__fields__"] = list(kwargs)
            return row
        return tuple.__new__(cls, args)

    def asDict(self, recursive: bool = False) -> dict[str, Any]:
        """Return the row as a dictionary.

        Parameters
        ----------
        recursive : bool, optional
            Whether rows inside become dictionaries too.

        Notes
        -----
        Of several fields of one name the last wins.
        """
        if not hasattr(self, "__fields__"):
            raise PySparkTypeError(
                errorClass="CANNOT_CONVERT_TYPE",
                messageParameters={"from_type": "Row", "to_type": "dict"},
            )
        return dict(zip(self.__fields__, map(_row_to_dict, self) if recursive else self))

    def __contains__(self, item: object) -> bool:
        if hasattr(self, "__fields__"):
            return item in self.__fields__
        return super().__contains__(item)

    def __call__(self, *args: Any) -> Row:
        if len(args) > len(self):
            raise PySparkValueError(
                errorClass="TOO_MANY_VALUES",
                messageParameters={
                    "expected": str(len(self)),
                    "item": "fields",
                    "actual": str(len(args)),
                },
            )
        return _create_row(self, args)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, (int, slice)):
            return super().__getitem__(item)
        try:
            return super().__getitem__(self.__fields__.index(item))
        except IndexError:
            raise PySparkKeyError(
                errorClass="KEY_NOT_EXISTS", messageParameters={"key": str(item)}
            ) from None
        except ValueError:
            raise PySparkValueError(item) from None

    def __getattr__(self, item: str) -> Any:
        if not item.startswith("__"):
            try:
                return super().__getitem__(self.__fields__.index(item))
            except (IndexError, ValueError):
                pass
        raise PySparkAttributeError(
            errorClass="ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": item}
        )

    def __setattr__(self, key: str, value: Any) -> None:
        if key != "__fields__":
            raise PySparkRuntimeError(errorClass="READ_ONLY", messageParameters={"object": "Row"})
        self.__dict__[key] = value

    def __reduce__(self):
        if hasattr(self, "__fields__"):
            return _create_row, (self.__fields__, tuple(self))
        return tuple.__reduce__(self)

    def __repr__(self) -> str:
        if hasattr(self, "__fields__"):
            pairs = ("%s=%r" % (k, v) for k, v in zip(self.__fields__, tuple(self)))
            return "Row(%s)" % ", ".join(pairs)
        return "<Row(%s)>" % ", ".join(repr(field) for field in self)


def _row_to_dict(value: Any) -> Any:
    if isinstance(value, Row):
        return value.asDict(True)
    if isinstance(value, list):
        return [_row_to_dict(v) for v in value]
    if isinstance(value, dict):
        return {k: _row_to_dict(v) for k, v in value.items()}
    return value
