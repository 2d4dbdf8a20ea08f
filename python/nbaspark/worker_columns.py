# SPDX-License-Identifier: Apache-2.0
"""Users' functions over pandas' and Arrow's columns, in the process that runs functions (worker.py).

Rows come and go as pyarrow's tables. What is not in the form that a function declares raises what PySpark 4.2 raises.
"""

from __future__ import annotations

import inspect
from itertools import pairwise

import pyarrow

from nbaspark import _core
from nbaspark.errors import PySparkRuntimeError, PySparkTypeError, PySparkValueError
from nbaspark.sql import types as t
from nbaspark.sql.local_data import arrow_schema
from nbaspark.sql.pandas_data import arrow_of_pandas
from nbaspark.sql.rows import to_pandas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Columns = list[pyarrow.Array]

_BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch"
_BY_NAME = "spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName"


class _Settings:
    """The session's settings, with the part of a session's interface that conversions ask for."""

    def __init__(self, text: str):
        self._values = dict(line.split("=", 1) for line in text.splitlines())
        self.conf = self

    def get(self, key: str, default: str = "") -> str:
        return self._values.get(key) or default


class _Columns:
    """What columns are to a function, and what its results are to become.

    `field` is Arrow's for a value of the declared type, `schema` that of its fields, or of the value alone.
    """

    rows: Any  # of columns and their names: the table that a function gets

    def __init__(self, settings: _Settings, returned: t.DataType):
        one = t.StructType().add("_", returned)
        self.returned = returned
        self.row = returned if isinstance(returned, t.StructType) else one
        self.field = arrow_schema(one).field(0)
        self.schema = arrow_schema(self.row)
        self._settings = settings

    def groups(self, lists: pyarrow.ListArray) -> Iterator[Any]:
        """Return the rows of each list."""
        for columns in _groups(lists):
            yield self.rows(columns, lists.type.value_type.names)


class _Pandas(_Columns):
    """Columns as pandas' Series and frames."""

    def __init__(self, settings: _Settings, returned: t.DataType):
        import pandas

        super().__init__(settings, returned)
        self._pandas = pandas

    def argument(self, column: pyarrow.Array) -> Any:
        """Return a column as a Series, or a column of structs as a frame."""
        if pyarrow.types.is_struct(column.type):
            return self.rows(column.flatten(), column.type.names)
        return self.rows([column], ["_"])["_"].rename(None)

    def rows(self, columns: Columns, names: list[str]) -> Any:
        own = [f"_{i}" for i in range(len(columns))]
        table = _core.Table.from_arrow(pyarrow.Table.from_arrays(columns, names=own))
        frame = to_pandas(table, self._settings)
        frame.columns = names
        return frame

    batch = rows

    def groups(self, lists: pyarrow.ListArray) -> Iterator[Any]:
        """Return the rows of each list, whose types are what they would be alone."""
        fields = _fields(lists)
        if any(f.null_count and _has_no_null(f.type) for f in fields):
            yield from super().groups(lists)
            return
        frame = self.rows(fields, lists.type.value_type.names)
        for start, stop in pairwise(lists.offsets.to_pylist()):
            yield frame.iloc[start:stop].reset_index(drop=True)

    def key(self, columns: Columns, row: int) -> tuple[Any, ...]:
        return tuple(self.argument(c.slice(row, 1)).iloc[0] for c in columns)

    def values(self, values: list[Any]) -> pyarrow.Array:
        """Return what a function gave for each group."""
        return self.column(self._pandas.Series(values))

    def column(self, made: Any) -> pyarrow.Array:
        """Return a result with a value per row."""
        if isinstance(self.returned, t.StructType):
            self.check_rows(made)
            arrays = self.arrays(made, True, False)
            return pyarrow.StructArray.from_arrays(arrays, fields=list(self.schema))
        if not hasattr(made, "__len__"):
            raise _wrong_type("pandas.Series", made)
        if not isinstance(made, self._pandas.Series):
            made = self._pandas.Series(made)
        return self._arrays(self._pandas.DataFrame({"_": made}))[0]

    def check_rows(self, made: Any) -> None:
        if not isinstance(made, self._pandas.DataFrame):
            raise _wrong_type("pandas.DataFrame", made)

    def is_batch(self, made: Any) -> bool:
        return isinstance(made, self._pandas.DataFrame)

    def arrays(self, frame: Any, by_name: bool, cut: bool) -> Columns:
        """Return the columns of a frame in the order of the type; cut: those beyond are left out."""
        if frame.empty and len(frame.columns) == 0:
            return _no_rows(self.schema)
        wanted = self.schema.names
        named = by_name and any(isinstance(name, str) for name in frame.columns)
        if cut:
            frame = frame.iloc[:, : len(wanted)]
        if named:
            _check_names(set(frame.columns), set(wanted))
            frame = frame[wanted] if frame.columns.is_unique else frame
        if len(frame.columns) != len(wanted):
            raise _wrong_number(len(wanted), len(frame.columns))
        return self._arrays(frame)

    def _arrays(self, frame: Any) -> Columns:
        zone = self._settings.get("spark.sql.session.timeZone", "UTC")
        columns = {}
        for i, field in enumerate(self.row.fields):
            series = frame.iloc[:, i]
            if isinstance(field.dataType, t.TimestampType) and series.dtype.kind == "M":
                local = getattr(series.dt, "tz", None) is None
                series = series.dt.tz_localize(zone, ambiguous=False) if local else series
            columns[i] = series
        own = self._pandas.DataFrame(columns)
        own.columns = self.schema.names  # for messages
        made = arrow_of_pandas(self._settings, own, self.row, self.schema)
        return [_fitting(c, f) for c, f in zip(made.columns, self.schema, strict=True)]


class _Arrow(_Columns):
    """Columns as they are."""

    def argument(self, column: pyarrow.Array) -> Any:
        return column

    def rows(self, columns: Columns, names: list[str]) -> Any:
        return pyarrow.Table.from_arrays(columns, names=names)

    def batch(self, columns: Columns, names: list[str]) -> Any:
        return pyarrow.RecordBatch.from_arrays(columns, names=names)

    def key(self, columns: Columns, row: int) -> tuple[Any, ...]:
        return tuple(c[row] for c in columns)

    def values(self, values: list[Any]) -> pyarrow.Array:
        plain = [v.as_py() if isinstance(v, pyarrow.Scalar) else v for v in values]
        return pyarrow.array(plain, self.field.type)

    def column(self, made: Any) -> pyarrow.Array:
        if not isinstance(made, (pyarrow.Array, pyarrow.ChunkedArray)):
            raise _wrong_type("pyarrow.Array", made)
        return _fitting(made, self.field)

    def check_rows(self, made: Any) -> None:
        if not isinstance(made, pyarrow.Table):
            raise _wrong_type("pyarrow.Table", made)

    def is_batch(self, made: Any) -> bool:
        return isinstance(made, pyarrow.RecordBatch)

    def arrays(self, made: Any, by_name: bool, cut: bool) -> Columns:
        if by_name:
            _check_names(set(made.schema.names), set(self.schema.names))
            made = made.select(self.schema.names)
        if len(made.schema) != len(self.schema):
            raise _wrong_number(len(self.schema), len(made.schema))
        _check_types(made.schema, self.schema)
        return [_fitting(c, f) for c, f in zip(made.columns, self.schema, strict=True)]


def _has_no_null(kind: pyarrow.DataType) -> bool:
    """Return whether NumPy's arrays of the type have no place for a null."""
    return pyarrow.types.is_integer(kind) or pyarrow.types.is_boolean(kind)


def _no_rows(schema: pyarrow.Schema) -> Columns:
    return [pyarrow.array([], f.type) for f in schema]


def _fitting(column: Any, field: pyarrow.Field) -> pyarrow.Array:
    """Return a column of results in the field's type, in one piece."""
    if isinstance(column, pyarrow.ChunkedArray):
        column = column.combine_chunks()
    if column.type != field.type:
        column = column.cast(field.type)
    if column.null_count and not field.nullable:
        raise PySparkValueError(
            errorClass="FIELD_NOT_NULLABLE_WITH_NAME", messageParameters={"field_name": field.name}
        )
    return column


def _wrong_type(expected: str, made: Any) -> PySparkTypeError:
    return PySparkTypeError(
        errorClass="UDF_RETURN_TYPE",
        messageParameters={"expected": expected, "actual": type(made).__name__},
    )


def _wrong_number(expected: int, actual: int) -> PySparkRuntimeError:
    return PySparkRuntimeError(
        errorClass="RESULT_COLUMN_SCHEMA_MISMATCH",
        messageParameters={"expected": str(expected), "actual": str(actual)},
    )


def _check_names(names: set[Any], wanted: set[str]) -> None:
    if names != wanted:
        missing, extra = sorted(wanted - names), sorted(map(str, names - wanted))
        raise PySparkRuntimeError(
            errorClass="RESULT_COLUMN_NAMES_MISMATCH",
            messageParameters={
                "missing": f" Missing: {', '.join(missing)}." if missing else "",
                "extra": f" Unexpected: {', '.join(extra)}." if extra else "",
            },
        )


def _check_types(made: pyarrow.Schema, wanted: pyarrow.Schema) -> None:
    """Raise where Arrow's types differ in more than the zone in which points in time are shown."""
    stamp = pyarrow.types.is_timestamp
    wrong = [
        f"column '{w.name}' (expected {w.type}, actual {m.type})"
        for m, w in zip(made, wanted, strict=True)
        if m.type != w.type and not (stamp(m.type) and stamp(w.type) and m.type.tz and w.type.tz)
    ]
    if wrong:
        raise PySparkRuntimeError(
            errorClass="RESULT_COLUMN_TYPES_MISMATCH",
            messageParameters={"mismatch": ", ".join(wrong)},
        )


class ColumnFunction:
    """A function over columns, with what its results are to become.

    Parameters
    ----------
    call : callable
        The user's function.
    returned : DataType
        Type of its results: of a value, or of a row.
    eval_type : int
        Spark's PythonEvalType.
    settings : str
        The session's, a line for each: ``key=value``.
    """

    def __init__(self, call: Callable[..., Any], returned: Any, eval_type: int, settings: str):
        self.call = call
        values = _Settings(settings)
        self.by_name = values.get(_BY_NAME, "true").lower() == "true"
        most = int(values.get(_BATCH, "10000"))
        self.most = most if most > 0 else 1 << 31
        maker, self.over = _KINDS[eval_type]
        self.make: Any = maker(values, returned)

    def results(self, stream: bytes, no_arguments: bool) -> bytes:
        """Return the results for rows: both are Arrow IPC streams."""
        table = pyarrow.ipc.open_stream(stream).read_all()
        columns = [_whole(c) for c in table.columns]
        array = self.over(self, columns, table.num_rows)
        out = pyarrow.BufferOutputStream()
        batch = pyarrow.RecordBatch.from_arrays([array], names=["_"])
        with pyarrow.ipc.new_stream(out, batch.schema) as writer:
            writer.write_batch(batch)
        return out.getvalue().to_pybytes()

    # ---- a value for each row

    def values(self, columns: Columns, n: int) -> pyarrow.Array:
        made = self.call(*map(self.make.argument, columns))
        if hasattr(made, "__len__") and len(made) != n:
            raise PySparkRuntimeError(
                errorClass="SCHEMA_MISMATCH_FOR_PANDAS_UDF",
                messageParameters={
                    "udf_type": "pandas_udf",
                    "expected": str(n),
                    "actual": str(len(made)),
                },
            )
        return self.make.column(made)

    def values_of_iterators(self, columns: Columns, n: int) -> pyarrow.Array:
        given = self._batches(columns)
        whole = "DataFrame" if isinstance(self.make.returned, t.StructType) else "Series"
        expected = f"pandas.{whole}" if isinstance(self.make, _Pandas) else "pyarrow.Array"
        made = [self.make.column(m) for m in _iterated(self.call(given), f"iterator of {expected}")]
        n_made = sum(map(len, made))
        if n_made > n:
            raise PySparkRuntimeError(errorClass="OUTPUT_EXCEEDS_INPUT_ROWS", messageParameters={})
        if next(given, None) is not None:
            raise PySparkRuntimeError(errorClass="INPUT_NOT_FULLY_CONSUMED", messageParameters={})
        if n_made != n:
            raise PySparkRuntimeError(
                errorClass="RESULT_ROWS_MISMATCH",
                messageParameters={"output_length": str(n_made), "input_length": str(n)},
            )
        return pyarrow.concat_arrays(made) if made else pyarrow.array([], self.make.field.type)

    def _batches(self, columns: Columns) -> Iterator[Any]:
        for start in range(0, len(columns[0]), self.most):
            given = [self.make.argument(c.slice(start, self.most)) for c in columns]
            yield given[0] if len(given) == 1 else tuple(given)

    # ---- a value for the rows of a group

    def group_values(self, columns: Columns, n: int) -> pyarrow.Array:
        made = [self.call(*map(self.make.argument, group)) for group in _groups(columns[0])]
        return self.make.values(made)

    def group_values_of_iterators(self, columns: Columns, n: int) -> pyarrow.Array:
        made = [self.call(self._batches(group)) for group in _groups(columns[0])]
        return self.make.values(made)

    # ---- rows for rows

    def partitions(self, columns: Columns, n: int) -> pyarrow.Array:
        lists = columns[0]
        by_name = isinstance(self.make, _Pandas)
        made = (
            self._iterator_rows(self.call(self._frames(group, lists)), by_name, by_name)
            for group in _groups(lists)
        )
        return self._lists(made)

    def groups(self, columns: Columns, n: int) -> pyarrow.Array:
        *keys, lists = columns
        calls = zip(self._keys(keys, n, 1), self.make.groups(lists), strict=True)
        return self._lists(self._rows(self.call(*key, group)) for key, group in calls)

    def groups_of_iterators(self, columns: Columns, n: int) -> pyarrow.Array:
        *keys, lists = columns
        calls = zip(self._keys(keys, n, 1), _groups(lists), strict=True)
        return self._lists(
            self._iterator_rows(self.call(*key, self._frames(group, lists)), self.by_name, False)
            for key, group in calls
        )

    def cogroups(self, columns: Columns, n: int) -> pyarrow.Array:
        *keys, left, right = columns
        sides = (self.make.groups(_without_nulls(side)) for side in (left, right))
        calls = zip(self._keys(keys, n, 2), *sides, strict=True)
        return self._lists(self._rows(self.call(*key, *pair)) for key, *pair in calls)

    def _keys(self, keys: Columns, n: int, n_groups: int) -> Iterator[tuple[Any, ...]]:
        """Return the first arguments of each call: its key where the function takes more than the groups."""
        takes_key = _n_parameters(self.call) > n_groups
        for row in range(n):
            yield (self.make.key(keys, row),) if takes_key else ()

    def _frames(self, columns: Columns, lists: pyarrow.ListArray) -> Iterator[Any]:
        names = lists.type.value_type.names
        for start in range(0, len(columns[0]), self.most):
            yield self.make.batch([c.slice(start, self.most) for c in columns], names)

    def _rows(self, made: Any) -> Columns:
        self.make.check_rows(made)
        return self.make.arrays(made, self.by_name, False)

    def _iterator_rows(self, made: Any, by_name: bool, cut: bool) -> Columns:
        kind = "pandas.DataFrame" if isinstance(self.make, _Pandas) else "pyarrow.RecordBatch"
        parts = []
        for m in _iterated(made, f"iterator of {kind}"):
            if not self.make.is_batch(m):
                raise PySparkTypeError(
                    errorClass="UDF_RETURN_TYPE",
                    messageParameters={
                        "expected": f"iterator of {kind}",
                        "actual": f"iterator of {type(m).__name__}",
                    },
                )
            parts.append(self.make.arrays(m, by_name, cut))
        if not parts:
            return _no_rows(self.make.schema)
        return [pyarrow.concat_arrays(list(p)) for p in zip(*parts, strict=True)]

    def _lists(self, made: Iterable[Columns]) -> pyarrow.Array:
        """Return the rows of each call as a list."""
        wanted = list(self.make.schema)
        parts, offsets = [], [0]
        for columns in made:
            parts.append(pyarrow.StructArray.from_arrays(columns, fields=wanted))
            offsets.append(offsets[-1] + len(parts[-1]))
        whole = pyarrow.concat_arrays(parts) if parts else pyarrow.array([], pyarrow.struct(wanted))
        return pyarrow.ListArray.from_arrays(pyarrow.array(offsets, pyarrow.int32()), whole)


def _whole(column: pyarrow.ChunkedArray) -> pyarrow.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _fields(lists: pyarrow.ListArray) -> Columns:
    """Return the columns of the rows that stand in lists, which the lists' offsets count."""
    return lists.values.flatten()


def _groups(lists: pyarrow.ListArray) -> Iterator[Columns]:
    """Return the columns of each list's rows."""
    fields = _fields(lists)
    for start, stop in pairwise(lists.offsets.to_pylist()):
        yield [f.slice(start, stop - start) for f in fields]


def _without_nulls(lists: pyarrow.ListArray) -> pyarrow.ListArray:
    """Return lists in which those that are null are empty."""
    return lists.fill_null([]) if lists.null_count else lists


def _iterated(made: Any, expected: str) -> Iterable[Any]:
    if not hasattr(made, "__iter__"):
        raise _wrong_type(expected, made)
    return made


def _n_parameters(call: Callable[..., Any]) -> int:
    return len(inspect.getfullargspec(call).args) - inspect.ismethod(call)


_KINDS = {
    200: (_Pandas, ColumnFunction.values),
    201: (_Pandas, ColumnFunction.groups),
    202: (_Pandas, ColumnFunction.group_values),
    204: (_Pandas, ColumnFunction.values_of_iterators),
    205: (_Pandas, ColumnFunction.partitions),
    206: (_Pandas, ColumnFunction.cogroups),
    207: (_Arrow, ColumnFunction.partitions),
    209: (_Arrow, ColumnFunction.groups),
    210: (_Arrow, ColumnFunction.cogroups),
    215: (_Arrow, ColumnFunction.groups_of_iterators),
    216: (_Pandas, ColumnFunction.groups_of_iterators),
    217: (_Pandas, ColumnFunction.group_values_of_iterators),
    250: (_Arrow, ColumnFunction.values),
    251: (_Arrow, ColumnFunction.values_of_iterators),
    252: (_Arrow, ColumnFunction.group_values),
    254: (_Arrow, ColumnFunction.group_values_of_iterators),
}
