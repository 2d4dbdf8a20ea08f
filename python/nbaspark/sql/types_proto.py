# SPDX-License-Identifier: Apache-2.0
"""Data types as trees of spark.connect.DataType, in both directions.

A tree is the dictionary form of a message: ``IntegerType()`` is ``{"integer": {}}``.
"""

from __future__ import annotations

from nbaspark.errors import PySparkValueError
from nbaspark.sql import types as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# types without parameters: member of DataType.kind -> class
_PLAIN = {
    "null": t.NullType,
    "binary": t.BinaryType,
    "boolean": t.BooleanType,
    "byte": t.ByteType,
    "short": t.ShortType,
    "integer": t.IntegerType,
    "long": t.LongType,
    "float": t.FloatType,
    "double": t.DoubleType,
    "date": t.DateType,
    "timestamp": t.TimestampType,
    "timestamp_ntz": t.TimestampNTZType,
    "calendar_interval": t.CalendarIntervalType,
    "variant": t.VariantType,
}
_PLAIN_TREES: dict[type, dict] = {cls: {member: {}} for member, cls in _PLAIN.items()}


def to_tree(data_type: t.DataType) -> dict[str, Any]:
    """Return the message of a type."""
    plain = _PLAIN_TREES.get(type(data_type))
    if plain is not None:
        return plain
    if isinstance(data_type, t.StringType):
        return {"string": {"collation": data_type.collation}}
    if isinstance(data_type, t.CharType):
        return {"char": {"length": data_type.length}}
    if isinstance(data_type, t.VarcharType):
        return {"var_char": {"length": data_type.length}}
    if isinstance(data_type, t.DecimalType):
        return {"decimal": {"scale": data_type.scale, "precision": data_type.precision}}
    if isinstance(data_type, t.TimeType):
        return {"time": {"precision": data_type.precision}}
    if isinstance(data_type, (t.DayTimeIntervalType, t.YearMonthIntervalType)):
        day_time = isinstance(data_type, t.DayTimeIntervalType)
        return {
            "day_time_interval" if day_time else "year_month_interval": {
                "start_field": data_type.startField,
                "end_field": data_type.endField,
            }
        }
    if isinstance(data_type, t.StructType):
        return {"struct": {"fields": [_field_tree(f) for f in data_type.fields]}}
    if isinstance(data_type, t.ArrayType):
        return {
            "array": {
                "element_type": to_tree(data_type.elementType),
                "contains_null": data_type.containsNull,
            }
        }
    if isinstance(data_type, t.MapType):
        return {
            "map": {
                "key_type": to_tree(data_type.keyType),
                "value_type": to_tree(data_type.valueType),
                "value_contains_null": data_type.valueContainsNull,
            }
        }
    if isinstance(data_type, t.UserDefinedType):
        value = data_type.jsonValue()
        udt = {"type": "udt", "python_class": value["pyClass"]}
        if "class" in value:
            udt["jvm_class"] = value["class"]
        return {"udt": {**udt, "sql_type": to_tree(data_type.sqlType())}}
    for cls, plain in _PLAIN_TREES.items():
        if isinstance(data_type, cls):
            return plain
    raise PySparkValueError(
        errorClass="UNSUPPORTED_OPERATION",
        messageParameters={"operation": f"data type {data_type}"},
    )


def _field_tree(field: t.StructField) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "name": field.name,
        "data_type": to_tree(field.dataType),
        "nullable": field.nullable,
    }
    if field.metadata:
        import json

        tree["metadata"] = json.dumps(field.metadata)
    return tree


def from_tree(tree: dict[str, Any]) -> t.DataType:
    """Return the type of a message."""
    for member, body in tree.items():
        if body is None:
            continue
        plain = _PLAIN.get(member)
        if plain is not None:
            return plain()
        reader = _READERS.get(member)
        if reader is not None:
            return reader(body)
    raise PySparkValueError(
        errorClass="UNSUPPORTED_OPERATION", messageParameters={"operation": f"data type {tree}"}
    )


def _struct(body: dict[str, Any]) -> t.StructType:
    fields = []
    for f in body.get("fields") or ():
        metadata = f.get("metadata")
        if metadata:
            import json

            metadata = json.loads(metadata)
        fields.append(
            t.StructField(
                f.get("name", ""), from_tree(f["data_type"]), bool(f.get("nullable")), metadata
            )
        )
    return t.StructType(fields)


_READERS = {
    "string": lambda b: t.StringType(b.get("collation") or "UTF8_BINARY"),
    "char": lambda b: t.CharType(b.get("length", 0)),
    "var_char": lambda b: t.VarcharType(b.get("length", 0)),
    "decimal": lambda b: t.DecimalType(_or(b, "precision", 10), _or(b, "scale", 0)),
    "time": lambda b: t.TimeType(_or(b, "precision", 6)),
    "day_time_interval": lambda b: t.DayTimeIntervalType(b.get("start_field"), b.get("end_field")),
    "year_month_interval": lambda b: t.YearMonthIntervalType(
        b.get("start_field"), b.get("end_field")
    ),
    "struct": _struct,
    "array": lambda b: t.ArrayType(from_tree(b["element_type"]), bool(b.get("contains_null"))),
    "map": lambda b: t.MapType(
        from_tree(b["key_type"]), from_tree(b["value_type"]), bool(b.get("value_contains_null"))
    ),
    "udt": lambda b: user_defined_type(b.get("python_class"), b.get("jvm_class")),
    "unparsed": lambda b: t.DataType.fromDDL(b.get("data_type_string", "")),
}


def _or(body: dict[str, Any], key: str, default: Any) -> Any:
    value = body.get(key)
    return default if value is None else value


# Class names that PySpark and Spark give to types that this package has too. Nothing else is
# imported by a name found in data: a type that is not known is an error.
_KNOWN_UDTS = {
    "nbaspark.ml.linalg.VectorUDT": ("nbaspark.ml.linalg", "VectorUDT"),
    "nbaspark.ml.linalg.MatrixUDT": ("nbaspark.ml.linalg", "MatrixUDT"),
    "pyspark.ml.linalg.VectorUDT": ("nbaspark.ml.linalg", "VectorUDT"),
    "pyspark.ml.linalg.MatrixUDT": ("nbaspark.ml.linalg", "MatrixUDT"),
    "org.apache.spark.ml.linalg.VectorUDT": ("nbaspark.ml.linalg", "VectorUDT"),
    "org.apache.spark.ml.linalg.MatrixUDT": ("nbaspark.ml.linalg", "MatrixUDT"),
}


def user_defined_type(python_class: str | None, jvm_class: str | None) -> t.UserDefinedType:
    """Return the user-defined type of one of these names, if it is one that is known."""
    from sys import modules

    for name in (python_class, jvm_class):
        if not name:
            continue
        if name in _KNOWN_UDTS:
            from importlib import import_module

            module, cls = _KNOWN_UDTS[name]
            return getattr(import_module(module), cls)()
        module, _, cls = name.rpartition(".")
        found = getattr(modules.get(module), cls, None)
        if isinstance(found, type) and issubclass(found, t.UserDefinedType):
            return found()
    raise PySparkValueError(
        errorClass="UNSUPPORTED_DATA_TYPE",
        messageParameters={"data_type": f"udt {python_class or jvm_class}"},
    )
