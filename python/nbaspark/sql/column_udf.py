# SPDX-License-Identifier: Apache-2.0
"""Users' functions over pandas' and Arrow's columns: which kind a function is, and what makes rows of it."""

from __future__ import annotations

import warnings

from nbaspark.errors import PySparkNotImplementedError, PySparkValueError
from nbaspark.errors.raising import type_error, value_error
from nbaspark.sql.column import named
from nbaspark.sql.functions.python_udf import ArrowUDFType, PandasUDFType
from nbaspark.sql.types import DataType, StructType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from nbaspark.sql.dataframe import DataFrame
    from nbaspark.sql.session import SparkSession

# Where Spark's PythonEvalType stands for how a function is called, by what it works on.
_TYPES = {"pandas": PandasUDFType, "arrow": ArrowUDFType}
_KINDS = SCALAR, SCALAR_ITER, GROUPED_AGG, GROUPED_AGG_ITER = (
    "SCALAR",
    "SCALAR_ITER",
    "GROUPED_AGG",
    "GROUPED_AGG_ITER",
)
MAP = {"pandas": 205, "arrow": 207}
GROUPS = {"pandas": 201, "arrow": 209}
GROUPS_ITER = {"pandas": 216, "arrow": 215}
COGROUPS = {"pandas": 206, "arrow": 210}


def column_udf(family: str, f: Any, returned: Any, function_type: Any) -> Any:
    """Make a function of columns, or a decorator that does, of the arguments of `pandas_udf`.

    Parameters
    ----------
    family : str
        What the function works on: ``"pandas"`` or ``"arrow"``.
    f, returned, function_type
        As the caller of `pandas_udf` gave them, in any of its forms.
    """
    is_decorator = f is None or isinstance(f, (str, DataType))
    if is_decorator:
        if function_type is None and isinstance(returned, int):
            function_type = returned
        returned = f or returned
    if returned is None:
        raise type_error("CANNOT_BE_NONE", arg_name="returnType")
    known = [getattr(_TYPES[family], kind) for kind in _KINDS]
    if function_type is not None and function_type not in known:
        raise type_error(
            "INVALID_PANDAS_UDF_TYPE", arg_name="functionType", arg_type=str(function_type)
        )
    if is_decorator:
        return lambda function: _make(family, function, returned, function_type)
    return _make(family, f, returned, function_type)


def _make(family: str, function: Any, returned: Any, eval_type: int | None) -> Any:
    from inspect import getfullargspec

    from nbaspark.sql.udf import make_udf

    if family == "pandas":
        _need("pandas", "2.2.0")
    _need("pyarrow", "18.0.0")
    spec = getfullargspec(function)
    if eval_type is not None:
        _warn_of_type(family)
    else:
        kind = kind_by_hints(family, function) if spec.annotations else SCALAR
        eval_type = getattr(_TYPES[family], kind)
    if (
        eval_type in (_TYPES[family].SCALAR, _TYPES[family].SCALAR_ITER)
        and not spec.args
        and spec.varargs is None
    ):
        raise value_error(
            "INVALID_PANDAS_UDF",
            detail=f"0-arg {family}_udfs are not supported. Instead, create a 1-arg {family}_udfs "
            "and ignore the arg in your function.",
        )
    return make_udf(function, returned, eval_type)


def _warn_of_type(family: str) -> None:
    if family == "pandas":
        text = (
            "In Python 3.6+ and Spark 3.0+, it is preferred to specify type hints for pandas UDF instead "
            "of specifying pandas UDF type which will be deprecated in the future releases. See "
            "SPARK-28264 for more details."
        )
    else:
        text = "It is preferred to specify type hints for arrow UDF instead of specifying arrow UDF type."
    warnings.warn(text, UserWarning, stacklevel=4)


def _need(package: str, minimum: str) -> None:
    from importlib import import_module

    try:
        import_module(package)
    except ImportError:
        from nbaspark.errors import PySparkImportError

        raise PySparkImportError(
            errorClass="PACKAGE_NOT_INSTALLED",
            messageParameters={"package_name": package, "minimum_version": minimum},
        ) from None


def kind_by_hints(family: str, function: Callable[..., Any]) -> str:
    """Return how a function is to be called, by the types that its signature names.

    Raises
    ------
    PySparkValueError
        Where a parameter or the result has none.
    PySparkNotImplementedError
        When they are those of no kind.
    """
    from inspect import signature
    from typing import get_type_hints

    sig = signature(function)
    try:
        hints = get_type_hints(function)
    except NameError:
        hints = {}
    given = [
        hints.get(p.name, p.annotation)
        for p in sig.parameters.values()
        if p.annotation is not p.empty
    ]
    returned = hints.get("return", sig.return_annotation)
    for missing, target in (
        (len(given) < len(sig.parameters), "all parameters"),
        (returned is sig.empty, "the return type"),
    ):
        if missing:
            raise PySparkValueError(
                errorClass="TYPE_HINT_SHOULD_BE_SPECIFIED",
                messageParameters={"target": target, "sig": str(sig)},
            )
    columns = _column_types(family)
    found = None
    makes_column = returned in columns
    makes_value = not makes_column and _origin(returned) not in ("iterator", "tuple")
    if all(_is_column(g, columns) for g in given):
        found = SCALAR if makes_column else GROUPED_AGG if makes_value else None
    elif len(given) == 1 and _iterates_columns(given[0], columns):
        iterates = _origin(returned) == "iterator" and _arguments(returned)[0] in columns
        found = SCALAR_ITER if iterates else GROUPED_AGG_ITER if makes_value else None
    if found is None:
        raise PySparkNotImplementedError(
            errorClass="UNSUPPORTED_SIGNATURE", messageParameters={"signature": str(sig)}
        )
    return found


def _column_types(family: str) -> tuple[Any, ...]:
    if family == "pandas":
        import pandas

        return pandas.Series, pandas.DataFrame
    import pyarrow

    return (pyarrow.Array,)


def _origin(hint: Any) -> str | None:
    from collections.abc import Iterator
    from types import UnionType
    from typing import Union, get_origin

    origin = get_origin(hint)
    names = {Iterator: "iterator", tuple: "tuple", Union: "union", UnionType: "union"}
    return names.get(origin)  # type: ignore[call-overload]


def _arguments(hint: Any) -> tuple[Any, ...]:
    from typing import get_args

    return get_args(hint) or (None,)


def _is_column(hint: Any, columns: tuple[Any, ...]) -> bool:
    if _origin(hint) == "union":
        return all(a in columns for a in _arguments(hint))
    return hint in columns


def _iterates_columns(hint: Any, columns: tuple[Any, ...]) -> bool:
    if _origin(hint) != "iterator":
        return False
    (item,) = _arguments(hint)
    if _origin(item) == "tuple":
        return all(a is Ellipsis or _is_column(a, columns) for a in _arguments(item))
    return _is_column(item, columns)


def iterates(function: Callable[..., Any]) -> bool:
    """Return whether the rows of a group come to a function in batches: its hints say so."""
    from typing import get_type_hints

    try:
        hints = get_type_hints(function)
    except Exception:
        return False
    returned = hints.pop("return", None)
    last = list(hints.values())[-1:]
    return _origin(returned) == "iterator" and bool(last) and _origin(last[0]) == "iterator"


def check_parameters(function: Callable[..., Any], allowed: tuple[int, int], detail: str) -> None:
    """Raise INVALID_PANDAS_UDF unless a function takes one of two numbers of arguments."""
    from inspect import getfullargspec

    if len(getfullargspec(function).args) not in allowed:
        raise value_error("INVALID_PANDAS_UDF", detail=detail)


def rows_udf(
    session: SparkSession, function: Any, schema: StructType | str, kind: int, columns: list[str]
) -> dict[str, Any]:
    """Return the message of a function that makes rows of this schema of these columns."""
    from nbaspark.sql.udf import UserDefinedFunction

    _need("pyarrow", "18.0.0")
    returned = session._parse_ddl(schema) if isinstance(schema, str) else schema
    if not isinstance(returned, StructType):
        condition = "INVALID_RETURN_TYPE_FOR_PANDAS_UDF"
        raise type_error(condition, eval_type=_NAMES.get(kind, str(kind)), return_type=returned)
    arguments = [named(c)._expr for c in columns]
    return UserDefinedFunction(function, returned, None, kind)._tree(arguments)


_NAMES = {
    201: "SQL_GROUPED_MAP_PANDAS_UDF",
    205: "SQL_MAP_PANDAS_ITER_UDF",
    206: "SQL_COGROUPED_MAP_PANDAS_UDF",
    207: "SQL_MAP_ARROW_ITER_UDF",
    209: "SQL_GROUPED_MAP_ARROW_UDF",
    210: "SQL_COGROUPED_MAP_ARROW_UDF",
    215: "SQL_GROUPED_MAP_ARROW_ITER_UDF",
    216: "SQL_GROUPED_MAP_PANDAS_ITER_UDF",
}


def mapped(df: DataFrame, family: str, function: Any, schema: Any, barrier: bool) -> DataFrame:
    """Return the rows that a function makes of iterators over a table's batches."""
    tree = rows_udf(df._session, function, schema, MAP[family], df.columns)
    return df._over("map_partitions", [], func=tree, is_barrier=barrier)
