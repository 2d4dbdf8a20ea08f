# SPDX-License-Identifier: Apache-2.0
"""Expression trees: building blocks of Column, and their text.

An expression is the dictionary form of a spark.connect.Expression message, such as
``{"unresolved_attribute": {"unparsed_identifier": "a"}}``. Trees are never changed once made, so
that they can be shared between columns.
"""

from __future__ import annotations

from nbaspark.errors.raising import type_error, value_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1

NULL = {"literal": {"null": {"null": {}}}}

_EPOCH_ORDINAL = 719163
_MICROS = 1_000_000


def literal(value: Any) -> dict[str, Any]:
    """Return the literal of a Python value."""
    maker = _LITERALS.get(type(value))
    if maker is not None:
        return {"literal": maker(value)}
    if value is None:
        return NULL
    return _other_literal(value)


def _int(value: int) -> dict[str, Any]:
    if INT_MIN <= value <= INT_MAX:
        return {"integer": value}
    if LONG_MIN <= value <= LONG_MAX:
        return {"long": value}
    raise value_error("VALUE_NOT_BETWEEN", arg_name="value", min=LONG_MIN, max=32767)


_LITERALS = {
    bool: lambda v: {"boolean": v},
    int: _int,
    float: lambda v: {"double": v},
    str: lambda v: {"string": v},
    bytes: lambda v: {"binary": v},
    bytearray: lambda v: {"binary": bytes(v)},
}


def _other_literal(value: Any) -> dict[str, Any]:
    """Return the literal of a value whose class is imported only where it is used."""
    from datetime import date, datetime, time, timedelta
    from decimal import Decimal

    from nbaspark.sql import types as t

    if isinstance(value, Decimal):
        body = {"value": str(value), "precision": 10, "scale": 0}
        return {"literal": {"decimal": body}}
    if isinstance(value, datetime):
        if _prefers_ntz():
            return {"literal": {"timestamp_ntz": t.TimestampNTZType().toInternal(value)}}
        return {"literal": {"timestamp": t.TimestampType().toInternal(value)}}
    if isinstance(value, date):
        return {"literal": {"date": value.toordinal() - _EPOCH_ORDINAL}}
    if isinstance(value, time):
        return {"literal": {"time": {"precision": 6, "nano": t.TimeType().toInternal(value)}}}
    if isinstance(value, timedelta):
        return {"literal": {"day_time_interval": t.DayTimeIntervalType().toInternal(value)}}
    if isinstance(value, list):
        return {"literal": {"array": _array(value)}}
    dtype = getattr(value, "dtype", None)
    if dtype is not None and hasattr(value, "item"):
        member = _NUMPY_MEMBERS.get(dtype.name) or ("string" if dtype.kind == "U" else None)
        if member is not None:
            return {"literal": {member: value.item()}}
    for cls, maker in _LITERALS.items():
        if isinstance(value, cls):
            return {"literal": maker(cls(value))}
    if hasattr(value, "value") and type(type(value)).__name__ in ("EnumType", "EnumMeta"):
        return literal(value.value)
    raise type_error("UNSUPPORTED_DATA_TYPE", data_type=type(value).__name__)


_NUMPY_MEMBERS = {
    "bool": "boolean",
    "int8": "byte",
    "int16": "short",
    "int32": "integer",
    "int64": "long",
    "float32": "float",
    "float64": "double",
}


def _array(values: list) -> dict[str, Any]:
    from nbaspark.sql.types_proto import to_tree

    if not values or values[0] is None:
        raise type_error("CANNOT_INFER_ARRAY_ELEMENT_TYPE")
    elements = [literal(v)["literal"] for v in values]
    return {"element_type": to_tree(_literal_type(elements[0])), "elements": elements}


def _literal_type(body: dict[str, Any]):
    from nbaspark.sql import types as t
    from nbaspark.sql.types_proto import from_tree

    ((member, value),) = body.items()
    if member == "null":
        return from_tree(value)
    if member == "array":
        return t.ArrayType(from_tree(value["element_type"]), True)
    if member == "decimal":
        return t.DecimalType(value["precision"], value["scale"])
    if member == "day_time_interval":
        return t.DayTimeIntervalType()
    if member == "string":
        return t.StringType()
    return from_tree({member: {}})


def _prefers_ntz() -> bool:
    from nbaspark.sql.session import SparkSession

    session = SparkSession.getActiveSession()
    if session is None:
        return False
    return session.conf.get("spark.sql.timestampType", None) == "TIMESTAMP_NTZ"


def function(name: str, arguments: list[dict], is_distinct: bool = False) -> dict[str, Any]:
    """Return a call of a function that the engine resolves by name."""
    body: dict[str, Any] = {"function_name": name, "arguments": arguments}
    if is_distinct:
        body["is_distinct"] = True
    return {"unresolved_function": body}


def attribute(name: str, plan_id: int | None = None, is_metadata: bool = False) -> dict[str, Any]:
    """Return a reference to a column by name, of any plan or of one."""
    body: dict[str, Any] = {"unparsed_identifier": name, "is_metadata_column": is_metadata}
    if plan_id is not None:
        body["plan_id"] = plan_id
    return {"unresolved_attribute": body}


def star(target: str | None = None, plan_id: int | None = None) -> dict[str, Any]:
    """Return ``*`` or ``target.*``."""
    body: dict[str, Any] = {}
    if target is not None:
        body["unparsed_target"] = target
    if plan_id is not None:
        body["plan_id"] = plan_id
    return {"unresolved_star": body}


ASCENDING, DESCENDING = "SORT_DIRECTION_ASCENDING", "SORT_DIRECTION_DESCENDING"
NULLS_FIRST, NULLS_LAST = "SORT_NULLS_FIRST", "SORT_NULLS_LAST"


def sort_order(child: dict, direction: str, nulls: str) -> dict[str, Any]:
    """Return a sort key."""
    return {"sort_order": {"child": child, "direction": direction, "null_ordering": nulls}}


# ---- text ---------------------------------------------------------------------------------------


def text(tree: dict[str, Any]) -> str:
    """Return an expression as ``repr`` of a Column shows it."""
    for member, body in tree.items():
        writer = _WRITERS.get(member)
        if writer is not None:
            return writer(body)
    return str(tree)


def _list(trees: list[dict]) -> str:
    return ", ".join(map(text, trees))


def _function_text(body: dict[str, Any]) -> str:
    name, arguments = body["function_name"], body.get("arguments") or []
    if name == "when":
        pairs = zip(arguments[0::2], arguments[1::2])
        cases = "".join(f" WHEN {text(c)} THEN {text(v)}" for c, v in pairs)
        last = f" ELSE {text(arguments[-1])}" if len(arguments) % 2 else ""
        return f"CASE{cases}{last} END"
    return f"{name}({'distinct ' if body.get('is_distinct') else ''}{_list(arguments)})"


def _literal_text(body: dict[str, Any]) -> str:
    from datetime import datetime, timedelta, timezone

    ((member, value),) = body.items()
    if member == "null":
        return "NULL"
    if member == "decimal":
        return value["value"]
    if member == "array":
        return "[%s]" % ", ".join(_literal_text(e) for e in value["elements"])
    if member == "date":
        from datetime import date

        return date.fromordinal(value + _EPOCH_ORDINAL).isoformat()
    if member == "time":
        from nbaspark.sql.types import TimeType

        return TimeType().fromInternal(value["nano"]).strftime("%H:%M:%S.%f")
    if member == "timestamp":
        moment = datetime.fromtimestamp(value // _MICROS).replace(microsecond=value % _MICROS)
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
    if member == "timestamp_ntz":
        moment = datetime.fromtimestamp(value // _MICROS, timezone.utc)
        return moment.replace(microsecond=value % _MICROS).strftime("%Y-%m-%d %H:%M:%S.%f")
    if member == "day_time_interval":
        return _iso_duration(timedelta(microseconds=value))
    return str(value)


def _iso_duration(delta: Any) -> str:
    minutes, seconds = divmod(delta.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{delta.microseconds:06d}".rstrip("0") if delta.microseconds else ""
    return f"P{delta.days}DT{hours}H{minutes}M{seconds}{fraction}S"


def _sort_text(body: dict[str, Any]) -> str:
    direction = "ASC" if body["direction"] == ASCENDING else "DESC"
    nulls = "FIRST" if body["null_ordering"] == NULLS_FIRST else "LAST"
    return f"{text(body['child'])} {direction} NULLS {nulls}"


def _cast_text(body: dict[str, Any]) -> str:
    if "type_str" in body:
        name = body["type_str"]
    else:
        from nbaspark.sql.types_proto import from_tree

        name = from_tree(body["type"]).simpleString()
    word = "TRY_CAST" if body.get("eval_mode") == "EVAL_MODE_TRY" else "CAST"
    return f"{word}({text(body['expr'])} AS {name.upper()})"


def _bound_text(bound: dict[str, Any], unbounded: int) -> str:
    if "value" in bound:
        return _literal_text(bound["value"]["literal"])
    return str(unbounded) if "unbounded" in bound else "0"


def window_text(body: dict[str, Any]) -> str:
    """Return the window part of a window expression."""
    parts = []
    if body.get("partition_spec"):
        parts.append(f"PartitionBy({_list(body['partition_spec'])})")
    if body.get("order_spec"):
        parts.append("OrderBy(%s)" % ", ".join(map(_sort_text, body["order_spec"])))
    frame = body.get("frame_spec")
    if frame:
        kind = "ROW_FRAME" if frame["frame_type"] == "FRAME_TYPE_ROW" else "RANGE_FRAME"
        lower = _bound_text(frame["lower"], LONG_MIN)
        parts.append(f"WindowFrame({kind}, {lower}, {_bound_text(frame['upper'], LONG_MAX)})")
    return f"WindowSpec({', '.join(parts)})"


def _update_text(body: dict[str, Any]) -> str:
    struct, name = text(body["struct_expression"]), body["field_name"]
    if "value_expression" in body:
        return f"update_field({struct}, {name}, {text(body['value_expression'])})"
    return f"drop_field({struct}, {name})"


def _lambda_text(body: dict[str, Any]) -> str:
    names = ", ".join(", ".join(a["name_parts"]) for a in body["arguments"])
    return f"LambdaFunction({text(body['function'])}, {names})"


def _call_text(body: dict[str, Any]) -> str:
    arguments = body.get("arguments")
    name = body["function_name"]
    return f"CallFunction('{name}', {_list(arguments)})" if arguments else f"CallFunction('{name}')"


_WRITERS = {
    "literal": _literal_text,
    "unresolved_attribute": lambda b: b["unparsed_identifier"],
    "unresolved_function": _function_text,
    "unresolved_star": lambda b: f"unresolvedstar({b.get('unparsed_target', '')})",
    "expression_string": lambda b: b["expression"],
    "alias": lambda b: f"{text(b['expr'])} AS {','.join(b['name'])}",
    "sort_order": _sort_text,
    "cast": _cast_text,
    "window": lambda b: f"WindowExpression({text(b['window_function'])}, ({window_text(b)}))",
    "unresolved_extract_value": lambda b: f"{text(b['child'])}['{text(b['extraction'])}']",
    "unresolved_regex": lambda b: f"UnresolvedRegex({b['col_name']})",
    "update_fields": _update_text,
    "lambda_function": _lambda_text,
    "unresolved_named_lambda_variable": lambda b: ", ".join(b["name_parts"]),
    "call_function": _call_text,
    "named_argument_expression": lambda b: f"{b['key']} => {text(b['value'])}",
    "subquery_expression": lambda b: f"SubqueryExpression(plan={b['plan_id']})",
    "direct_shuffle_partition_id": lambda b: f"DirectShufflePartitionID(child={text(b['child'])})",
    "common_inline_user_defined_function": lambda b: (
        f"{b['function_name']}({_list(b.get('arguments') or [])})"
    ),
}
