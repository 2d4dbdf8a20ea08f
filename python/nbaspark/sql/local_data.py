# SPDX-License-Identifier: Apache-2.0
"""createDataFrame: local data of many kinds, handed to the engine by reference.

Tables (pandas, NumPy, Arrow and whatever has ``__arrow_c_stream__``) go as they are, without a
copy where their layout allows it. Rows of Python objects are converted once, in C.
"""

from __future__ import annotations

from nbaspark.errors import ParseException
from nbaspark.errors.raising import not_expected, type_error, value_error
from nbaspark.sql import types as t
from nbaspark.sql.types_infer import Inference, from_numpy, has_null_type
from nbaspark.sql.types_proto import from_tree, to_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from nbaspark.sql.dataframe import DataFrame
    from nbaspark.sql.session import SparkSession


def create_dataframe(
    session: SparkSession,
    data: Any,
    schema: Any,
    sampling_ratio: float | None,
    verify_schema: bool,
) -> DataFrame:
    """Return the DataFrame of local data; see `SparkSession.createDataFrame`."""
    from nbaspark.sql.dataframe import DataFrame

    if isinstance(data, DataFrame):
        raise type_error("INVALID_TYPE", arg_name="data", arg_type="DataFrame")
    names: list[str] | None = None
    if isinstance(schema, str):
        schema = _from_ddl(session, schema)
    if isinstance(schema, (list, tuple)):
        names = [str(n) for n in schema]
        schema = None
    elif schema is not None and not isinstance(schema, t.DataType):
        raise not_expected("schema", schema, "list, None or StructType")
    if _is_numpy(data) and _holds_objects(data):
        if isinstance(schema, t.DataType) and not isinstance(schema, t.StructType):
            data = data.tolist()
        else:
            data, names = _rows_of(data, names if schema is None else None)
    if _is_pandas(data):
        return _of_pandas(session, data, schema, names)
    elif _is_numpy(data):
        table, names = _from_numpy(data, names), None
        if schema is not None:
            return _table(session, table, None, schema)
    elif hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        if isinstance(schema, t.StructType):
            data = _cast_safely(data, schema)
        table = _core().Table.from_arrow(data)
        if names is None and schema is None:
            names = _held(table).names
    else:
        table, names = _from_rows(session, data, schema, names, sampling_ratio, verify_schema)
        return _table(session, table, names, None, ())
    return _table(session, table, names, schema)


def _from_ddl(session: SparkSession, ddl: str) -> t.DataType:
    """Return the type that DDL text describes; the engine says what is wrong with it."""
    try:
        return t.DataType.fromDDL(ddl)
    except ParseException:
        return session._parse_ddl(ddl)


def _core() -> Any:
    from nbaspark import _core

    return _core


def _table(
    session: SparkSession,
    table: Any,
    names: list[str] | None,
    schema: Any,
    local: Collection[int] | None = None,
) -> DataFrame:
    """Return the DataFrame of a table, under other names or cast to a schema.

    Local times in the columns `local` (all by default) are in the session's zone.
    """
    ((kind, body),) = session._channel.add_table(table).items()
    df = session._relation(kind, body)
    held = _held(table)
    wanted = None
    if schema is not None:
        wanted = schema if isinstance(schema, t.StructType) else t.StructType().add("value", schema)
        _same_length(len(wanted), len(held))
    elif names is None:
        return df
    df = _with_zone(session, df, held, wanted, range(len(held)) if local is None else local)
    if wanted is not None:
        return df if held == wanted else df.toDF(*wanted.names).to(wanted)
    names = names + [f"_{i}" for i in range(len(names) + 1, len(held) + 1)]  # type: ignore
    _same_length(len(names), len(held))
    return df if names == held.names else df.toDF(*names)


def _held(table: Any) -> t.StructType:
    """Return the names and types that a table has."""
    return from_tree(_core().message_unpack("spark.connect.DataType", table.schema))  # type: ignore


def _with_zone(
    session: SparkSession,
    df: DataFrame,
    held: t.StructType,
    wanted: t.StructType | None,
    local: Collection[int],
) -> DataFrame:
    """Return a table with times without zone, in the columns `local`, as times of the session's zone.

    This is what PySpark does with times of pandas and Arrow, unless the schema wants them without
    zone, or, if there is none, the session prefers them so.
    """
    kinds = [field.dataType for field in held]
    if wanted is not None:
        local = [i for i in local if not isinstance(wanted[i].dataType, t.TimestampNTZType)]
    elif session.conf.get("spark.sql.timestampType", None) == "TIMESTAMP_NTZ":
        local = ()
    zoned = {i: made for i in local if (made := _zoned(kinds[i])) != kinds[i]}
    if not zoned:
        return df
    df = df.toDF(*(f"_{i}" for i in range(len(held))))
    columns = []
    for i, field in enumerate(held):
        column = df[f"_{i}"]
        if i in zoned:
            column = column.cast(zoned[i])
        columns.append(column.alias(field.name))
    return df.select(*columns)


def _zoned(dt: t.DataType) -> t.DataType:
    """Return a type with timestamps in the place of those without zone."""
    if isinstance(dt, t.TimestampNTZType):
        return t.TimestampType()
    if isinstance(dt, t.ArrayType):
        return t.ArrayType(_zoned(dt.elementType), dt.containsNull)
    if isinstance(dt, t.MapType):
        return t.MapType(_zoned(dt.keyType), _zoned(dt.valueType), dt.valueContainsNull)
    if isinstance(dt, t.StructType):
        fields = [t.StructField(f.name, _zoned(f.dataType), f.nullable) for f in dt.fields]
        return t.StructType(fields)
    return dt


def _same_length(expected: int, actual: int) -> None:
    if expected != actual:
        raise value_error("AXIS_LENGTH_MISMATCH", expected_length=expected, actual_length=actual)


# ---- rows ---------------------------------------------------------------------------------------


def _from_rows(
    session: SparkSession,
    data: Any,
    schema: t.DataType | None,
    names: list[str] | None,
    sampling_ratio: float | None,
    verify: bool,
) -> tuple[Any, list[str] | None]:
    rows = data if isinstance(data, list) else list(data)
    if not rows:
        if schema is None:
            raise value_error("CANNOT_INFER_EMPTY_SCHEMA")
        struct = schema if isinstance(schema, t.StructType) else t.StructType().add("value", schema)
        return _pack_rows([], struct, verify), None
    first = rows[0]
    single = not isinstance(first, (tuple, list, dict)) and not hasattr(first, "__dict__")
    if schema is not None and not isinstance(schema, t.StructType):
        # One type for single values, which is the type of a column called "value".
        schema = t.StructType().add("value", schema)
        single = True
    if single:
        rows = [(v,) for v in rows]
    if schema is None:
        given = len(names) if names is not None else None
        if given is not None:
            names = list(names)  # type: ignore[arg-type]
        schema = _inferred(session, rows, names, sampling_ratio)
        if names is not None and given is not None and given > len(schema):
            _same_length(given, len(schema))
    return _pack_rows(rows, schema, verify), names


def _inferred(
    session: SparkSession, rows: list, names: list[str] | None, sampling_ratio: float | None
) -> t.StructType:
    conf = session.conf

    def is_on(key: str) -> bool:
        return conf.get(key, "false") == "true"

    inference = Inference(
        is_on("spark.sql.pyspark.inferNestedDictAsStruct.enabled"),
        is_on("spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled"),
        is_on("spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled"),
        conf.get("spark.sql.timestampType", None) == "TIMESTAMP_NTZ",
    )
    seen = rows
    if sampling_ratio is not None and sampling_ratio < 0.99:
        from random import Random

        draw = Random(17).random
        seen = [row for row in rows if draw() < sampling_ratio] or rows[:1]
    schema = inference.of_rows(seen, names)
    if has_null_type(schema):
        raise value_error("CANNOT_DETERMINE_TYPE")
    return schema


def _pack_rows(rows: list, schema: t.StructType, verify: bool) -> Any:
    core = _core()
    packed = core.message_pack("spark.connect.DataType", to_tree(schema))
    if _has_udt(schema):
        rows = [_with_udts(schema, row) for row in rows]
    try:
        return core.Table.from_rows(rows, packed)
    except (TypeError, ValueError, OverflowError):
        # The engine knows that a value does not fit, the verifier says which and why.
        from nbaspark.sql.types_verify import make_verifier

        check = make_verifier(schema)
        for row in rows:
            check(row)
        raise


def _has_udt(dt: t.DataType) -> bool:
    if isinstance(dt, t.StructType):
        return any(_has_udt(f.dataType) for f in dt.fields)
    if isinstance(dt, t.ArrayType):
        return _has_udt(dt.elementType)
    if isinstance(dt, t.MapType):
        return _has_udt(dt.keyType) or _has_udt(dt.valueType)
    return isinstance(dt, t.UserDefinedType)


def _with_udts(dt: t.DataType, value: Any) -> Any:
    """Return a value with those of user-defined types in their stored form."""
    if value is None or not _has_udt(dt):
        return value
    if isinstance(dt, t.UserDefinedType):
        return dt.serialize(value)
    if isinstance(dt, t.ArrayType):
        return [_with_udts(dt.elementType, v) for v in value]
    if isinstance(dt, t.MapType):
        return {_with_udts(dt.keyType, k): _with_udts(dt.valueType, v) for k, v in value.items()}
    if isinstance(value, dict):
        value = [value.get(n) for n in dt.names]
    elif not isinstance(value, (tuple, list)):
        value = [value.__dict__.get(n) for n in dt.names]
    return tuple(_with_udts(f.dataType, v) for f, v in zip(dt.fields, value))


# ---- tables -------------------------------------------------------------------------------------


def _is_pandas(data: Any) -> bool:
    kind = type(data)
    return kind.__module__.partition(".")[0] == "pandas" and kind.__name__ == "DataFrame"


def _is_numpy(data: Any) -> bool:
    kind = type(data)
    return kind.__module__.partition(".")[0] == "numpy" and hasattr(data, "ndim")


def _holds_objects(data: Any) -> bool:
    return data.ndim in (1, 2) and (data.dtype.kind in "USO" or data.dtype == "datetime64[D]")


def _rows_of(data: Any, names: list[str] | None) -> tuple[list, list[str] | None]:
    """Return text, bytes, dates and objects as rows of Python's values."""
    if len(data) == 0:
        raise value_error("CANNOT_INFER_EMPTY_SCHEMA")
    rows = [(x,) for x in data.tolist()] if data.ndim == 1 else list(map(tuple, data.tolist()))
    return rows, names or (["value"] if len(rows[0]) == 1 else None)


def _from_numpy(data: Any, names: list[str] | None) -> Any:
    if data.ndim not in (1, 2):
        raise value_error("INVALID_NDARRAY_DIMENSION", dimensions="1 or 2")
    if len(data) == 0:
        raise value_error("CANNOT_INFER_EMPTY_SCHEMA")
    if from_numpy(data.dtype) is None:
        raise type_error("UNSUPPORTED_DATA_TYPE", data_type=str(data.dtype))
    arrays = [data] if data.ndim == 1 else [data[:, i] for i in range(data.shape[1])]
    if names is None:
        many = len(arrays) > 1
        names = [f"_{i}" for i in range(1, len(arrays) + 1)] if many else ["value"]
    _same_length(len(names), len(arrays))
    return _core().Table.from_numpy(dict(zip(names, arrays)))


def _of_pandas(
    session: SparkSession, data: Any, schema: t.DataType | None, names: list[str] | None
) -> DataFrame:
    if schema is not None and not isinstance(schema, t.StructType):
        raise type_error("UNSUPPORTED_DATA_TYPE_FOR_ARROW", data_type=str(schema))
    if names is None:
        names = [str(c) for c in data.columns]
    if schema is None and (not names or not len(data)):
        raise value_error("CANNOT_INFER_EMPTY_SCHEMA")
    kinds = [getattr(data.iloc[:, i].dtype, "kind", "O") for i in range(len(data.columns))]
    if schema is not None:
        _same_length(len(schema), len(kinds))
        if _has_udt(schema):
            rows = [tuple(row) for row in data.itertuples(index=False, name=None)]
            return _table(session, _pack_rows(rows, schema, True), None, None, ())
    local = [i for i, kind in enumerate(kinds) if kind == "M"]
    arrays = _numpy_of_pandas(data, schema)
    if arrays is not None:
        table = _core().Table.from_numpy(arrays, nan_as_null=True)
    else:
        from nbaspark.sql.pandas_data import arrow_of_pandas

        arrow = arrow_schema(schema) if schema is not None else None
        table = _core().Table.from_arrow(arrow_of_pandas(session, data, schema, arrow))
    return _table(session, table, None if schema else names, schema, local)


def _numpy_of_pandas(data: Any, schema: t.StructType | None) -> dict[str, Any] | None:
    """Return the columns as arrays if NumPy has their types, and the schema no others."""
    arrays = {}
    for i in range(len(data.columns)):
        values = data.iloc[:, i].to_numpy()
        held = None if values.dtype.kind == "U" else from_numpy(values.dtype)
        if held is None or (schema is not None and schema.fields[i].dataType != held):
            return None
        arrays[f"_{i}"] = values
    return arrays


def arrow_schema(schema: t.StructType) -> Any:
    """Return a schema in Arrow's types, those that the engine's own results have."""
    import pyarrow

    return pyarrow.RecordBatchReader.from_stream(_pack_rows([], schema, False)).schema


def _cast_safely(data: Any, schema: t.StructType) -> Any:
    """Return a pyarrow.Table cast to a schema, or raise where a value would be changed.

    Local times stay as they are: the engine knows the session's zone. Anything else that gives
    Arrow's streams is returned as it is.
    """
    kind = type(data)
    if kind.__module__.partition(".")[0] != "pyarrow" or kind.__name__ != "Table":
        return data
    wanted = arrow_schema(schema)
    for i, field in enumerate(wanted):
        if str(field.type).startswith("timestamp"):
            wanted = wanted.set(i, field.with_type(data.field(i).type))
    return data.rename_columns(wanted.names).cast(wanted)
