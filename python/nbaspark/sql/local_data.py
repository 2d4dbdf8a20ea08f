# SPDX-License-Identifier: Apache-2.0
"""createDataFrame: local data of many kinds, handed to the engine by reference.

Tables (pandas, NumPy, Arrow and whatever has ``__arrow_c_stream__``) go as they are, without a
copy where their layout allows it. Rows of Python objects are converted once, in C.
"""

from __future__ import annotations

from nbaspark.errors import ParseException, PySparkValueError
from nbaspark.errors.raising import not_expected, type_error, value_error
from nbaspark.sql import types as t
from nbaspark.sql.types_infer import Inference, from_numpy, has_null_type
from nbaspark.sql.types_proto import from_tree, to_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
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
        if isinstance(schema, t.StructType):
            _refuse_losses(session, data, schema)
        table, names = _from_pandas(data, schema, names)
    elif _is_numpy(data):
        table, names = _from_numpy(data, names), None
        if schema is not None:
            return _table(session, table, None, schema)
    elif hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        table = _core().Table.from_arrow(data)
        if names is None and schema is None:
            names = _held(table).names
    else:
        table, names = _from_rows(session, data, schema, names, sampling_ratio, verify_schema)
        return _table(session, table, names, None, local_times=False)
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
    local_times: bool = True,
) -> DataFrame:
    """Return the DataFrame of a table, under other names or cast to a schema."""
    ((kind, body),) = session._channel.add_table(table).items()
    df = session._relation(kind, body)
    if schema is None and names is None:
        return df
    held = _held(table)
    if local_times:
        df = _with_zone(session, df, held)
    if schema is not None:
        wanted = schema if isinstance(schema, t.StructType) else t.StructType().add("value", schema)
        _same_length(len(wanted), len(held))
        if held == wanted:
            return df
        return df.toDF(*wanted.names).to(wanted)
    names = names + [f"_{i}" for i in range(len(names) + 1, len(held) + 1)]
    _same_length(len(names), len(held))
    return df if names == held.names else df.toDF(*names)


def _held(table: Any) -> t.StructType:
    """Return the names and types that a table has."""
    return from_tree(_core().message_unpack("spark.connect.DataType", table.schema))  # type: ignore


def _with_zone(session: SparkSession, df: DataFrame, held: t.StructType) -> DataFrame:
    """Return a table with times without zone read as local times of the session's zone.

    This is what PySpark does with times of pandas and Arrow, unless the session prefers
    timestamps without zone.
    """
    if not any(isinstance(f.dataType, t.TimestampNTZType) for f in held):
        return df
    if session.conf.get("spark.sql.timestampType", None) == "TIMESTAMP_NTZ":
        return df
    df = df.toDF(*(f"_{i}" for i in range(len(held))))
    columns = []
    for i, field in enumerate(held):
        column = df[f"_{i}"]
        if isinstance(field.dataType, t.TimestampNTZType):
            column = column.cast(t.TimestampType())
        columns.append(column.alias(field.name))
    return df.select(*columns)


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


# The integers that a type of Arrow holds exactly, for columns of integers; columns of fractions become integers.
_EXACT = {t.FloatType: ("float", 2**24), t.DoubleType: ("double", 2**53)}
_INTEGERS = {
    t.ByteType: "int8",
    t.ShortType: "int16",
    t.IntegerType: "int32",
    t.LongType: "int64",
}
_SAFELY = "spark.sql.execution.pandas.convertToArrowArraySafely"


def _refuse_losses(session: SparkSession, data: Any, schema: t.StructType) -> None:
    """Raise, as PySpark does, where a column of pandas holds values that its type would change."""
    if session.conf.get(_SAFELY, "true").lower() != "true":
        return
    for i, field in enumerate(schema.fields[: len(data.columns)]):
        values, wanted = data.iloc[:, i], type(field.dataType)
        kind = getattr(values.dtype, "kind", "")
        if kind == "f" and wanted in _INTEGERS:
            arrow, lossy = _INTEGERS[wanted], (values.dropna() % 1 != 0).any()
        elif kind in ("i", "u") and wanted in _EXACT:
            arrow, limit = _EXACT[wanted]
            lossy = ((values > limit) | (values < -limit)).any()
        else:
            continue
        if lossy:
            raise PySparkValueError(
                f"Exception thrown when converting pandas.Series ({values.dtype}) with name "
                f"{field.name!r} to Arrow Array ({arrow}). It can be caused by overflows or other "
                "unsafe conversions warned by Arrow. Arrow safe type check can be disabled by using "
                f"SQL config `{_SAFELY}`."
            )


def _from_pandas(
    data: Any, schema: t.DataType | None, names: list[str] | None
) -> tuple[Any, list[str] | None]:
    if schema is not None and not isinstance(schema, t.StructType):
        raise type_error("UNSUPPORTED_DATA_TYPE_FOR_ARROW", data_type=str(schema))
    if names is None:
        names = [str(c) for c in data.columns]
    if not names and schema is None:
        raise value_error("CANNOT_INFER_EMPTY_SCHEMA")
    arrays = {}
    for i in range(len(data.columns)):
        values = data.iloc[:, i].to_numpy()
        if from_numpy(values.dtype) is None or values.dtype.kind == "U":
            break
        arrays[f"_{i}"] = values
    else:
        return _core().Table.from_numpy(arrays, nan_as_null=True), names
    # Text, times and what has missing values: Arrow knows how pandas means them.
    return _core().Table.from_arrow(data), names
